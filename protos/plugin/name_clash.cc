#include "protos/plugin/name_clash.h"

#include <google/protobuf/compiler/cpp/names.h>

#include <map>
#include <set>
#include <string>

#include "protos/plugin/service_model.h"

namespace mainspring::plugin {
namespace {

namespace cpp = google::protobuf::compiler::cpp;
using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::ServiceDescriptor;

// A name in the package's C++ namespace, and in words what it is: "message Clock at clock.proto:7".
using NamesInUse = std::map<std::string, std::string>;

void AddMessage(const Descriptor& message, NamesInUse* names) {
  names->emplace(cpp::ClassName(&message),
                 "is message " + std::string(message.full_name()) + " at " + Place(message));
  for (int i = 0; i < message.nested_type_count(); ++i) AddMessage(*message.nested_type(i), names);
  for (int i = 0; i < message.enum_type_count(); ++i) {
    const EnumDescriptor& nested = *message.enum_type(i);
    names->emplace(cpp::ClassName(&nested),
                   "is enum " + std::string(nested.full_name()) + " at " + Place(nested));
  }
}

void AddEnum(const EnumDescriptor& type, NamesInUse* names) {
  names->emplace(cpp::ClassName(&type),
                 "is enum " + std::string(type.full_name()) + " at " + Place(type));
  for (int i = 0; i < type.value_count(); ++i) {
    names->emplace(std::string(type.value(i)->name()),
                   "is a value of enum " + std::string(type.full_name()) + " at " + Place(type));
  }
}

void AddDeclared(const FileDescriptor& file, NamesInUse* names) {
  for (int i = 0; i < file.message_type_count(); ++i) AddMessage(*file.message_type(i), names);
  for (int i = 0; i < file.enum_type_count(); ++i) AddEnum(*file.enum_type(i), names);
  for (int i = 0; i < file.service_count(); ++i) {
    const ServiceDescriptor& service = *file.service(i);
    names->emplace(std::string(service.name()),
                   "is service " + std::string(service.full_name()) + " at " + Place(service));
  }
}

// Adds one generated name, or refuses `owner` for it.
template <class Owner>
void AddGenerated(const Owner& owner, const std::string& title, const std::string& name,
                  NamesInUse* names, std::vector<Refusal>* refusals) {
  const auto [other, is_new] =
      names->emplace(name, "is generated for " + title + " at " + Place(owner) + " too");
  if (is_new) return;
  refusals->push_back(
      RefusalOf(owner, title + ": the generated name " + name +
                           " is taken: in the same C++ namespace, " + name + " " + other->second +
                           ". Rename one of the two, or put them into different packages."));
}

void AddGenerated(const FileDescriptor& file, NamesInUse* names, std::vector<Refusal>* refusals) {
  for (int i = 0; i < file.service_count(); ++i) {
    const ServiceDescriptor& service = *file.service(i);
    const std::string service_name(service.name());
    for (const std::string& name : GeneratedNames(service)) {
      AddGenerated(service, "service " + service_name, name, names, refusals);
    }
    for (int j = 0; j < service.method_count(); ++j) {
      const auto& rpc = *service.method(j);
      AddGenerated(rpc, Title(rpc), CallName(rpc), names, refusals);
    }
  }
}

}  // namespace

std::vector<Refusal> NameClashes(const FileDescriptor& file) {
  std::set<const FileDescriptor*> imports = WithImports(file);
  imports.erase(&file);
  NamesInUse names;
  AddDeclared(file, &names);
  for (const FileDescriptor* import : imports) {
    if (import->package() == file.package()) AddDeclared(*import, &names);
  }
  // What the imports refuse among themselves is theirs to report, when code is generated for them.
  std::vector<Refusal> of_imports;
  for (const FileDescriptor* import : imports) {
    if (import->package() == file.package()) AddGenerated(*import, &names, &of_imports);
  }
  std::vector<Refusal> refusals;
  AddGenerated(file, &names, &refusals);
  return refusals;
}

}  // namespace mainspring::plugin
