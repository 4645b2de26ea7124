#include "protos/plugin/refusal.h"

#include <google/protobuf/descriptor.pb.h>

#include <algorithm>
#include <string_view>
#include <tuple>

#include "protos/plugin/cpp_names.h"
#include "protos/plugin/reserved_names.h"

namespace mainspring::plugin {
namespace {

using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorProto;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

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

bool IsIdentifier(std::string_view name) {
  const auto is_letter = [](char c) {
    return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || c == '_';
  };
  return is_letter(name.front()) && std::all_of(name.begin(), name.end(), [&](char c) {
           return is_letter(c) || ('0' <= c && c <= '9');
         });
}

const MethodDescriptor* FindRpc(const FileDescriptor& file, const std::string& rename) {
  const size_t dot = rename.rfind('.');
  for (int i = 0; i < file.service_count(); ++i) {
    const ServiceDescriptor& service = *file.service(i);
    const std::string name = rename.substr(0, dot);
    if (service.name() != name && service.full_name() != name) continue;
    if (const MethodDescriptor* rpc = service.FindMethodByName(rename.substr(dot + 1))) return rpc;
  }
  return nullptr;
}

// Why the rpc cannot be called `name`, or nothing.
std::string WhyNot(const MethodDescriptor& rpc, const std::string& name,
                   const std::vector<ServiceNames>& services) {
  if (!IsIdentifier(name)) return "no name in C++";
  const ServiceDescriptor& service = *rpc.service();
  if (std::string owner = TakenBy(name, services[static_cast<size_t>(service.index())]);
      !owner.empty()) {
    return owner;
  }
  const MethodDescriptor* other = service.FindMethodByName(name);
  return other == nullptr || other == &rpc ? "" : "another rpc, at " + Place(*other);
}

void CheckRenames(const FileDescriptor& file, const Options& options,
                  std::vector<Refusal>* refusals) {
  const std::vector<ServiceNames> services = NamesOf(file, options);
  for (const auto& [renamed, name] : options.renames) {
    const MethodDescriptor* const rpc = FindRpc(file, renamed);
    // Another proto of the run may have it; whether any has is seen in Generator.
    if (rpc == nullptr) continue;
    const std::string reason = WhyNot(*rpc, name, services);
    if (reason.empty()) continue;
    refusals->push_back(RefusalOf(*rpc, Title(*rpc) + ": option \"rename=" + renamed + ":" + name +
                                            "\": " + Quoted(name) + " is " + reason +
                                            ". Choose another name."));
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
  std::vector<Refusal> refusals;
  CheckPackage(file, &refusals);
  CheckRenames(file, options, &refusals);
  std::stable_sort(refusals.begin(), refusals.end(), [](const Refusal& a, const Refusal& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  });
  return refusals;
}

std::string UnknownRenames(const std::vector<const FileDescriptor*>& files,
                           const Options& options) {
  std::string unknown;
  for (const auto& [renamed, name] : options.renames) {
    if (std::any_of(files.begin(), files.end(), [&](const FileDescriptor* file) {
          return FindRpc(*file, renamed) != nullptr;
        })) {
      continue;
    }
    unknown += "option \"rename=" + renamed + ":" + name + "\": there is no rpc " +
               Quoted(renamed) + ". Write it as the proto does, such as \"Jobs.Start\".\n";
  }
  return unknown;
}

}  // namespace mainspring::plugin
