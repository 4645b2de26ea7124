// ReadFileTree: a directory with all that is in it, as a value: to be compared.
#ifndef MAINSPRING_FILE_TREE_H_
#define MAINSPRING_FILE_TREE_H_

#include <sys/types.h>

#include <map>
#include <string>

#include "absl/status/statusor.h"

namespace mainspring {

struct FileEntry {
  enum class Kind { kFile, kDirectory, kLink };
  Kind kind;
  mode_t permissions;   // 0644; of a link, 0
  std::string content;  // of a link, where it leads to; of a directory, nothing
  bool operator==(const FileEntry&) const = default;
};

// By their paths, which begin below the directory: "maps/aliases".
using FileTree = std::map<std::string, FileEntry>;

// All of it together; more is not read into memory.
inline constexpr size_t kLargestFileTree = size_t{64} << 20;

// Of one that is not there, nothing. Follows no link in it. Blocks for the disk; any thread.
// RESOURCE_EXHAUSTED: it is larger than that. FAILED_PRECONDITION: a part of it cannot be read, or
// is a device, pipe or socket. The text has the path.
absl::StatusOr<FileTree> ReadFileTree(const std::string& directory);

}  // namespace mainspring

#endif  // MAINSPRING_FILE_TREE_H_
