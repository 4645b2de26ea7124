// ConfigDirectory: a directory of files that a component makes out of its section for another
// program to read. It is replaced as a whole: whoever opens it finds all of one set, and the set
// before that is kept beside it, "PATH.previous". What is to come is made in "PATH.next".
#ifndef MAINSPRING_CONFIG_DIRECTORY_H_
#define MAINSPRING_CONFIG_DIRECTORY_H_

#include <sys/types.h>

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mainspring/file_tree.h"

namespace mainspring {

// One thread at a time. Blocks for the disk. The three directories are its owner's alone; what
// somebody else has changed there is replaced with the rest.
//
// Every text has the path. RESOURCE_EXHAUSTED: no room, or no descriptor. FAILED_PRECONDITION:
// anything else, and what is installed is as it was.
class ConfigDirectory {
 public:
  // An absolute path; what is above it is there, and not for others to write to.
  explicit ConfigDirectory(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  std::string next() const { return path_ + ".next"; }
  std::string previous() const { return path_ + ".previous"; }

  // Makes `next` anew, empty, for its owner alone to read.
  absl::Status Begin();
  // Puts `next` where `path` is, for others to read, and keeps what was there as `previous`: synced
  // and then exchanged in one step, RENAME_EXCHANGE of Linux' renameat2. Where both are the same,
  // nothing is touched and `next` goes: false. A kill in the middle may lose `previous`, and never
  // `path`.
  absl::StatusOr<bool> Install();

 private:
  absl::Status CheckPlace() const;
  // Whether there is that already.
  bool IsInstalled(const FileTree& coming) const;
  absl::Status Exchange() const;

  const std::string path_;
};

// Writes a file anew, with these permissions whatever the umask says. It is not synced: Install
// does that. Errors as above.
absl::Status WriteConfigFile(const std::string& path, absl::string_view content,
                             mode_t permissions = 0644);

}  // namespace mainspring

#endif  // MAINSPRING_CONFIG_DIRECTORY_H_
