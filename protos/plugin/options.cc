#include "protos/plugin/options.h"

#include <google/protobuf/compiler/code_generator.h>

#include <utility>
#include <vector>

namespace mainspring::plugin {
namespace {

// What is wrong with rename's value, or nothing.
std::string AddRename(const std::string& value, Options* options) {
  const size_t colon = value.find(':');
  const std::string rpc = value.substr(0, colon);
  if (colon == value.npos || colon + 1 == value.size() || rpc.find('.') == rpc.npos) {
    return "is \"" + value +
           "\". Write the service, the rpc and its name in C++, such as "
           "\"rename=Jobs.Start:StartJob\".";
  }
  if (!options->renames.emplace(rpc, value.substr(colon + 1)).second) {
    return "renames \"" + rpc + "\" for a second time. Leave one of the two.";
  }
  return "";
}

}  // namespace

std::string ParseOptions(const std::string& parameter, Options* options) {
  std::vector<std::pair<std::string, std::string>> settings;
  google::protobuf::compiler::ParseGeneratorParameter(parameter, &settings);
  std::string errors;
  for (const auto& [name, value] : settings) {
    const std::string error =
        name == "rename"
            ? AddRename(value, options)
            : "not known to protoc-gen-mainspring. The one option is rename=SERVICE.RPC:NAME.";
    if (!error.empty()) errors += "option \"" + name + "\": " + error + "\n";
  }
  return errors;
}

}  // namespace mainspring::plugin
