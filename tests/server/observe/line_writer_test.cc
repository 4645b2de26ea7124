#include "mainspring/server/observe/line_writer.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tests/server/eventually.h"

namespace mainspring {
namespace {

using ::testing::EndsWith;
using testing::Eventually;
using testing::Soon;

class LineWriterTest : public ::testing::Test {
 protected:
  LineWriterTest() { EXPECT_EQ(0, pipe2(fds_, O_CLOEXEC)); }
  ~LineWriterTest() override {
    writer_.reset();
    for (const int fd : fds_) close(fd);
  }

  void Start(LineWriter::Owed owed = [](uint64_t) { return std::string(); }) {
    writer_ = *LineWriter::Start(fds_[1], std::move(owed));
  }

  // What comes until `ending` has come.
  std::string ReadTo(const std::string& ending) {
    std::string text;
    char bytes[65536];
    while (text.find(ending) == std::string::npos) {
      const ssize_t count = read(fds_[0], bytes, sizeof(bytes));
      if (count <= 0) break;
      text.append(bytes, static_cast<size_t>(count));
    }
    return text;
  }

  // Pushes more than can wait, in lines of a kibibyte; says how many.
  int Flood() {
    std::string line(1024, 'x');
    line.back() = '\n';
    int pushed = 0;
    while (static_cast<size_t>(pushed) * line.size() < 3 * LineWriter::kCapacity) {
      writer_->Push(line);
      ++pushed;
    }
    return pushed;
  }

  int fds_[2];
  std::unique_ptr<LineWriter> writer_;
};

TEST_F(LineWriterTest, WhenLinesArePushed_WritesThemInOrder) {
  Start();
  writer_->Push("one\n");
  writer_->Push("two\n");
  EXPECT_EQ("one\ntwo\n", ReadTo("two\n"));
}

TEST_F(LineWriterTest, WhenNobodyReads_NeitherPushNorTheEndBlocks) {
  Start();
  Flood();
  writer_->Flush(Soon(absl::Milliseconds(1)));
  writer_.reset();
}

TEST_F(LineWriterTest, WhenThereIsRoomAgain_TellsHowManyWereDropped) {
  Start([](uint64_t dropped) {
    return dropped == 0 ? std::string() : absl::StrCat("dropped ", dropped, "\n");
  });
  const int pushed = Flood();
  // Told more than once where the writer took what waited while there was more to come.
  int written = 0;
  int dropped = 0;
  std::string rest;
  while (written + dropped < pushed) {
    rest += ReadTo("\n");
    const size_t complete = rest.rfind('\n') + 1;
    for (absl::string_view line : absl::StrSplit(rest.substr(0, complete), '\n')) {
      int told = 0;
      if (absl::ConsumePrefix(&line, "dropped ") && absl::SimpleAtoi(line, &told)) {
        dropped += told;
      } else if (!line.empty()) {
        ++written;
      }
    }
    rest.erase(0, complete);
  }
  EXPECT_GT(dropped, 0);
  EXPECT_EQ(pushed, written + dropped) << "each line is written or counted";
}

TEST_F(LineWriterTest, WhenReminded_AsksWhatIsOwed) {
  std::atomic<int> asked{0};
  Start([&](uint64_t) {
    ++asked;
    return std::string();
  });
  writer_->Remind();
  EXPECT_TRUE(Eventually([&] { return asked.load() == 1; }));
  // It asks once more as it ends.
  writer_.reset();
}

TEST_F(LineWriterTest, WhenItEnds_WritesWhatWaits) {
  Start();
  for (int i = 0; i < 100; ++i) writer_->Push(absl::StrCat(i, "\n"));
  writer_.reset();
  EXPECT_THAT(ReadTo("99\n"), EndsWith("98\n99\n"));
}

TEST_F(LineWriterTest, WhenFlushed_HasWrittenWhatWasPushedBefore) {
  Start();
  writer_->Push("line\n");
  writer_->Flush(kNever);
  fcntl(fds_[0], F_SETFL, O_NONBLOCK);
  EXPECT_EQ("line\n", ReadTo("line\n")) << "it is there without waiting";
}

}  // namespace
}  // namespace mainspring
