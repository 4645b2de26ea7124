#include "mainspring/config_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "mainspring/file_error.h"
#include "mainspring/file_tree.h"

namespace mainspring {
namespace {

constexpr mode_t kForAll = 0755;

std::string ParentOf(const std::string& path) {
  return std::filesystem::path(path).parent_path().string();
}

absl::Status Remove(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  return error ? FileError(path, "be removed", error.value()) : absl::OkStatus();
}

absl::Status Sync(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return FileError(path, "be opened", errno);
  const absl::Cleanup close_file = [fd] { close(fd); };
  return fsync(fd) == 0 ? absl::OkStatus() : FileError(path, "be synced", errno);
}

// What is in it before itself.
absl::Status SyncTree(const std::string& directory, const FileTree& tree) {
  absl::Status synced;
  for (auto each = tree.rbegin(); synced.ok() && each != tree.rend(); ++each) {
    if (each->second.kind != FileEntry::Kind::kLink) synced = Sync(directory + "/" + each->first);
  }
  return synced.ok() ? Sync(directory) : synced;
}

}  // namespace

absl::Status ConfigDirectory::CheckPlace() const {
  const std::filesystem::path path(path_);
  if (!path.is_absolute() || path.lexically_normal() != path || path.filename().empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("\"", path_, "\": is not the absolute path of a directory"));
  }
  const std::string parent = ParentOf(path_);
  struct stat status;
  if (stat(parent.c_str(), &status) != 0) return FileError(parent, "be looked at", errno);
  const bool is_open = (status.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  if (!S_ISDIR(status.st_mode) || (is_open && (status.st_mode & S_ISVTX) == 0)) {
    return absl::FailedPreconditionError(
        absl::StrCat(parent, ": is not a directory that others may not write to"));
  }
  return absl::OkStatus();
}

absl::Status ConfigDirectory::Begin() {
  absl::Status begun = CheckPlace();
  if (begun.ok()) begun = Remove(next());
  if (begun.ok() && mkdir(next().c_str(), 0700) != 0) begun = FileError(next(), "be made", errno);
  return begun;
}

absl::StatusOr<bool> ConfigDirectory::Install() {
  const absl::StatusOr<FileTree> coming = ReadFileTree(next());
  if (!coming.ok()) return coming.status();
  if (IsInstalled(*coming)) {
    const absl::Status removed = Remove(next());
    if (!removed.ok()) return removed;
    return false;
  }
  absl::Status installed = SyncTree(next(), *coming);
  if (installed.ok() && chmod(next().c_str(), kForAll) != 0) {
    installed = FileError(next(), "be opened to others", errno);
  }
  if (installed.ok()) installed = Exchange();
  if (!installed.ok()) return installed;
  return true;
}

bool ConfigDirectory::IsInstalled(const FileTree& coming) const {
  struct stat status;
  if (lstat(path_.c_str(), &status) != 0 || status.st_mode != (S_IFDIR | kForAll)) return false;
  // What cannot be read now is another set.
  const absl::StatusOr<FileTree> there = ReadFileTree(path_);
  return there.ok() && *there == coming;
}

// What was done is undone where it cannot be done to its end.
absl::Status ConfigDirectory::Exchange() const {
  const std::string parent = ParentOf(path_);
  const int fd = open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return FileError(parent, "be opened", errno);
  const absl::Cleanup close_parent = [fd] { close(fd); };
  struct stat status;
  const bool is_first = lstat(path_.c_str(), &status) != 0;
  const auto swap = [&](const std::string& other) {
    return renameat2(AT_FDCWD, other.c_str(), AT_FDCWD, path_.c_str(),
                     is_first ? RENAME_NOREPLACE : RENAME_EXCHANGE) == 0;
  };
  if (!swap(next())) return FileError(path_, "be put in place", errno);
  if (is_first) {
    if (fsync(fd) == 0) return absl::OkStatus();
    absl::Status failed = FileError(parent, "be synced", errno);
    rename(path_.c_str(), next().c_str());
    return failed;
  }
  if (absl::Status removed = Remove(previous()); !removed.ok()) {
    swap(next());
    return removed;
  }
  rename(next().c_str(), previous().c_str());
  if (fsync(fd) == 0) return absl::OkStatus();
  absl::Status failed = FileError(parent, "be synced", errno);
  swap(previous());
  return failed;
}

absl::Status WriteConfigFile(const std::string& path, absl::string_view content,
                             mode_t permissions) {
  unlink(path.c_str());
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, permissions);
  if (fd < 0) return FileError(path, "be written", errno);
  const absl::Cleanup close_file = [fd] { close(fd); };
  if (fchmod(fd, permissions) != 0) return FileError(path, "be written", errno);
  while (!content.empty()) {
    const ssize_t written = write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return FileError(path, "be written", errno);
    content.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

}  // namespace mainspring
