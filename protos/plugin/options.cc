#include "protos/plugin/options.h"

#include <google/protobuf/compiler/code_generator.h>

#include <utility>
#include <vector>

namespace mainspring::plugin {
namespace {

constexpr char kAllowSharedRequests[] = "allow_shared_requests";
constexpr char kKnownOptions[] = "The known options are: allow_shared_requests.";

}  // namespace

std::string ParseOptions(const std::string& parameter, Options* options) {
  std::vector<std::pair<std::string, std::string>> settings;
  google::protobuf::compiler::ParseGeneratorParameter(parameter, &settings);
  std::string errors;
  for (const auto& [name, value] : settings) {
    if (name != kAllowSharedRequests) {
      errors +=
          "option \"" + name + "\": not known to protoc-gen-mainspring. " + kKnownOptions + "\n";
    } else if (!value.empty()) {
      errors += "option \"" + name + "\": takes no value, but was given \"" + value +
                "\". Write its name alone.\n";
    } else {
      options->allow_shared_requests = true;
    }
  }
  return errors;
}

}  // namespace mainspring::plugin
