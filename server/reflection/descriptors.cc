#include "mainspring/server/reflection/descriptors.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <deque>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace mainspring {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;

const DescriptorPool& Pool() { return *DescriptorPool::generated_pool(); }

absl::Status Unknown(absl::string_view what, const std::string& name) {
  return absl::NotFoundError(
      absl::StrCat("no ", what, " \"", absl::CHexEscape(name.substr(0, 200)), "\""));
}

}  // namespace

absl::StatusOr<std::vector<std::string>> DescriptorWalk::FileNamed(const std::string& name) {
  const FileDescriptor* file = Pool().FindFileByName(name);
  if (file == nullptr || !served_->Has(*file)) return Unknown("file", name);
  return FilesFrom(*file);
}

absl::StatusOr<std::vector<std::string>> DescriptorWalk::FileOfSymbol(const std::string& symbol) {
  const FileDescriptor* file = Pool().FindFileContainingSymbol(symbol);
  if (file == nullptr || !served_->Has(*file)) return Unknown("symbol", symbol);
  return FilesFrom(*file);
}

absl::StatusOr<std::vector<std::string>> DescriptorWalk::FileOfExtension(const std::string& type,
                                                                         int number) {
  const Descriptor* message = Pool().FindMessageTypeByName(type);
  if (message == nullptr || !served_->Has(*message->file())) return Unknown("message", type);
  const FieldDescriptor* extension = Pool().FindExtensionByNumber(message, number);
  if (extension == nullptr || !served_->Has(*extension->file())) {
    return absl::NotFoundError(absl::StrCat("message ", type, " has no extension ", number));
  }
  return FilesFrom(*extension->file());
}

absl::StatusOr<std::vector<int>> DescriptorWalk::ExtensionNumbers(const std::string& type) const {
  const Descriptor* message = Pool().FindMessageTypeByName(type);
  if (message == nullptr || !served_->Has(*message->file())) return Unknown("message", type);
  std::vector<const FieldDescriptor*> extensions;
  Pool().FindAllExtensions(message, &extensions);
  std::vector<int> numbers;
  numbers.reserve(extensions.size());
  for (const FieldDescriptor* extension : extensions) {
    if (served_->Has(*extension->file())) numbers.push_back(extension->number());
  }
  return numbers;
}

std::vector<std::string> DescriptorWalk::FilesFrom(const FileDescriptor& file) {
  std::vector<std::string> serialised;
  std::deque<const FileDescriptor*> waiting = {&file};
  sent_.insert(&file);
  while (!waiting.empty()) {
    const FileDescriptor& next = *waiting.front();
    waiting.pop_front();
    google::protobuf::FileDescriptorProto proto;
    next.CopyTo(&proto);
    // Without them clients print fields by their proto names.
    next.CopyJsonNameTo(&proto);
    serialised.push_back(proto.SerializeAsString());
    for (int i = 0; i < next.dependency_count(); ++i) {
      if (sent_.insert(next.dependency(i)).second) waiting.push_back(next.dependency(i));
    }
  }
  return serialised;
}

}  // namespace mainspring
