// Configurable: what a component's class derives from to have a section in the host's
// configuration, a proto message of its author's, which is changed while the component runs.
//
//   class Clock final : public ClockComponent, public Configurable<ClockConfig> {
//    public:
//     absl::Status Validate(const ClockConfig& config) override;
//     void Apply(ClockConfig config) override;
//
// Where its type is given to a host the class is known, and the message with it: nothing is
// registered. It is not told what was before; who needs that keeps it. Whether a host has accepted
// a section, who asked and when, are the host's matters.
#ifndef MAINSPRING_CONFIGURABLE_H_
#define MAINSPRING_CONFIGURABLE_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/message.h"

namespace mainspring {

// One whose message is not known here. Component thread only.
class AnyConfigurable {
 public:
  virtual ~AnyConfigurable() = default;
  // As Configurable's. INVALID_ARGUMENT: another message than its own.
  virtual absl::Status ValidateAny(const google::protobuf::Message& config) = 0;
  // One that was validated, and nothing has come between. An error: the component is as it was.
  virtual absl::Status ApplyAny(const google::protobuf::Message& config) = 0;
  // One in which nothing is set, as a component begins with where nobody gives it another.
  virtual const google::protobuf::Message& Empty() const = 0;
};

// Both are called on the component's own thread, like its methods: for the first time after its
// constructor and before Start, with each instance, and then for each change. Not in the
// constructor, where there is no section yet.
template <class C>
class Configurable : public AnyConfigurable {
 public:
  using ConfigMessage = C;

  // Whether the component can be as `config` says, all of it; else what is wrong with which field,
  // for whoever wrote it: the text counts, and of the codes RESOURCE_EXHAUSTED alone. It changes
  // nothing, for what is asked for may be withdrawn. What setting.proto says of fields, bounds for
  // one, has been looked at before. What it throws is a refusal, and so is Context::Fail.
  virtual absl::Status Validate(const C& /*config*/) { return absl::OkStatus(); }

  // Makes the component so. The section was validated before, though another call may have come
  // between. It has to succeed: what it throws costs the instance.
  virtual void Apply(C config) = 0;

 protected:
  absl::Status ValidateAny(const google::protobuf::Message& config) override {
    const C* const own = dynamic_cast<const C*>(&config);
    if (own != nullptr) return Validate(*own);
    return absl::InvalidArgumentError(
        absl::StrCat("is a ", config.GetTypeName(), ", and not a ", Empty().GetTypeName()));
  }
  absl::Status ApplyAny(const google::protobuf::Message& config) override {
    Apply(dynamic_cast<const C&>(config));
    return absl::OkStatus();
  }

 private:
  const google::protobuf::Message& Empty() const final { return C::default_instance(); }
};

}  // namespace mainspring

#endif  // MAINSPRING_CONFIGURABLE_H_
