#ifndef MAINSPRING_PROTOS_PLUGIN_OPTIONS_H_
#define MAINSPRING_PROTOS_PLUGIN_OPTIONS_H_

#include <map>
#include <string>

namespace mainspring::plugin {

// What --mainspring_opt=OPTIONS is given, separated by commas.
struct Options {
  // rename=SERVICE.RPC:NAME: what the rpc is called in C++, by "Service.Rpc", the service with its
  // package or without.
  std::map<std::string, std::string> renames;
};

// Reads `parameter`, which may be empty. Returns what is wrong with it, one paragraph for each
// option that is unknown or has a wrong value, or nothing; `options` is complete only in the latter
// case.
std::string ParseOptions(const std::string& parameter, Options* options);

}  // namespace mainspring::plugin

#endif  // MAINSPRING_PROTOS_PLUGIN_OPTIONS_H_
