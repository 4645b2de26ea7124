#include "mainspring/server/observe/output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "tests/server/eventually.h"

namespace mainspring {
namespace {

using testing::Soon;

// Two ends that are closed at the end of the test; [0] reads what [1] writes.
class Ends {
 public:
  static Ends Pipe() {
    Ends ends;
    EXPECT_EQ(0, pipe2(ends.fds_, O_CLOEXEC));
    return ends;
  }
  static Ends Sockets() {
    Ends ends;
    EXPECT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.fds_));
    return ends;
  }
  Ends(Ends&& other) noexcept : fds_{other.fds_[0], other.fds_[1]} {
    other.fds_[0] = other.fds_[1] = -1;
  }
  ~Ends() {
    for (const int fd : fds_) {
      if (fd >= 0) close(fd);
    }
  }

  int writes() const { return fds_[1]; }
  std::string Read(size_t most) {
    std::string text(most, '\0');
    const ssize_t count = read(fds_[0], text.data(), most);
    text.resize(count < 0 ? 0 : static_cast<size_t>(count));
    return text;
  }
  void StopReading() {
    close(fds_[0]);
    fds_[0] = -1;
  }

 private:
  Ends() = default;
  int fds_[2] = {-1, -1};
};

constexpr size_t kMoreThanAnyPipeHolds = size_t{4} << 20;

TEST(Output, WhenThereIsRoom_WritesAll) {
  Ends pipe = Ends::Pipe();
  EXPECT_EQ(5u, Output(pipe.writes()).Write("hello", Soon()));
  EXPECT_EQ("hello", pipe.Read(100));
}

TEST(Output, WhenNobodyReads_WritesWhatFitsAndComesBack) {
  for (const bool is_pipe : {true, false}) {
    Ends ends = is_pipe ? Ends::Pipe() : Ends::Sockets();
    Output output(ends.writes());
    const std::string text(kMoreThanAnyPipeHolds, 'x');
    const size_t written = output.Write(text, Soon(absl::Milliseconds(20)));
    EXPECT_GT(written, 0u) << is_pipe;
    EXPECT_LT(written, text.size()) << is_pipe;
    EXPECT_EQ(0u, output.Write("y", SteadyTime::min())) << "there is no room, and no time";
    EXPECT_GT(ends.Read(written).size(), 0u);
    EXPECT_EQ(1u, output.Write("y", Soon())) << "there is room again";
  }
}

TEST(Output, WhenNobodyCanEverRead_LosesTheTextAndSaysItIsWritten) {
  signal(SIGPIPE, SIG_IGN);
  for (const bool is_pipe : {true, false}) {
    Ends ends = is_pipe ? Ends::Pipe() : Ends::Sockets();
    ends.StopReading();
    EXPECT_EQ(5u, Output(ends.writes()).Write("hello", Soon())) << is_pipe;
  }
}

TEST(Output, WhenTheDescriptorIsClosed_LosesTheText) {
  const int closed = open("/dev/null", O_WRONLY | O_CLOEXEC);
  close(closed);
  EXPECT_EQ(5u, Output(closed).Write("hello", Soon()));
}

TEST(Output, WhenTheFileMayGrowNoMore_LosesTheText) {
  char path[] = "/tmp/output_test.XXXXXX";
  const int fd = mkstemp(path);
  unlink(path);
  signal(SIGXFSZ, SIG_IGN);
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small = {3, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const size_t written = Output(fd).Write("hello", Soon());
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(5u, written);
  EXPECT_EQ(3, lseek(fd, 0, SEEK_END));
  close(fd);
}

TEST(Output, WhenItIsAFile_WritesWhereItsOtherUsersHaveLeftOff) {
  char path[] = "/tmp/output_test.XXXXXX";
  const int fd = mkstemp(path);
  unlink(path);
  ASSERT_EQ(6, write(fd, "first ", 6));
  Output(fd).Write("second", Soon());
  EXPECT_EQ(12, lseek(fd, 0, SEEK_END));
  close(fd);
}

TEST(Output, WhateverItIs_StaysBlockingForItsOtherUsers) {
  Ends pipe = Ends::Pipe();
  Output output(pipe.writes());
  output.Write("x", Soon());
  EXPECT_EQ(0, fcntl(pipe.writes(), F_GETFL) & O_NONBLOCK);
}

}  // namespace
}  // namespace mainspring
