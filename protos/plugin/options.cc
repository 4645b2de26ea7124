#include "protos/plugin/options.h"

#include <google/protobuf/compiler/code_generator.h>

#include <utility>
#include <vector>

namespace mainspring::plugin {
namespace {

constexpr char kAllowSharedRequests[] = "allow_shared_requests";

// Each returns what is wrong with the option's value, or nothing.

std::string SetAllowSharedRequests(const std::string& value, Options* options) {
  if (!value.empty()) {
    return "takes no value, but was given \"" + value + "\". Write its name alone.";
  }
  options->allow_shared_requests = true;
  return "";
}

std::string Set(const std::string& name, const std::string& value, Options* options) {
  if (name == kAllowSharedRequests) return SetAllowSharedRequests(value, options);
  return "not known to protoc-gen-mainspring. The one option is allow_shared_requests.";
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
