#include "tests/testing/trial_flags.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace mainspring::testing {
namespace {

constexpr std::pair<const char*, StartTrial::Kind> kKinds[] = {
    {"fail", StartTrial::Kind::kFail},
    {"throw", StartTrial::Kind::kThrow},
    {"hang", StartTrial::Kind::kHang},
};

constexpr std::pair<const char*, RestartKind> kRestartKinds[] = {
    {"permanent", RestartKind::kPermanent},
    {"transient", RestartKind::kTransient},
    {"temporary", RestartKind::kTemporary},
};

// Reads a --trials from the left; the first error stays.
class ListReader {
 public:
  explicit ListReader(absl::string_view text) : text_(text), rest_(text) {}

  std::vector<ComponentConfig> ReadList() {
    std::vector<ComponentConfig> components;
    do {
      components.push_back(ReadItem());
    } while (Takes(','));
    if (!rest_.empty()) Complain("a comma, or the end, is expected");
    return components;
  }

  const std::string& error() const { return error_; }

 private:
  ComponentConfig ReadItem() {
    ComponentConfig item;
    item.type = "trial";
    item.name = ReadName("the name of a component");
    if (Takes('(')) {
      do {
        const bool soft = Takes('~');
        item.depends_on.push_back({ReadName("the name of a dependency"), !soft});
      } while (Takes(','));
      if (!Takes(')')) Complain("\")\" or a comma is expected");
    }
    while (true) {
      if (Takes('?')) {
        item.essential = false;
      } else if (Takes('-')) {
        item.autostart = false;
      } else {
        return item;
      }
    }
  }

  std::string ReadName(const char* what) {
    const auto end = std::find_if(rest_.begin(), rest_.end(), [](char each) {
      return !absl::ascii_isalnum(static_cast<unsigned char>(each)) && each != '_' && each != '.';
    });
    const absl::string_view name = rest_.substr(0, static_cast<size_t>(end - rest_.begin()));
    if (name.empty()) Complain(absl::StrCat(what, " is expected"));
    rest_.remove_prefix(name.size());
    return std::string(name);
  }

  bool Takes(char wanted) {
    if (!error_.empty() || rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void Complain(absl::string_view what) {
    if (!error_.empty()) return;
    error_ = rest_.empty() ? absl::StrCat(what, " at the end")
                           : absl::StrCat(what, " at character ", text_.size() - rest_.size() + 1,
                                          ", where there is \"", rest_, "\"");
  }

  const absl::string_view text_;
  absl::string_view rest_;
  std::string error_;
};

bool ParseKind(absl::string_view text, StartTrial& trial) {
  for (const auto& [name, kind] : kKinds) {
    if (text != name) continue;
    trial.kind = kind;
    return true;
  }
  trial.kind = StartTrial::Kind::kTake;
  return absl::ConsumePrefix(&text, "take=") && absl::ParseDuration(text, &trial.time) &&
         trial.time >= absl::ZeroDuration() && trial.time < absl::InfiniteDuration();
}

bool ParseStartTrial(absl::string_view text, StartTrial& trial) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ':');
  if (parts.size() != 2 || parts[0].empty()) return false;
  trial.component = std::string(parts[0]);
  const std::vector<absl::string_view> when = absl::StrSplit(parts[1], '@');
  if (when.size() > 2) return false;
  if (when.size() == 2 &&
      (!absl::SimpleAtoi(when[1], &trial.generation) || trial.generation == 0)) {
    return false;
  }
  return ParseKind(when[0], trial);
}

std::string Text(const StartTrial& trial) {
  std::string text = absl::StrCat(trial.component, ":");
  for (const auto& [name, kind] : kKinds) {
    if (kind == trial.kind) absl::StrAppend(&text, name);
  }
  if (trial.kind == StartTrial::Kind::kTake) {
    absl::StrAppend(&text, "take=", absl::FormatDuration(trial.time));
  }
  if (trial.generation != 0) absl::StrAppend(&text, "@", trial.generation);
  return text;
}

}  // namespace

bool AbslParseFlag(absl::string_view text, TrialList* trials, std::string* error) {
  ListReader reader(text);
  trials->components = reader.ReadList();
  *error = reader.error();
  return error->empty();
}

std::string AbslUnparseFlag(const TrialList& trials) {
  return absl::StrJoin(trials.components, ",", [](std::string* out, const ComponentConfig& each) {
    const auto dependency = [](std::string* text, const Dependency& edge) {
      absl::StrAppend(text, edge.hard ? "" : "~", edge.component);
    };
    absl::StrAppend(out, each.name);
    if (!each.depends_on.empty()) {
      absl::StrAppend(out, "(", absl::StrJoin(each.depends_on, ",", dependency), ")");
    }
    absl::StrAppend(out, each.essential ? "" : "?", each.autostart ? "" : "-");
  });
}

const StartTrial* StartTrials::Find(absl::string_view component, uint64_t generation) const {
  const auto found = std::find_if(trials.begin(), trials.end(), [&](const StartTrial& each) {
    return each.component == component && (each.generation == 0 || each.generation == generation);
  });
  return found == trials.end() ? nullptr : &*found;
}

bool AbslParseFlag(absl::string_view text, StartTrials* trials, std::string* error) {
  trials->trials.clear();
  for (absl::string_view item : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    StartTrial& trial = trials->trials.emplace_back();
    if (ParseStartTrial(item, trial)) continue;
    *error = absl::StrCat("\"", item,
                          "\" is not NAME:fail, NAME:throw, NAME:hang or NAME:take=2s, "
                          "nor one of these with @GENERATION, which is 1 or more");
    return false;
  }
  return true;
}

std::string AbslUnparseFlag(const StartTrials& trials) {
  return absl::StrJoin(trials.trials, ",", [](std::string* out, const StartTrial& each) {
    absl::StrAppend(out, Text(each));
  });
}

bool AbslParseFlag(absl::string_view text, RestartKindFlag* flag, std::string* error) {
  for (const auto& [name, kind] : kRestartKinds) {
    if (text != name) continue;
    flag->kind = kind;
    return true;
  }
  *error = "it is permanent, transient or temporary";
  return false;
}

std::string AbslUnparseFlag(RestartKindFlag flag) {
  for (const auto& [name, kind] : kRestartKinds) {
    if (kind == flag.kind) return name;
  }
  return "";
}

}  // namespace mainspring::testing
