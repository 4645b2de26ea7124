#include "mainspring/server/config/flags.h"

#include <map>

#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace mainspring {
namespace {

std::string WithDashes(absl::string_view name) { return absl::StrReplaceAll(name, {{"_", "-"}}); }

// abseil defines a few flags for its own parser.
bool IsOurs(const absl::CommandLineFlag& flag) {
  return !absl::StrContains(flag.Filename(), "absl/flags/");
}

absl::CommandLineFlag* Find(absl::string_view name) {
  absl::CommandLineFlag* flag = absl::FindCommandLineFlag(absl::StrReplaceAll(name, {{"-", "_"}}));
  return flag != nullptr && IsOurs(*flag) ? flag : nullptr;
}

absl::Status Set(absl::CommandLineFlag& flag, absl::string_view value) {
  std::string error;
  if (flag.ParseFrom(value, &error)) return absl::OkStatus();
  // abseil says first what is said here already.
  absl::string_view why = error;
  absl::ConsumePrefix(
      &why, absl::StrCat("Illegal value '", value, "' specified for flag '", flag.Name(), "'"));
  absl::ConsumePrefix(&why, "; ");
  return absl::InvalidArgumentError(absl::StrCat("flag --", WithDashes(flag.Name()), ": \"",
                                                 absl::CHexEscape(value), "\" is not a valid value",
                                                 why.empty() ? "" : ": ", why));
}

}  // namespace

absl::StatusOr<std::set<std::string>> ParseFlags(int argc, char** argv) {
  std::set<std::string> given;
  for (int i = 1; i < argc; ++i) {
    absl::string_view argument = argv[i];
    if (!absl::ConsumePrefix(&argument, "--") || argument.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("argument \"", absl::CHexEscape(argv[i]), "\": not a flag; see --help"));
    }
    const size_t equals = argument.find('=');
    const absl::string_view name = argument.substr(0, equals);
    absl::CommandLineFlag* flag = Find(name);
    if (flag == nullptr && absl::StartsWith(name, "no") && equals == absl::string_view::npos) {
      flag = Find(name.substr(2));
      if (flag != nullptr && flag->IsOfType<bool>()) {
        if (absl::Status set = Set(*flag, "false"); !set.ok()) return set;
        given.emplace(flag->Name());
        continue;
      }
      flag = nullptr;
    }
    if (flag == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("flag --", absl::CHexEscape(name), ": not known; see --help"));
    }
    absl::Status set;
    if (equals != absl::string_view::npos) {
      set = Set(*flag, argument.substr(equals + 1));
    } else if (flag->IsOfType<bool>()) {
      set = Set(*flag, "true");
    } else if (i + 1 < argc) {
      set = Set(*flag, argv[++i]);
    } else {
      set = absl::InvalidArgumentError(
          absl::StrCat("flag --", WithDashes(name), ": its value is missing"));
    }
    if (!set.ok()) return set;
    given.emplace(flag->Name());
  }
  return given;
}

std::string FlagsHelp() {
  std::map<std::string, absl::CommandLineFlag*> flags;
  for (const auto& [name, flag] : absl::GetAllFlags()) {
    if (IsOurs(*flag)) flags.emplace(WithDashes(name), flag);
  }
  std::string help;
  for (const auto& [name, flag] : flags) {
    absl::StrAppend(&help, "  --", name, "\n      ", flag->Help());
    if (!flag->IsOfType<bool>()) absl::StrAppend(&help, " Default: ", flag->DefaultValue(), ".");
    absl::StrAppend(&help, "\n");
  }
  return help;
}

}  // namespace mainspring
