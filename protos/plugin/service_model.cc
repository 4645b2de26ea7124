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
bool IsAlphanumeric(char c) {
  return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || ('0' <= c && c <= '9');
}

// The path as an identifier that no other path has, as protoc makes it: what is not a letter or
// digit is "_" and its code.
std::string IdentifierOf(const std::string& path) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string identifier;
  for (const char c : path) {
    if (IsAlphanumeric(c)) {
      identifier += c;
      continue;
    }
    const auto code = static_cast<unsigned char>(c);
    identifier += '_';
    if (code >= 16) identifier += kHex[code / 16];
    identifier += kHex[code % 16];
  }
  return identifier;
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

Rpc Describe(const MethodDescriptor& rpc, const RpcNames& names) {
  std::vector<std::string> comment = Comment(rpc);
  const std::string name(rpc.name());
  if (names.function != name) comment.insert(comment.begin(), "// The rpc " + name + ".");
  return {.names = names,
          .path = "/" + std::string(rpc.service()->full_name()) + "/" + name,
          .request = cpp::QualifiedClassName(rpc.input_type()),
          .response = cpp::QualifiedClassName(rpc.output_type()),
          .client_streaming = rpc.client_streaming(),
          .server_streaming = rpc.server_streaming(),
          .comment = comment};
}

Service Describe(const ServiceDescriptor& service, const ServiceNames& names) {
  Service result{.full_name = std::string(service.full_name()),
                 .names = names,
                 .rpcs = {},
                 .comment = Comment(service)};
  for (int i = 0; i < service.method_count(); ++i) {
    result.rpcs.push_back(Describe(*service.method(i), names.rpcs[static_cast<size_t>(i)]));
  }
  return result;
}

}  // namespace

File Describe(const FileDescriptor& file, const Options& options) {
  const std::string path(file.name());
  const std::string stem(cpp::StripProto(path));
  File result{.path = path,
              .stem = stem,
              .guard = "MAINSPRING_GENERATED_" + IdentifierOf(path),
              .cpp_namespace = CppNamespace(std::string(file.package())),
              .descriptor_table = "descriptor_table_" + IdentifierOf(path),
              .services = {}};
  const std::vector<ServiceNames> names = NamesOf(file, options);
  for (int i = 0; i < file.service_count(); ++i) {
    if (file.service(i)->method_count() == 0) continue;
    result.services.push_back(Describe(*file.service(i), names[static_cast<size_t>(i)]));
  }
  return result;
}

}  // namespace mainspring::plugin
