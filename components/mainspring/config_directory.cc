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
#include "mainspring/file_tree.h"

namespace mainspring {
namespace {

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
  // What cannot be read now is another set.
  const absl::StatusOr<FileTree> there = ReadFileTree(path_);
  if (access(path_.c_str(), F_OK) == 0 && there.ok() && *there == *coming) {
    const absl::Status removed = Remove(next());
    if (!removed.ok()) return removed;
    return false;
  }
  absl::Status installed = SyncTree(next(), *coming);
  if (installed.ok() && chmod(next().c_str(), 0755) != 0) {
    installed = FileError(next(), "be opened to others", errno);
  }
  if (installed.ok()) installed = Exchange();
  if (installed.ok()) installed = Sync(ParentOf(path_));
  if (!installed.ok()) return installed;
  return true;
}

absl::Status ConfigDirectory::Exchange() const {
  struct stat status;
  if (lstat(path_.c_str(), &status) != 0) {
    return rename(next().c_str(), path_.c_str()) == 0 ? absl::OkStatus()
                                                      : FileError(path_, "be put in place", errno);
  }
  // So that nothing can fail once the new set is in place.
  if (absl::Status removed = Remove(previous()); !removed.ok()) return removed;
  if (renameat2(AT_FDCWD, next().c_str(), AT_FDCWD, path_.c_str(), RENAME_EXCHANGE) != 0) {
    return FileError(path_, "be put in place", errno);
  }
  rename(next().c_str(), previous().c_str());
  return absl::OkStatus();
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
