#ifndef MAINSPRING_PROTOS_PLUGIN_SERVICE_MODEL_H_
#define MAINSPRING_PROTOS_PLUGIN_SERVICE_MODEL_H_

#include <google/protobuf/descriptor.h>

#include <string>
#include <vector>

#include "protos/plugin/cpp_names.h"
#include "protos/plugin/options.h"

namespace mainspring::plugin {

// What the emitters know of a proto: names and C++ types as they stand in the output. The model
// says nothing about whether the output would compile; refusal.h does.

struct Rpc {
  RpcNames names;
  std::string path;     // /mainspring.clock.v1.Clock/GetTime
  std::string request;  // ::mainspring::clock::v1::GetTimeRequest, which no scope can hide
  std::string response;
  bool client_streaming = false;
  bool server_streaming = false;
  std::vector<std::string> comment;  // lines that begin with "//"
};

struct Service {
  std::string full_name;  // mainspring.clock.v1.Clock
  ServiceNames names;
  std::vector<Rpc> rpcs;
  std::vector<std::string> comment;
};

struct File {
  std::string path;              // mainspring/clock/v1/clock.proto
  std::string stem;              // mainspring/clock/v1/clock
  std::string guard;             // MAINSPRING_GENERATED_mainspring_2fclock_..., to be completed
  std::string cpp_namespace;     // mainspring::clock::v1
  std::string descriptor_table;  // protoc's variable that holds the file's descriptors
  std::vector<Service> services;
};

// Services without rpcs are left out: there is nothing that they could be asked.
File Describe(const google::protobuf::FileDescriptor& file, const Options& options);

}  // namespace mainspring::plugin

#endif  // MAINSPRING_PROTOS_PLUGIN_SERVICE_MODEL_H_
