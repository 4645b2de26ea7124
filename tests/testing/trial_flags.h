// What the trial host's command line says of its components: flag types with parsers of their own,
// so that a wrong one is refused as any other flag is, with 64 and one line.
//
//   --trials='a,b(a),c(a,~b)?,d-'   b needs a; c needs a, comes after b, is not essential; d is not
//                                   started with the host
//   --trial-start=b:fail,c:take=2s@1,c:hang@2   what Start of b does, and of c's first two
//   instances
#ifndef MAINSPRING_TESTS_TESTING_TRIAL_FLAGS_H_
#define MAINSPRING_TESTS_TESTING_TRIAL_FLAGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "mainspring/server/config/host_config.h"

namespace mainspring::testing {

// Names, dependencies, essential and autostart; the rest as it is by default.
struct TrialList {
  std::vector<ComponentConfig> components;
};

// The items are separated by commas:
//   item:        NAME [ "(" dependency { "," dependency } ")" ] { "?" | "-" }
//   dependency:  [ "~" ] NAME            "~" makes it a soft one
// A name has letters, digits, "_" and ".". Whether a dependency exists is the host's to say.
bool AbslParseFlag(absl::string_view text, TrialList* trials, std::string* error);
std::string AbslUnparseFlag(const TrialList& trials);

// What Start does, of which component and which of its instances.
struct StartTrial {
  enum class Kind { kFail, kThrow, kHang, kTake };
  std::string component;
  Kind kind;
  absl::Duration time;      // kTake: how long until it returns OK
  uint64_t generation = 0;  // 0: each
};

struct StartTrials {
  std::vector<StartTrial> trials;

  // Null where its Start is as it should be.
  const StartTrial* Find(absl::string_view component, uint64_t generation) const;
};

// The items are separated by commas:
//   item:  NAME ":" ( "fail" | "throw" | "hang" | "take=" TIME ) [ "@" GENERATION ]
bool AbslParseFlag(absl::string_view text, StartTrials* trials, std::string* error);
std::string AbslUnparseFlag(const StartTrials& trials);

// permanent, transient or temporary.
struct RestartKindFlag {
  RestartKind kind = RestartPolicy().kind;
};
bool AbslParseFlag(absl::string_view text, RestartKindFlag* flag, std::string* error);
std::string AbslUnparseFlag(RestartKindFlag flag);

}  // namespace mainspring::testing

#endif  // MAINSPRING_TESTS_TESTING_TRIAL_FLAGS_H_
