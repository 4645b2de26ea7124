#include "protos/plugin/cpp_names.h"

#include <google/protobuf/compiler/cpp/names.h>

#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "protos/plugin/reserved_names.h"

namespace mainspring::plugin {
namespace {

namespace cpp = google::protobuf::compiler::cpp;
using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

using Names = std::set<std::string>;

// Takes the name, or what the rule makes of it.
std::string Take(std::string name, Names* taken) {
  while (!taken->insert(name).second) name += '_';
  return name;
}

void AddMessage(const Descriptor& message, Names* names) {
  names->insert(cpp::ClassName(&message));
  for (int i = 0; i < message.nested_type_count(); ++i) AddMessage(*message.nested_type(i), names);
  for (int i = 0; i < message.enum_type_count(); ++i) {
    names->insert(cpp::ClassName(message.enum_type(i)));
  }
}

void AddEnum(const EnumDescriptor& type, Names* names) {
  names->insert(cpp::ClassName(&type));
  for (int i = 0; i < type.value_count(); ++i) names->insert(std::string(type.value(i)->name()));
}

// What protoc and gRPC declare for the file in the namespace of its package.
void AddDeclared(const FileDescriptor& file, Names* names) {
  for (int i = 0; i < file.message_type_count(); ++i) AddMessage(*file.message_type(i), names);
  for (int i = 0; i < file.enum_type_count(); ++i) AddEnum(*file.enum_type(i), names);
  for (int i = 0; i < file.service_count(); ++i) {
    names->insert(std::string(file.service(i)->name()));
  }
}

void AddImports(const FileDescriptor& file, std::set<const FileDescriptor*>* found) {
  for (int i = 0; i < file.dependency_count(); ++i) {
    if (found->insert(file.dependency(i)).second) AddImports(*file.dependency(i), found);
  }
}

ServiceNames TakeServiceNames(const ServiceDescriptor& service, Names* taken) {
  const std::string name(service.name());
  return {.calls = Take(name + "Call", taken),
          .methods = Take(name + "Methods", taken),
          .request_enum = Take(name + "Request", taken),
          .component = Take(name + "Component", taken),
          .ref = Take(name + "Ref", taken),
          .ref_member = "",
          .dispatch = Take(name + "Dispatch", taken),
          .type = Take(name + "Type", taken),
          .bind = Take("Bind" + name, taken),
          .rpcs = {}};
}

std::string ChosenName(const MethodDescriptor& rpc, const Options& options) {
  for (const std::string& service : {rpc.service()->name(), rpc.service()->full_name()}) {
    const auto found = options.renames.find(service + "." + std::string(rpc.name()));
    if (found != options.renames.end()) return found->second;
  }
  return std::string(rpc.name());
}

void TakeRpcNames(const ServiceDescriptor& service, const Options& options, ServiceNames* names) {
  names->rpcs.resize(static_cast<size_t>(service.method_count()));
  Names functions;
  // Those that can keep their names come first: another's underscore must not push them aside.
  for (const bool keeps : {true, false}) {
    for (int i = 0; i < service.method_count(); ++i) {
      std::string name = ChosenName(*service.method(i), options);
      if (TakenBy(name, *names).empty() != keeps) continue;
      while (!TakenBy(name, *names).empty()) name += '_';
      names->rpcs[static_cast<size_t>(i)].function = Take(std::move(name), &functions);
    }
  }
  names->ref_member = Take("ref_", &functions);
}

// What authors of components override, call and name. Whatever else the classes have is out of
// reach: messages are named with their namespaces, and refs derive from nothing.
std::string_view OwnerOfMember(std::string_view name) {
  for (std::string_view member :
       {"Component", "DependencyChanged", "Draining", "Start", "Stop", "context"}) {
    if (name == member) return "::mainspring::Component";
  }
  for (std::string_view member : {"AnyHandler", "Handle", "Handler"}) {
    if (name == member) return "::mainspring::Handler";
  }
  for (std::string_view member : {"Ref", "Request", "RequestEnum", "component", "kMethod",
                                  "kService", "replies", "reply", "request", "requests"}) {
    if (name == member) return "the generated classes";
  }
  return "";
}

// Those of files that were looked at before: each is imported by many.
using FilesNames = std::map<const FileDescriptor*, Names>;

std::vector<ServiceNames> NamesOf(const FileDescriptor& file, const Options& options,
                                  FilesNames* known);

// What is generated for the file in the namespace of its package.
const Names& GeneratedFor(const FileDescriptor& file, FilesNames* known) {
  const auto found = known->find(&file);
  if (found != known->end()) return found->second;
  Names names;
  for (const ServiceNames& service : NamesOf(file, {}, known)) {
    for (const std::string& generated : service.in_namespace()) names.insert(generated);
  }
  return known->emplace(&file, std::move(names)).first->second;
}

std::vector<ServiceNames> NamesOf(const FileDescriptor& file, const Options& options,
                                  FilesNames* known) {
  std::set<const FileDescriptor*> imports;
  AddImports(file, &imports);
  Names taken;
  AddDeclared(file, &taken);
  for (const FileDescriptor* import : imports) {
    if (import->package() != file.package()) continue;
    AddDeclared(*import, &taken);
    if (import->service_count() == 0) continue;
    for (const std::string& generated : GeneratedFor(*import, known)) taken.insert(generated);
  }
  std::vector<ServiceNames> services;
  for (int i = 0; i < file.service_count(); ++i) {
    services.push_back(TakeServiceNames(*file.service(i), &taken));
    TakeRpcNames(*file.service(i), options, &services.back());
  }
  return services;
}

}  // namespace

std::string TakenBy(const std::string& function, const ServiceNames& service) {
  if (IsKeyword(function)) return "a keyword of C++";
  if (IsMacro(function)) return "a macro of C's library";
  if (const std::string_view owner = OwnerOfMember(function); !owner.empty()) {
    return "a member of " + std::string(owner);
  }
  for (const std::string& generated : service.in_namespace()) {
    if (function == generated) return "generated for the service";
  }
  return "";
}

std::vector<std::string> ServiceNames::in_namespace() const {
  return {calls, methods, request_enum, component, ref, dispatch, type, bind};
}

std::vector<ServiceNames> NamesOf(const FileDescriptor& file, const Options& options) {
  FilesNames known;
  return NamesOf(file, options, &known);
}

}  // namespace mainspring::plugin
