#include "protos/plugin/options.h"

#include <google/protobuf/compiler/code_generator.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace mainspring::plugin {
namespace {

constexpr char kAllowSharedRequests[] = "allow_shared_requests";
constexpr char kEnumSuffix[] = "enum_suffix";
constexpr char kKnownOptions[] =
    "The known options are: allow_shared_requests, enum_suffix=SUFFIX.";

// Whether a name in C++ may end in it. Not <cctype>, which follows the locale.
bool CanEndName(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || ('0' <= c && c <= '9') || c == '_';
  });
}

// Each returns what is wrong with the option's value, or nothing.

std::string SetAllowSharedRequests(const std::string& value, Options* options) {
  if (!value.empty()) {
    return "takes no value, but was given \"" + value + "\". Write its name alone.";
  }
  options->allow_shared_requests = true;
  return "";
}

std::string SetEnumSuffix(const std::string& value, Options* options) {
  if (!CanEndName(value)) {
    return "\"" + value +
           "\" cannot end the name of a request enum. Write letters, digits or underscores, such "
           "as enum_suffix=Enum.";
  }
  options->enum_suffix = value;
  return "";
}

std::string Set(const std::string& name, const std::string& value, Options* options) {
  if (name == kAllowSharedRequests) return SetAllowSharedRequests(value, options);
  if (name == kEnumSuffix) return SetEnumSuffix(value, options);
  return std::string("not known to protoc-gen-mainspring. ") + kKnownOptions;
}

}  // namespace

std::string ParseOptions(const std::string& parameter, Options* options) {
  std::vector<std::pair<std::string, std::string>> settings;
  google::protobuf::compiler::ParseGeneratorParameter(parameter, &settings);
  std::string errors;
  for (const auto& [name, value] : settings) {
    const std::string error = Set(name, value, options);
    if (!error.empty()) errors += "option \"" + name + "\": " + error + "\n";
  }
  return errors;
}

}  // namespace mainspring::plugin
