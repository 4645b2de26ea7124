#ifndef MAINSPRING_PROTOS_PLUGIN_CPP_NAMES_H_
#define MAINSPRING_PROTOS_PLUGIN_CPP_NAMES_H_

#include <google/protobuf/descriptor.h>

#include <map>
#include <string>
#include <vector>

#include "protos/plugin/options.h"

namespace mainspring::plugin {

// What services and rpcs are called in C++. Published protos were not written with C++ or
// Mainspring in mind, so one rule holds for every name: where it is taken, an underscore is added.
// The wire keeps the proto's names.

struct RpcNames {
  std::string function;  // GetTime: the method, the ref's method, and the struct of its calls
};

struct ServiceNames {
  std::string calls;         // ClockCall
  std::string methods;       // ClockMethods
  std::string request_enum;  // ClockRequest
  std::string component;     // ClockComponent
  std::string ref;           // ClockRef
  std::string ref_member;    // the ref's one data member
  std::string dispatch;      // ClockDispatch
  std::string type;          // ClockType
  std::string bind;          // BindClock
  std::vector<RpcNames> rpcs;

  // Those that stand in the namespace of the package.
  std::vector<std::string> in_namespace() const;
};

// Of each service of the file, in order. Taken at namespace scope is what the file, and what it
// imports, declares or has generated in the same package. `options` renames rpcs; see Renames.
std::vector<ServiceNames> NamesOf(const google::protobuf::FileDescriptor& file,
                                  const Options& options);

// Why no rpc of the service can be called so in C++, whatever else is in the proto: "a keyword of
// C++", or "" where it can.
std::string TakenBy(const std::string& function, const ServiceNames& service);

}  // namespace mainspring::plugin

#endif  // MAINSPRING_PROTOS_PLUGIN_CPP_NAMES_H_
