#include "mainspring/file_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "mainspring/file_error.h"

namespace mainspring {
namespace {

constexpr mode_t kPermissions = 07777;

absl::StatusOr<std::string> ReadWhole(const std::string& path, size_t most) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return FileError(path, "be read", errno);
  const absl::Cleanup close_file = [fd] { close(fd); };
  std::string content;
  char buffer[16 << 10];
  while (true) {
    const ssize_t got = read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FileError(path, "be read", errno);
    if (got == 0) return content;
    content.append(buffer, static_cast<size_t>(got));
    if (content.size() > most) {
      return absl::ResourceExhaustedError(absl::StrCat(
          path, ": it and the files before it have more than ", kLargestFileTree >> 20, " MiB"));
    }
  }
}

absl::StatusOr<FileEntry> ReadEntry(const std::string& path, size_t most) {
  struct stat status;
  if (lstat(path.c_str(), &status) != 0) return FileError(path, "be looked at", errno);
  FileEntry entry{FileEntry::Kind::kFile, status.st_mode & kPermissions, ""};
  if (S_ISDIR(status.st_mode)) {
    entry.kind = FileEntry::Kind::kDirectory;
    return entry;
  }
  if (S_ISLNK(status.st_mode)) {
    std::error_code error;
    const std::filesystem::path leads_to = std::filesystem::read_symlink(path, error);
    if (error) return FileError(path, "be read", error.value());
    return FileEntry{FileEntry::Kind::kLink, 0, leads_to.string()};
  }
  if (!S_ISREG(status.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat(path, ": is no file"));
  }
  absl::StatusOr<std::string> content = ReadWhole(path, most);
  if (!content.ok()) return content.status();
  entry.content = *std::move(content);
  return entry;
}

}  // namespace

absl::StatusOr<FileTree> ReadFileTree(const std::string& directory) {
  FileTree tree;
  size_t left = kLargestFileTree;
  std::error_code error;
  std::filesystem::recursive_directory_iterator entry(directory, error);
  if (error == std::errc::no_such_file_or_directory) return tree;
  for (const std::filesystem::recursive_directory_iterator end; !error && entry != end;
       entry.increment(error)) {
    absl::StatusOr<FileEntry> read = ReadEntry(entry->path().string(), left);
    if (!read.ok()) return read.status();
    left -= read->content.size();
    tree.emplace(entry->path().string().substr(directory.size() + 1), *std::move(read));
  }
  if (error) return FileError(directory, "be read", error.value());
  return tree;
}

}  // namespace mainspring
