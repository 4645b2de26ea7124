// DescriptorWalk: the proto files behind a symbol, as reflection sends them.
#ifndef MAINSPRING_SERVER_REFLECTION_DESCRIPTORS_H_
#define MAINSPRING_SERVER_REFLECTION_DESCRIPTORS_H_

#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "mainspring/server/reflection/served_files.h"

namespace google::protobuf {
class FileDescriptor;
}

namespace mainspring {

// For one reflection stream: imports that it has sent are not sent again. Looks in the process's
// own descriptor pool, at files that are served alone. One thread only.
//
// Each method answers serialised FileDescriptorProtos: the file asked for, then what it imports.
// NOT_FOUND: there is no such file or symbol, or it is not served.
class DescriptorWalk {
 public:
  // `served` outlives the walk.
  explicit DescriptorWalk(const ServedFiles& served) : served_(&served) {}

  absl::StatusOr<std::vector<std::string>> FileNamed(const std::string& name);
  absl::StatusOr<std::vector<std::string>> FileOfSymbol(const std::string& symbol);
  absl::StatusOr<std::vector<std::string>> FileOfExtension(const std::string& type, int number);

  // The numbers of all extensions of a message that are defined in files that are served.
  absl::StatusOr<std::vector<int>> ExtensionNumbers(const std::string& type) const;

 private:
  std::vector<std::string> FilesFrom(const google::protobuf::FileDescriptor& file);

  const ServedFiles* served_;
  std::set<const google::protobuf::FileDescriptor*> sent_;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_REFLECTION_DESCRIPTORS_H_
