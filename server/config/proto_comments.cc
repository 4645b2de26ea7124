#include "mainspring/server/config/proto_comments.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/compiler/parser.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace mainspring {
namespace {

using google::protobuf::DescriptorProto;
using google::protobuf::FileDescriptorProto;

struct NoErrors final : google::protobuf::io::ErrorCollector {
  void AddError(int, google::protobuf::io::ColumnNumber, const std::string&) override {}
};

// The field at a path of descriptor.proto's numbers, by its full name; empty: it is no field's.
std::string FieldAt(const FileDescriptorProto& file,
                    const google::protobuf::RepeatedField<int>& path) {
  if (path.size() < 4 || path.size() % 2 != 0) return "";
  if (path[0] != FileDescriptorProto::kMessageTypeFieldNumber) return "";
  const DescriptorProto* message = &file.message_type(path[1]);
  std::string name = absl::StrCat(file.package(), ".", message->name());
  for (int i = 2; i + 2 < path.size(); i += 2) {
    if (path[i] != DescriptorProto::kNestedTypeFieldNumber) return "";
    message = &message->nested_type(path[i + 1]);
    absl::StrAppend(&name, ".", message->name());
  }
  if (path[path.size() - 2] != DescriptorProto::kFieldFieldNumber) return "";
  return absl::StrCat(name, ".", message->field(path[path.size() - 1]).name());
}

}  // namespace

std::map<std::string, std::vector<std::string>> ProtoComments(absl::string_view proto) {
  google::protobuf::io::ArrayInputStream stream(proto.data(), static_cast<int>(proto.size()));
  NoErrors errors;
  google::protobuf::io::Tokenizer tokenizer(&stream, &errors);
  FileDescriptorProto file;
  google::protobuf::compiler::Parser parser;
  parser.Parse(&tokenizer, &file);
  std::map<std::string, std::vector<std::string>> comments;
  for (const auto& location : file.source_code_info().location()) {
    const std::string field = FieldAt(file, location.path());
    if (field.empty() || location.leading_comments().empty()) continue;
    std::vector<std::string>& lines = comments[field];
    for (absl::string_view line :
         absl::StrSplit(absl::StripAsciiWhitespace(location.leading_comments()), '\n')) {
      lines.emplace_back(absl::StripAsciiWhitespace(line));
    }
  }
  return comments;
}

}  // namespace mainspring
