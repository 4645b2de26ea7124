#include "mainspring/server/config/revision_store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <set>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "mainspring/file_error.h"
#include "mainspring/server/config/read_file.h"

namespace mainspring {
namespace {

using config::v1::StoredRevision;

// A file: this line, the CRC-32 of the rest as eight hexadecimal digits and a newline, the message.
// The number is the format's.
constexpr char kMagic[] = "mainspring revision 1\n";
constexpr char kMagicOfAny[] = "mainspring revision ";
constexpr size_t kCrcSize = 9;
constexpr size_t kLargest = size_t{16} << 20;
constexpr char kPrefix[] = "revision-";
constexpr size_t kDigits = 20;
// One a millisecond for thirty thousand years; more is somebody's joke.
constexpr uint64_t kMostPlausible = 1'000'000'000'000'000;
constexpr char kPartial[] = "partial";
constexpr char kAside[] = ".set-aside";

std::string Crc(absl::string_view content) {
  const auto* const bytes = reinterpret_cast<const Bytef*>(content.data());
  return absl::StrFormat("%08x\n", crc32(0, bytes, static_cast<uInt>(content.size())));
}

std::string Frame(const StoredRevision& revision) {
  const std::string content = revision.SerializeAsString();
  return absl::StrCat(kMagic, Crc(content), content);
}

// Why the file is none that can be used; OK where it is.
absl::Status Unframe(absl::string_view file, StoredRevision& revision) {
  if (!absl::ConsumePrefix(&file, kMagic)) {
    return absl::InvalidArgumentError(absl::StartsWith(file, kMagicOfAny)
                                          ? "is damaged, or another version of this program's"
                                          : "is no revision");
  }
  const absl::string_view crc = file.substr(0, kCrcSize);
  file.remove_prefix(crc.size());
  if (crc != Crc(file)) return absl::DataLossError("is damaged, or was not written to its end");
  if (!revision.ParseFromArray(file.data(), static_cast<int>(file.size()))) {
    return absl::DataLossError("is damaged");
  }
  return absl::OkStatus();
}

// The number in a file's name; 0: it is no revision's.
uint64_t NumberOf(absl::string_view name) {
  uint64_t number = 0;
  if (!absl::ConsumePrefix(&name, kPrefix) || name.size() != kDigits ||
      !absl::SimpleAtoi(name, &number) || number > kMostPlausible) {
    return 0;
  }
  return number;
}

absl::Status CheckDirectory(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return FileError(path, "be made", errno);
  struct stat status;
  if (stat(path.c_str(), &status) != 0) return FileError(path, "be looked at", errno);
  if (!S_ISDIR(status.st_mode) || status.st_uid != getuid() ||
      (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": is not a directory that this user alone may write to"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RevisionStore> RevisionStore::Open(std::string directory,
                                                  std::vector<std::string>& complaints) {
  if (absl::Status right = CheckDirectory(directory); !right.ok()) return right;
  RevisionStore store(std::move(directory));
  absl::Status opened = store.Lock();
  if (opened.ok()) opened = store.Load(complaints);
  if (!opened.ok()) return opened;
  return store;
}

absl::Status RevisionStore::Lock() {
  const int fd = open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return FileError(directory_, "be opened", errno);
  lock_ = std::shared_ptr<const int>(new int(fd), [](const int* held) {
    close(*held);
    delete held;
  });
  // Goes with the process, however that ends.
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) return absl::OkStatus();
  if (errno != EWOULDBLOCK) return FileError(directory_, "be locked", errno);
  return absl::FailedPreconditionError(
      absl::StrCat(directory_, ": another host keeps its revisions there"));
}

absl::Status RevisionStore::Load(std::vector<std::string>& complaints) {
  std::error_code error;
  std::filesystem::directory_iterator entry(directory_, error);
  std::set<uint64_t> numbers;
  for (const std::filesystem::directory_iterator end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    absl::string_view stem = name;
    const bool is_aside = absl::ConsumeSuffix(&stem, kAside);
    const uint64_t number = NumberOf(stem);
    next_number_ = std::max(next_number_, number + 1);
    if (number != 0 && !is_aside) numbers.insert(number);
  }
  if (error) return FileError(directory_, "be read", error.value());
  absl::Status loaded;
  for (const uint64_t number : numbers) loaded.Update(LoadOne(number, complaints));
  return loaded;
}

absl::Status RevisionStore::LoadOne(uint64_t number, std::vector<std::string>& complaints) {
  const std::string path = PathOf(number);
  struct stat status;
  const bool is_file = lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
  const absl::StatusOr<std::string> file =
      is_file ? ReadFile(path, kLargest)
              : absl::StatusOr<std::string>(absl::DataLossError("is no file"));
  // That says nothing of what is in it.
  if (is_file && !file.ok() && !absl::IsResourceExhausted(file.status())) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": ", std::string(file.status().message())));
  }
  StoredRevision revision;
  absl::Status usable = file.ok() ? Unframe(*file, revision) : file.status();
  if (usable.ok() && revision.revision().number() != number) {
    usable = absl::DataLossError("is another revision's");
  }
  if (usable.ok()) {
    all_.push_back(std::move(revision));
    return usable;
  }
  const std::string aside = absl::StrCat(path, kAside);
  const bool moved = rename(path.c_str(), aside.c_str()) == 0;
  complaints.push_back(
      absl::StrCat(path, ": ", std::string(usable.message()),
                   moved ? absl::StrCat("; it is set aside as ", aside)
                         : absl::StrCat("; and cannot be set aside: ", strerror(errno))));
  return absl::OkStatus();
}

const StoredRevision* RevisionStore::Find(uint64_t number) const {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const StoredRevision& each) {
    return each.revision().number() == number;
  });
  return found == all_.end() ? nullptr : &*found;
}

// All of one length, so that a listing is in order.
std::string RevisionStore::PathOf(uint64_t number) const {
  return absl::StrCat(directory_, "/", kPrefix, absl::StrFormat("%020d", number));
}

std::string RevisionStore::partial() const { return absl::StrCat(directory_, "/", kPartial); }

absl::Status RevisionStore::Prepare(StoredRevision revision) {
  if (!directory_.empty()) {
    const std::string file = Frame(revision);
    // It would be set aside when it is read.
    if (file.size() > kLargest) {
      return absl::ResourceExhaustedError(absl::StrCat(
          PathOf(revision.revision().number()), ": would have more than ", kLargest >> 20, " MiB"));
    }
    absl::Status written = WritePartial(file);
    if (!written.ok()) return written;
  }
  prepared_ = std::move(revision);
  return absl::OkStatus();
}

absl::Status RevisionStore::Commit() {
  if (!directory_.empty()) {
    const std::string path = PathOf(prepared_.revision().number());
    if (rename(partial().c_str(), path.c_str()) != 0) {
      return FileError(path, "be put in place", errno);
    }
    if (absl::Status synced = SyncDirectory(); !synced.ok()) {
      // It may be there or not after a power cut: so it is not.
      unlink(path.c_str());
      return synced;
    }
  }
  next_number_ = prepared_.revision().number() + 1;
  all_.push_back(std::exchange(prepared_, {}));
  while (all_.size() > kMost) {
    // One that stays is read again, and dropped again.
    if (!directory_.empty()) unlink(PathOf(all_.front().revision().number()).c_str());
    all_.pop_front();
  }
  return absl::OkStatus();
}

void RevisionStore::Discard() {
  prepared_.Clear();
  if (!directory_.empty()) unlink(partial().c_str());
}

absl::Status RevisionStore::RemoveLatest() {
  const std::string path = PathOf(all_.back().revision().number());
  // Whatever becomes of its file: it holds no longer.
  all_.pop_back();
  if (directory_.empty()) return absl::OkStatus();
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return FileError(path, "be removed", errno);
  return SyncDirectory();
}

absl::Status RevisionStore::WritePartial(const std::string& content) const {
  const std::string path = partial();
  // Of one that was killed, or somebody else's; never written through.
  unlink(path.c_str());
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return FileError(path, "be opened", errno);
  absl::Cleanup close_file = [fd] { close(fd); };
  absl::Cleanup remove = [&] { unlink(path.c_str()); };
  for (size_t written = 0; written < content.size();) {
    const ssize_t more = write(fd, content.data() + written, content.size() - written);
    if (more < 0 && errno == EINTR) continue;
    if (more < 0) return FileError(path, "be written", errno);
    written += static_cast<size_t>(more);
  }
  if (fsync(fd) != 0) return FileError(path, "be synced", errno);
  std::move(remove).Cancel();
  return absl::OkStatus();
}

absl::Status RevisionStore::SyncDirectory() const {
  const int fd = open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return FileError(directory_, "be opened", errno);
  const absl::Cleanup close_directory = [fd] { close(fd); };
  if (fsync(fd) != 0) return FileError(directory_, "be synced", errno);
  return absl::OkStatus();
}

}  // namespace mainspring
