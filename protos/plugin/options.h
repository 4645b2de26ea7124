#ifndef MAINSPRING_PROTOS_PLUGIN_OPTIONS_H_
#define MAINSPRING_PROTOS_PLUGIN_OPTIONS_H_

#include <string>

namespace mainspring::plugin {

// What may be written before the colon of --mainspring_out=OPTIONS:DIRECTORY, separated by commas.
struct Options {
  // allow_shared_requests: two rpcs of a service may take the same request message. For published
  // interfaces that are not ours to change, such as grpc.health.v1.
  bool allow_shared_requests = false;
};

// Reads `parameter`, which may be empty. Returns what is wrong with it, one paragraph for each
// option that is unknown or has a wrong value, or nothing; `options` is complete only in the latter
// case.
std::string ParseOptions(const std::string& parameter, Options* options);

}  // namespace mainspring::plugin

#endif  // MAINSPRING_PROTOS_PLUGIN_OPTIONS_H_
