#include "mainspring/server/reflection/served_files.h"

#include <google/protobuf/descriptor.h>

namespace mainspring {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;

constexpr char kWellKnownPackage[] = "google.protobuf";

}  // namespace

ServedFiles::ServedFiles(const std::vector<std::string>& services,
                         const std::vector<std::string>& messages) {
  for (const auto* names : {&services, &messages}) {
    for (const std::string& name : *names) {
      const FileDescriptor* file = DescriptorPool::generated_pool()->FindFileContainingSymbol(name);
      if (file != nullptr) Add(*file);
    }
  }
}

bool ServedFiles::Has(const FileDescriptor& file) const {
  return file.package() == kWellKnownPackage || files_.count(&file) != 0;
}

// Imports do not go in circles, and a file that is there is not gone into again.
void ServedFiles::Add(const FileDescriptor& file) {
  if (!files_.insert(&file).second) return;
  for (int i = 0; i < file.dependency_count(); ++i) Add(*file.dependency(i));
  if (file.package() == kWellKnownPackage) return;
  for (int i = 0; i < file.message_type_count(); ++i) AddExtensionsOf(*file.message_type(i));
}

void ServedFiles::AddExtensionsOf(const Descriptor& message) {
  for (int i = 0; i < message.nested_type_count(); ++i) AddExtensionsOf(*message.nested_type(i));
  if (message.extension_range_count() == 0) return;
  std::vector<const FieldDescriptor*> extensions;
  DescriptorPool::generated_pool()->FindAllExtensions(&message, &extensions);
  for (const FieldDescriptor* extension : extensions) Add(*extension->file());
}

}  // namespace mainspring
