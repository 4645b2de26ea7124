// ServedFiles: which of the process's proto files the reflection of one plane shows.
#ifndef MAINSPRING_SERVER_REFLECTION_SERVED_FILES_H_
#define MAINSPRING_SERVER_REFLECTION_SERVED_FILES_H_

#include <string>
#include <unordered_set>
#include <vector>

namespace google::protobuf {
class Descriptor;
class FileDescriptor;
}  // namespace google::protobuf

namespace mainspring {

// The files of the services, all that these import, and all that extend a message of these; and the
// well-known types, since a google.protobuf.Any may hold one that nobody imports. Extensions of
// google/protobuf/descriptor.proto are options, and no data: they do not make a file served.
//
// Constant after construction; any thread.
class ServedFiles {
 public:
  // The full names of the services, and of messages that are sent without being imported. One that
  // the process does not know is left out.
  explicit ServedFiles(const std::vector<std::string>& services,
                       const std::vector<std::string>& messages = {});

  bool Has(const google::protobuf::FileDescriptor& file) const;

 private:
  void Add(const google::protobuf::FileDescriptor& file);
  void AddExtensionsOf(const google::protobuf::Descriptor& message);

  std::unordered_set<const google::protobuf::FileDescriptor*> files_;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_REFLECTION_SERVED_FILES_H_
