#include "mainspring/server/config/revision_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/server/trial_directory.h"

namespace mainspring {
namespace {

using config::v1::StoredRevision;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RevisionStoreTest : public ::testing::Test {
 protected:
  // Another process of the same host.
  RevisionStore Reopen(RevisionStore& store) {
    store = RevisionStore();
    return *Open();
  }
  absl::StatusOr<RevisionStore> Open() {
    complaints_.clear();
    return RevisionStore::Open(path_, complaints_);
  }
  static absl::Status Append(RevisionStore& store, const StoredRevision& revision) {
    const absl::Status prepared = store.Prepare(revision);
    return prepared.ok() ? store.Commit() : prepared;
  }
  static StoredRevision Next(const RevisionStore& store, const std::string& author = "me") {
    StoredRevision revision;
    revision.mutable_revision()->set_number(store.next_number());
    revision.mutable_revision()->set_author(author);
    return revision;
  }
  std::vector<std::string> Files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  std::string FileOf(int number) const {
    return absl::StrCat(path_, "/revision-0000000000000000000", number);
  }

  testing::TemporaryDirectory directory_;
  const std::string path_ = directory_.File("state");
  std::vector<std::string> complaints_;
};

TEST_F(RevisionStoreTest, WhatIsPreparedAndDiscarded_WasNeverThere) {
  RevisionStore store = *Open();
  ASSERT_TRUE(Append(store, Next(store)).ok());
  const std::vector<std::string> files = Files();
  ASSERT_TRUE(store.Prepare(Next(store)).ok());
  EXPECT_EQ(store.all().size(), 1u);
  EXPECT_EQ(store.next_number(), 2u);
  store.Discard();
  EXPECT_EQ(Files(), files);
  ASSERT_TRUE(Append(store, Next(store)).ok());
  EXPECT_EQ(Reopen(store).all().size(), 2u);
}

TEST_F(RevisionStoreTest, WhatWasAppended_IsThereWhenItIsOpenedAgain) {
  RevisionStore store = *Open();
  EXPECT_EQ(store.latest(), nullptr);
  ASSERT_TRUE(Append(store, Next(store, "one")).ok());
  ASSERT_TRUE(Append(store, Next(store, "two")).ok());
  store = Reopen(store);
  ASSERT_EQ(store.all().size(), 2u);
  EXPECT_EQ(store.latest()->revision().author(), "two");
  EXPECT_EQ(store.Find(1)->revision().author(), "one");
  EXPECT_EQ(store.Find(3), nullptr);
  EXPECT_EQ(store.next_number(), 3u);
  EXPECT_THAT(complaints_, IsEmpty());
}

TEST_F(RevisionStoreTest, InMemory_KeepsNoFile) {
  RevisionStore store;
  ASSERT_TRUE(Append(store, Next(store)).ok());
  EXPECT_EQ(store.latest()->revision().number(), 1u);
  EXPECT_TRUE(store.RemoveLatest().ok());
  EXPECT_EQ(store.latest(), nullptr);
}

TEST_F(RevisionStoreTest, OfMany_KeepsAHundred) {
  RevisionStore store = *Open();
  for (int i = 0; i < 103; ++i) ASSERT_TRUE(Append(store, Next(store)).ok());
  EXPECT_EQ(store.all().size(), RevisionStore::kMost);
  EXPECT_EQ(store.all().front().revision().number(), 4u);
  EXPECT_EQ(Reopen(store).all().size(), RevisionStore::kMost);
}

TEST_F(RevisionStoreTest, WhatWasTakenBack_IsNotThereWhenItIsOpenedAgain) {
  RevisionStore store = *Open();
  ASSERT_TRUE(Append(store, Next(store)).ok());
  ASSERT_TRUE(Append(store, Next(store)).ok());
  ASSERT_TRUE(store.RemoveLatest().ok());
  EXPECT_EQ(Reopen(store).latest()->revision().number(), 1u);
}

TEST_F(RevisionStoreTest, WhatIsNotWhole_IsSetAsideAndTold) {
  RevisionStore store = *Open();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Append(store, Next(store, std::string(500, 'x'))).ok());
  std::filesystem::resize_file(FileOf(5), 300);                     // cut off
  std::fstream(FileOf(4)).seekp(200) << "garbage";                  // damaged
  std::ofstream(FileOf(3)) << "mainspring revision 2\nwhat comes";  // of a later version
  std::filesystem::copy_file(FileOf(1), FileOf(2),
                             std::filesystem::copy_options::overwrite_existing);
  store = Reopen(store);
  ASSERT_EQ(store.all().size(), 1u);
  EXPECT_EQ(store.next_number(), 6u) << "no number is given twice";
  EXPECT_THAT(
      complaints_,
      ElementsAre(HasSubstr(FileOf(2) + ": is another revision's; it is set aside as "),
                  HasSubstr(FileOf(3) + ": is damaged, or another version of this program's"),
                  HasSubstr(FileOf(4) + ": is damaged"),
                  HasSubstr(FileOf(5) + ": is damaged, or was not written to its end")));
  EXPECT_TRUE(std::filesystem::exists(FileOf(5) + ".set-aside"));
  ASSERT_TRUE(Append(store, Next(store)).ok());
  EXPECT_EQ(Reopen(store).latest()->revision().number(), 6u);
}

TEST_F(RevisionStoreTest, WhatWasLeftOverByACrash_IsNoRevision) {
  RevisionStore store = *Open();
  std::ofstream(path_ + "/partial") << "half";
  std::ofstream(path_ + "/README") << "not ours";
  store = Reopen(store);
  EXPECT_EQ(store.latest(), nullptr);
  EXPECT_THAT(complaints_, IsEmpty());
  ASSERT_TRUE(Append(store, Next(store)).ok());
  EXPECT_THAT(Files(), ElementsAre("README", "revision-00000000000000000001"));
}

TEST_F(RevisionStoreTest, WhereItCannotBeWritten_SaysWhereAndKeepsNothing) {
  RevisionStore store = *Open();
  ASSERT_EQ(0, rename(path_.c_str(), directory_.File("gone").c_str()));
  const absl::Status failed = Append(store, Next(store));
  EXPECT_EQ(failed.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(failed.message(), path_ + "/partial: cannot be opened: No such file or directory");
  EXPECT_EQ(store.latest(), nullptr);
  EXPECT_EQ(store.next_number(), 1u);
}

TEST_F(RevisionStoreTest, WhereThereIsNoDescriptor_IsOutOfResources) {
  RevisionStore store = *Open();
  rlimit before;
  ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &before));
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
  const absl::Status failed = Append(store, Next(store));
  ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &before));
  EXPECT_EQ(failed.code(), absl::StatusCode::kResourceExhausted) << failed;
}

TEST_F(RevisionStoreTest, ADirectoryThatIsInUse_IsRefused) {
  RevisionStore store = *Open();
  const RevisionStore copy = store;
  store = RevisionStore();
  EXPECT_EQ(Open().status(),
            absl::FailedPreconditionError(path_ + ": another host keeps its revisions there"));
}

TEST_F(RevisionStoreTest, TheNumberOfWhatWasSetAside_IsNotGivenAgain) {
  RevisionStore store = *Open();
  ASSERT_TRUE(Append(store, Next(store)).ok());
  std::filesystem::resize_file(FileOf(1), 30);
  store = Reopen(store);
  EXPECT_EQ(store.latest(), nullptr);
  store = Reopen(store);
  EXPECT_EQ(store.next_number(), 2u);
}

TEST_F(RevisionStoreTest, WhatIsTooLargeToBeRead_IsNotWritten) {
  RevisionStore store = *Open();
  EXPECT_EQ(Append(store, Next(store, std::string(17 << 20, 'x'))).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Reopen(store).latest(), nullptr);
}

TEST_F(RevisionStoreTest, ADirectoryThatOthersMayWriteTo_IsRefused) {
  ASSERT_TRUE(Open().ok());
  ASSERT_EQ(0, chmod(path_.c_str(), 0777));
  EXPECT_THAT(std::string(Open().status().message()),
              HasSubstr(path_ + ": is not a directory that this user alone may write to"));
  EXPECT_EQ(RevisionStore::Open("/no/such/state", complaints_).status(),
            absl::FailedPreconditionError("/no/such/state: cannot be made: No such file or "
                                          "directory"));
}

}  // namespace
}  // namespace mainspring
