// RevisionStore: the accepted changes of a configuration, kept where a kill -9 and a power cut
// leave them: each in a file of its own, written beside, synced, renamed, and the directory synced.
#ifndef MAINSPRING_SERVER_CONFIG_REVISION_STORE_H_
#define MAINSPRING_SERVER_CONFIG_REVISION_STORE_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mainspring/config/v1/stored_revision.pb.h"

namespace mainspring {

// One thread at a time. It blocks for the disk.
class RevisionStore {
 public:
  // How many it remembers.
  static constexpr size_t kMost = 100;

  // Keeps them in memory alone, until the process ends.
  RevisionStore() = default;
  // Reads those in the directory, which is made with mode 0700 where it is not there. A file that
  // is not whole, or of a later version, is renamed, "NAME.set-aside", and told in `complaints`;
  // those before it hold. The directory is its alone while it lives. FAILED_PRECONDITION: the
  // directory cannot be made or read, belongs to somebody else, others may write there, or another
  // host keeps its revisions there; the text has the path.
  static absl::StatusOr<RevisionStore> Open(std::string directory,
                                            std::vector<std::string>& complaints);

  // The oldest first, without gaps that it made itself.
  const std::deque<config::v1::StoredRevision>& all() const { return all_; }
  // Null: there is none.
  const config::v1::StoredRevision* latest() const { return all_.empty() ? nullptr : &all_.back(); }
  const config::v1::StoredRevision* Find(uint64_t number) const;
  // Greater than any that there ever was, as far as it can be seen.
  uint64_t next_number() const { return next_number_; }

  // Writes it beside, so that it is known that there is room: Commit then appends it, and until
  // then nothing has changed. Its number is next_number(). RESOURCE_EXHAUSTED: no room, or no
  // descriptor. FAILED_PRECONDITION: anything else, a read-only file system for one. The text has
  // the path.
  absl::Status Prepare(config::v1::StoredRevision revision);
  // The one that was prepared last. Once it returns OK that is there to stay; else nothing has
  // changed. Errors as above.
  absl::Status Commit();
  // That is not to be: what was written goes.
  void Discard();
  // Takes the latest back. Its number is not given again.
  absl::Status RemoveLatest();

 private:
  explicit RevisionStore(std::string directory) : directory_(std::move(directory)) {}

  absl::Status Lock();
  absl::Status Load(std::vector<std::string>& complaints);
  absl::Status LoadOne(uint64_t number, std::vector<std::string>& complaints);

  std::string PathOf(uint64_t number) const;
  std::string partial() const;
  absl::Status WritePartial(const std::string& content) const;
  absl::Status SyncDirectory() const;

  std::string directory_;            // empty: in memory
  std::shared_ptr<const int> lock_;  // a descriptor that is locked; shared with copies
  std::deque<config::v1::StoredRevision> all_;
  config::v1::StoredRevision prepared_;
  uint64_t next_number_ = 1;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_CONFIG_REVISION_STORE_H_
