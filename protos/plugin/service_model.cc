#include "protos/plugin/service_model.h"

#include <google/protobuf/compiler/cpp/names.h>

#include <string_view>

namespace mainspring::plugin {
namespace {

namespace cpp = google::protobuf::compiler::cpp;
using google::protobuf::FileDescriptor;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;
using google::protobuf::SourceLocation;

// <cctype> follows the locale; names in protos and paths in guards do not.
bool IsLower(char c) { return 'a' <= c && c <= 'z'; }
bool IsAlphanumeric(char c) {
  return IsLower(c) || ('A' <= c && c <= 'Z') || ('0' <= c && c <= '9');
}
char ToUpper(char c) { return IsLower(c) ? static_cast<char>(c - 'a' + 'A') : c; }

std::string Guard(const std::string& path) {
  std::string guard = "MAINSPRING_GENERATED_";
  for (char c : path) guard += IsAlphanumeric(c) ? ToUpper(c) : '_';
  return guard;
}

std::string CppNamespace(const std::string& package) {
  std::string result;
  for (char c : package) result += c == '.' ? std::string("::") : std::string(1, c);
  return result;
}

// One line of a proto's comment as a line of C++ that ends where it ends: compilers continue a
// comment after a backslash, or the trigraph for one, even when spaces follow it.
std::string CommentLine(std::string_view text) {
  std::string line;
  for (char c : text) line += 0 <= c && c < ' ' ? ' ' : c;
  line.erase(line.find_last_not_of(' ') + 1);
  if (line.empty()) return "//";
  if (line.back() == '\\' || line.ends_with("?"
                                            "?/"))
    line += " //";
  return (line.front() == ' ' ? "//" : "// ") + line;
}

std::vector<std::string> CommentLines(std::string_view text) {
  // What "/**" leaves behind.
  if (text.starts_with('*')) text.remove_prefix(1);
  std::vector<std::string> lines;
  while (!text.empty()) {
    // clang ends a line at a lone carriage return.
    const size_t end = text.find_first_of("\r\n");
    const std::string line = CommentLine(text.substr(0, end));
    if (!lines.empty() || line != "//") lines.push_back(line);
    const size_t length = text.substr(0, end).size();
    const bool is_crlf = text.substr(length).starts_with("\r\n");
    text.remove_prefix(end == text.npos ? length : length + (is_crlf ? 2 : 1));
  }
  while (!lines.empty() && lines.back() == "//") lines.pop_back();
  return lines;
}

template <class Described>
std::vector<std::string> Comment(const Described& described) {
  SourceLocation location;
  if (!described.GetSourceLocation(&location)) return {};
  return CommentLines(location.leading_comments);
}

Rpc Describe(const MethodDescriptor& rpc) {
  const std::string service(rpc.service()->full_name());
  const std::string name(rpc.name());
  return {.name = name,
          .constant = ConstantName(rpc),
          .call = CallName(rpc),
          .path = "/" + service + "/" + name,
          .request = cpp::QualifiedClassName(rpc.input_type()),
          .response = cpp::QualifiedClassName(rpc.output_type()),
          .client_streaming = rpc.client_streaming(),
          .server_streaming = rpc.server_streaming(),
          .comment = Comment(rpc)};
}

std::string RefMember(const ServiceDescriptor& service) {
  std::string member = "ref_";
  while (service.FindMethodByName(member) != nullptr) member += '_';
  return member;
}

Service Describe(const ServiceDescriptor& service) {
  Service result{.name = std::string(service.name()),
                 .full_name = std::string(service.full_name()),
                 .request_enum = RequestEnumName(service),
                 .ref = RefMember(service),
                 .rpcs = {},
                 .comment = Comment(service)};
  for (int i = 0; i < service.method_count(); ++i) {
    result.rpcs.push_back(Describe(*service.method(i)));
  }
  return result;
}

}  // namespace

File Describe(const FileDescriptor& file) {
  const std::string stem(cpp::StripProto(std::string(file.name())));
  File result{.path = std::string(file.name()),
              .stem = stem,
              .guard = Guard(stem),
              .cpp_namespace = CppNamespace(std::string(file.package())),
              .services = {}};
  for (int i = 0; i < file.service_count(); ++i) {
    result.services.push_back(Describe(*file.service(i)));
  }
  return result;
}

std::string ConstantName(const MethodDescriptor& rpc) {
  std::string constant = "k";
  bool begins_word = true;
  for (char c : std::string(rpc.name())) {
    if (c != '_') constant += begins_word ? ToUpper(c) : c;
    begins_word = c == '_';
  }
  return constant;
}

std::string CallName(const MethodDescriptor& rpc) { return std::string(rpc.name()) + "Call"; }

std::string RequestEnumName(const ServiceDescriptor& service) {
  const std::string name = std::string(service.name()) + "Request";
  for (const FileDescriptor* file : WithImports(*service.file())) {
    if (file->package() != service.file()->package()) continue;
    if (file->FindMessageTypeByName(name) != nullptr || file->FindEnumTypeByName(name) != nullptr ||
        file->FindEnumValueByName(name) != nullptr || file->FindServiceByName(name) != nullptr) {
      return name + "Enum";
    }
  }
  return name;
}

std::set<const FileDescriptor*> WithImports(const FileDescriptor& file) {
  std::set<const FileDescriptor*> found;
  std::vector<const FileDescriptor*> next = {&file};
  while (!next.empty()) {
    const FileDescriptor* const each = next.back();
    next.pop_back();
    if (!found.insert(each).second) continue;
    for (int i = 0; i < each->dependency_count(); ++i) next.push_back(each->dependency(i));
  }
  return found;
}

std::vector<std::string> GeneratedNames(const ServiceDescriptor& service) {
  const std::string name(service.name());
  return {name + "Method",    name + "Methods", RequestEnumName(service),
          name + "Component", name + "Ref",     name + "Dispatch",
          name + "Type",      "Bind" + name};
}

}  // namespace mainspring::plugin
