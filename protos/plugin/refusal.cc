#include "protos/plugin/refusal.h"

#include <google/protobuf/descriptor.pb.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <tuple>

#include "protos/plugin/name_clash.h"
#include "protos/plugin/reserved_names.h"
#include "protos/plugin/service_model.h"

namespace mainspring::plugin {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorProto;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

// What an rpc cannot be called, and whose name it is: what the authors of components override, call
// and name. Whatever else the classes have is out of reach: messages are named with their
// namespaces, and refs derive from nothing.
std::string_view OwnerOfMember(std::string_view name) {
  for (std::string_view member :
       {"Component", "DependencyChanged", "Start", "Stop", "context", "context_"}) {
    if (name == member) return "::mainspring::Component";
  }
  for (std::string_view member : {"AnyHandler", "Handle", "Handler"}) {
    if (name == member) return "::mainspring::Handler";
  }
  for (std::string_view member : {"Request", "RequestEnum", "component", "kService"}) {
    if (name == member) return "the generated classes";
  }
  return "";
}

// Why C++ does not take the name, or nothing.
std::string ReservedBy(std::string_view name) {
  if (IsKeyword(name)) return "a keyword of C++";
  if (IsMacro(name)) return "a macro of C's library";
  return "";
}

bool HasUpper(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return 'A' <= c && c <= 'Z'; });
}

std::string Quoted(const std::string& text) { return "\"" + text + "\""; }

Refusal OfPackage(const FileDescriptor& file, std::string text) {
  Refusal refusal{.file = std::string(file.name()), .text = std::move(text)};
  google::protobuf::SourceLocation location;
  if (file.GetSourceLocation({FileDescriptorProto::kPackageFieldNumber}, &location)) {
    refusal.line = location.start_line + 1;
    refusal.column = location.start_column + 1;
  }
  return refusal;
}

void CheckPackage(const FileDescriptor& file, std::vector<Refusal>* refusals) {
  const std::string package(file.package());
  if (package.empty()) {
    refusals->push_back(OfPackage(
        file,
        "no package: the generated names would stand at global scope, where every library can "
        "have the same ones. Declare one, such as \"package company.product.v1;\"."));
    return;
  }
  const std::string title = "package " + package + ": ";
  if (package == "mainspring") {
    refusals->push_back(OfPackage(
        file, title + "its C++ namespace holds Mainspring's own classes, and yours could have the "
                      "same names. Put a package of your own below it or elsewhere, such as "
                      "\"package mainspring.product.v1;\"."));
  }
  if (package.starts_with("mainspring.") && HasUpper(package)) {
    refusals->push_back(OfPackage(
        file, title + "below \"mainspring\", names with upper-case letters are Mainspring's own "
                      "classes. Write it in lower case."));
  }
  for (size_t begin = 0; begin < package.size();) {
    const size_t end = std::min(package.find('.', begin), package.size());
    const std::string part = package.substr(begin, end - begin);
    const std::string reserved_by = ReservedBy(part);
    if (!reserved_by.empty()) {
      refusals->push_back(
          OfPackage(file, title + Quoted(part) + " is " + reserved_by +
                              " and cannot name a namespace. Choose another word for that part."));
    } else if (part == "std" || (begin == 0 && part == "posix")) {
      refusals->push_back(
          OfPackage(file, title + "the namespace " + Quoted(part) +
                              " belongs to the C++ standard. Choose another word for that part."));
    } else if (begin == 0 && IsCLibraryName(part)) {
      refusals->push_back(OfPackage(
          file, title + "C's library owns the name " + Quoted(part) +
                    " at global scope, and a namespace cannot share it. Put a name of your own "
                    "in front, such as \"package company." +
                    package + ";\"."));
    }
    begin = end + 1;
  }
}

void CheckService(const ServiceDescriptor& service, std::vector<Refusal>* refusals) {
  const std::string name(service.name());
  const std::string title = "service " + name + ": ";
  const std::string reserved_by = ReservedBy(name);
  if (!reserved_by.empty()) {
    refusals->push_back(RefusalOf(service, title + Quoted(name) + " is " + reserved_by +
                                               " and cannot name a class. Rename the service."));
  }
  if (service.method_count() == 0) {
    refusals->push_back(RefusalOf(service, title +
                                               "it has no rpcs: a component that answers it could "
                                               "be asked nothing. Give it an rpc, or remove it."));
  }
  for (int i = 0; i < service.method_count(); ++i) {
    const MethodDescriptor& rpc = *service.method(i);
    for (const Descriptor* message : {rpc.input_type(), rpc.output_type()}) {
      if (message->name() != service.name()) continue;
      refusals->push_back(RefusalOf(
          service, title + "rpc " + std::string(rpc.name()) + " uses message " +
                       std::string(message->full_name()) +
                       " of the same name: inside a component class " + name + ", " + name +
                       " means the class, not the message. Rename the service or the message."));
      return;
    }
  }
}

void CheckRpcName(const MethodDescriptor& rpc, std::vector<Refusal>* refusals) {
  const std::string name(rpc.name());
  const std::string title = Title(rpc) + ": ";
  const std::string way_out =
      " Rename the rpc, such as " + name + std::string(rpc.service()->name()) + ".";
  const std::string reserved_by = ReservedBy(name);
  if (!reserved_by.empty()) {
    refusals->push_back(RefusalOf(
        rpc, title + Quoted(name) + " is " + reserved_by + " and cannot name a method." + way_out));
  }
  const std::string owner(OwnerOfMember(name));
  if (!owner.empty()) {
    refusals->push_back(RefusalOf(rpc, title + owner + " has a member " + name +
                                           ", which the method would hide or clash with." +
                                           way_out));
  }
  std::vector<std::string> generated_names = GeneratedNames(*rpc.service());
  for (int i = 0; i < rpc.service()->method_count(); ++i) {
    generated_names.push_back(CallName(*rpc.service()->method(i)));
  }
  for (const std::string& generated : generated_names) {
    if (name != generated) continue;
    refusals->push_back(RefusalOf(rpc, title + "a class or function " + name +
                                           " is generated for the service, and the method would "
                                           "hide it." +
                                           way_out));
  }
}

void CheckConstants(const ServiceDescriptor& service, std::vector<Refusal>* refusals) {
  std::map<std::string, const MethodDescriptor*> first;
  for (int i = 0; i < service.method_count(); ++i) {
    const MethodDescriptor& rpc = *service.method(i);
    const auto [other, is_new] = first.emplace(ConstantName(rpc), &rpc);
    if (is_new) continue;
    refusals->push_back(RefusalOf(rpc, Title(rpc) + ": both it and " + Title(*other->second) +
                                           " at " + Place(*other->second) + " become " +
                                           std::string(service.name()) + "Method::" + other->first +
                                           ". Rename one of the two."));
  }
}

void CheckSharedRequests(const ServiceDescriptor& service, std::vector<Refusal>* refusals) {
  std::map<const Descriptor*, const MethodDescriptor*> first;
  for (int i = 0; i < service.method_count(); ++i) {
    const MethodDescriptor& rpc = *service.method(i);
    const auto [other, is_new] = first.emplace(rpc.input_type(), &rpc);
    if (is_new) continue;
    refusals->push_back(RefusalOf(
        rpc, Title(rpc) + ": request message " + std::string(rpc.input_type()->full_name()) +
                 " is shared with " + Title(*other->second) + " at " + Place(*other->second) +
                 ": neither rpc could change its request without changing the other's. Give each "
                 "rpc a request message of its own, such as " +
                 std::string(rpc.name()) +
                 "Request; where the interface is published and not yours to change, pass the "
                 "option allow_shared_requests to protoc-gen-mainspring."));
  }
}

}  // namespace

std::string Text(const Refusal& refusal) {
  return refusal.file + ":" + std::to_string(refusal.line) + ":" + std::to_string(refusal.column) +
         ": " + refusal.text;
}

std::string Title(const MethodDescriptor& rpc) {
  return "rpc " + std::string(rpc.service()->name()) + "." + std::string(rpc.name());
}

std::vector<Refusal> Refusals(const FileDescriptor& file, const Options& options) {
  if (file.service_count() == 0) return {};
  std::vector<Refusal> refusals = NameClashes(file);
  CheckPackage(file, &refusals);
  for (int i = 0; i < file.service_count(); ++i) {
    const ServiceDescriptor& service = *file.service(i);
    CheckService(service, &refusals);
    CheckConstants(service, &refusals);
    if (!options.allow_shared_requests) CheckSharedRequests(service, &refusals);
    for (int j = 0; j < service.method_count(); ++j) {
      CheckRpcName(*service.method(j), &refusals);
    }
  }
  std::stable_sort(refusals.begin(), refusals.end(), [](const Refusal& a, const Refusal& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  });
  return refusals;
}

}  // namespace mainspring::plugin
