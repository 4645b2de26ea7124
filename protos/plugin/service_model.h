#ifndef MAINSPRING_PROTOS_PLUGIN_SERVICE_MODEL_H_
#define MAINSPRING_PROTOS_PLUGIN_SERVICE_MODEL_H_

#include <google/protobuf/descriptor.h>

#include <set>
#include <string>
#include <vector>

namespace mainspring::plugin {

// What the emitters know of a proto: names and C++ types as they stand in the output. The model
// says nothing about whether the output would compile; refusal.h does.

struct Rpc {
  std::string name;      // GetTime
  std::string constant;  // kGetTime, its value in the enum of methods
  std::string call;      // GetTimeCall, its alternative in the request enum
  std::string path;      // /mainspring.clock.v1.Clock/GetTime
  std::string request;   // ::mainspring::clock::v1::GetTimeRequest, which no scope can hide
  std::string response;
  bool client_streaming = false;
  bool server_streaming = false;
  std::vector<std::string> comment;  // lines that begin with "//"
};

struct Service {
  std::string name;          // Clock
  std::string full_name;     // mainspring.clock.v1.Clock
  std::string request_enum;  // ClockRequest
  std::string ref;           // the ref's one data member, which no rpc is called like
  std::vector<Rpc> rpcs;
  std::vector<std::string> comment;
};

struct File {
  std::string path;           // mainspring/clock/v1/clock.proto
  std::string stem;           // mainspring/clock/v1/clock
  std::string guard;          // MAINSPRING_GENERATED_MAINSPRING_CLOCK_V1_CLOCK, to be completed
  std::string cpp_namespace;  // mainspring::clock::v1
  std::vector<Service> services;
};

File Describe(const google::protobuf::FileDescriptor& file);

// GetTime, getTime and get_time are all kGetTime.
std::string ConstantName(const google::protobuf::MethodDescriptor& rpc);

// GetTimeCall.
std::string CallName(const google::protobuf::MethodDescriptor& rpc);

// ClockRequest; ClockRequestEnum where its file, or one that this imports, has something of the
// first name in the same package: a message, an enum or one of its values, a service.
std::string RequestEnumName(const google::protobuf::ServiceDescriptor& service);

// The file, and what it imports, directly or not.
std::set<const google::protobuf::FileDescriptor*> WithImports(
    const google::protobuf::FileDescriptor& file);

// The names at namespace scope that a service stands for, those of its rpcs aside.
std::vector<std::string> GeneratedNames(const google::protobuf::ServiceDescriptor& service);

}  // namespace mainspring::plugin

#endif  // MAINSPRING_PROTOS_PLUGIN_SERVICE_MODEL_H_
