#include "server/rpc/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/server/trial_client.h"

namespace mainspring::rpc {
namespace {

using ::mainspring::testing::TemporaryDirectory;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// The port at the end of an address.
int PortOf(const std::string& address) {
  int port = -1;
  EXPECT_TRUE(absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port)) << address;
  return port;
}

sockaddr_un UnixName(const std::string& path) {
  sockaddr_un name = {};
  name.sun_family = AF_UNIX;
  path.copy(name.sun_path, sizeof(name.sun_path) - 1);
  return name;
}

bool CanConnect(const std::string& path) {
  const sockaddr_un name = UnixName(path);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool connected = connect(fd, reinterpret_cast<const sockaddr*>(&name), sizeof(name)) == 0;
  close(fd);
  return connected;
}

// What a process that was killed leaves: the file, and nobody who listens.
void LeaveStaleSocket(const std::string& path) {
  const sockaddr_un name = UnixName(path);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(0, bind(fd, reinterpret_cast<const sockaddr*>(&name), sizeof(name)));
  close(fd);
}

TEST(Listener, WhenPortIsZero_TakesAFreeOneAndTellsIt) {
  auto listeners = Listener::Listen("127.0.0.1:0");
  ASSERT_TRUE(listeners.ok()) << listeners.status();
  ASSERT_EQ(1u, listeners->size());
  const Listener& listener = *listeners->front();
  EXPECT_THAT(listener.address(), StartsWith("127.0.0.1:"));
  EXPECT_GT(PortOf(listener.address()), 0);
  EXPECT_FALSE(listener.is_unix());
}

TEST(Listener, WhenTwoTakePortZero_HaveDifferentPorts) {
  auto one = Listener::Listen("127.0.0.1:0");
  auto other = Listener::Listen("127.0.0.1:0");
  ASSERT_TRUE(one.ok() && other.ok());
  EXPECT_NE(one->front()->address(), other->front()->address());
}

TEST(Listener, WhenAddressIsInUse_SaysSoWithItsName) {
  auto first = Listener::Listen("127.0.0.1:0");
  ASSERT_TRUE(first.ok());
  const std::string address = first->front()->address();
  const absl::Status second = Listener::Listen(address).status();
  EXPECT_EQ(absl::StatusCode::kUnavailable, second.code());
  EXPECT_EQ(absl::StrCat(address, ": address already in use"), second.message());
}

TEST(Listener, WhenDestroyed_FreesTheAddress) {
  auto first = Listener::Listen("127.0.0.1:0");
  ASSERT_TRUE(first.ok());
  const std::string address = first->front()->address();
  first->clear();
  EXPECT_TRUE(Listener::Listen(address).ok());
}

TEST(Listener, WhenAddressIsIpv6_WritesItInBrackets) {
  auto listeners = Listener::Listen("[::1]:0");
  if (!listeners.ok()) GTEST_SKIP() << "no IPv6 here: " << listeners.status();
  EXPECT_THAT(listeners->front()->address(), StartsWith("[::1]:"));
  EXPECT_GT(PortOf(listeners->front()->address()), 0);
}

TEST(Listener, WhenNameHasSeveralAddresses_ListensOnAllWithOnePort) {
  auto listeners = Listener::Listen("localhost:0");
  ASSERT_TRUE(listeners.ok()) << listeners.status();
  std::set<int> ports;
  std::set<std::string> addresses;
  for (const auto& listener : *listeners) {
    ports.insert(PortOf(listener->address()));
    addresses.insert(listener->address());
  }
  EXPECT_EQ(1u, ports.size());
  EXPECT_EQ(listeners->size(), addresses.size());
}

TEST(Listener, WhenHostIsNotThisMachines_SaysWhy) {
  const absl::Status status = Listener::Listen("192.0.2.1:0").status();
  EXPECT_EQ(absl::StatusCode::kUnavailable, status.code());
  EXPECT_THAT(std::string(status.message()), StartsWith("192.0.2.1:0: "));
}

TEST(Listener, WhenHostIsNotKnown_NamesIt) {
  const absl::Status status = Listener::Listen("nowhere.invalid:1").status();
  EXPECT_EQ(absl::StatusCode::kUnavailable, status.code());
  EXPECT_THAT(std::string(status.message()), StartsWith("nowhere.invalid:1: "));
}

TEST(Listener, WhenAddressIsMalformed_SaysWhatToWrite) {
  for (const char* address :
       {"", "50051", ":50051", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:65536",
        "127.0.0.1:-1", "::1:50051", "[::1:50051", "[::1]", "[]:1", "unix:", "unix:relative"}) {
    const absl::Status status = Listener::Listen(address).status();
    EXPECT_EQ(absl::StatusCode::kInvalidArgument, status.code()) << address << ": " << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("HOST:PORT")) << address;
    EXPECT_THAT(std::string(status.message()), HasSubstr(absl::StrCat("\"", address, "\"")));
  }
}

TEST(Listener, WhenPortHasASignOrABlank_RefusesIt) {
  for (const char* address : {"127.0.0.1: 0", "127.0.0.1:0 ", "127.0.0.1:+0", "127.0.0.1:\t0"}) {
    EXPECT_EQ(absl::StatusCode::kInvalidArgument, Listener::Listen(address).status().code())
        << "\"" << address << "\"";
  }
}

class UnixListener : public ::testing::Test {
 protected:
  TemporaryDirectory directory_;
  const std::string path_ = directory_.File("socket");
  const std::string address_ = "unix:" + path_;
};

TEST_F(UnixListener, WhenMade_IsOpenToItsOwnerAlone) {
  auto listeners = Listener::Listen(address_);
  ASSERT_TRUE(listeners.ok()) << listeners.status();
  ASSERT_EQ(1u, listeners->size());
  EXPECT_TRUE(listeners->front()->is_unix());
  EXPECT_EQ(address_, listeners->front()->address());
  EXPECT_TRUE(CanConnect(path_));
  struct stat file;
  ASSERT_EQ(0, stat(path_.c_str(), &file));
  EXPECT_EQ(0600u, file.st_mode & 07777);
}

TEST_F(UnixListener, WhenDestroyed_RemovesItsFile) {
  { ASSERT_TRUE(Listener::Listen(address_).ok()); }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(UnixListener, WhenADeadProcessLeftItsSocket_ReplacesIt) {
  LeaveStaleSocket(path_);
  ASSERT_FALSE(CanConnect(path_));
  auto listeners = Listener::Listen(address_);
  ASSERT_TRUE(listeners.ok()) << listeners.status();
  EXPECT_TRUE(CanConnect(path_));
}

TEST_F(UnixListener, WhenSomebodyListens_IsRefusedAndLeavesThem) {
  auto first = Listener::Listen(address_);
  ASSERT_TRUE(first.ok());
  const absl::Status second = Listener::Listen(address_).status();
  EXPECT_EQ(absl::StatusCode::kUnavailable, second.code());
  EXPECT_EQ(address_ + ": address already in use", second.message());
  EXPECT_TRUE(CanConnect(path_));
}

TEST_F(UnixListener, WhenTheFileIsNoSocket_IsRefusedAndLeavesIt) {
  std::ofstream(path_) << "precious";
  EXPECT_EQ(absl::StatusCode::kUnavailable, Listener::Listen(address_).status().code());
  std::string text;
  std::ifstream(path_) >> text;
  EXPECT_EQ("precious", text);
}

TEST_F(UnixListener, WhenAnotherHasTakenThePlace_LeavesItAtDestruction) {
  auto first = Listener::Listen(address_);
  ASSERT_TRUE(first.ok());
  unlink(path_.c_str());
  auto second = Listener::Listen(address_);
  ASSERT_TRUE(second.ok());
  first->clear();
  EXPECT_TRUE(CanConnect(path_));
}

TEST_F(UnixListener, WhenTheDirectoryIsMissing_SaysWhy) {
  const std::string address = "unix:" + directory_.File("none/socket");
  const absl::Status status = Listener::Listen(address).status();
  EXPECT_EQ(absl::StatusCode::kUnavailable, status.code());
  EXPECT_EQ(address + ": No such file or directory", status.message());
}

TEST_F(UnixListener, WhenThePathIsTooLong_SaysHowLongItMayBe) {
  const std::string path = directory_.File(std::string(108, 'x'));
  const absl::Status status = Listener::Listen("unix:" + path).status();
  EXPECT_EQ(absl::StatusCode::kInvalidArgument, status.code());
  EXPECT_THAT(std::string(status.message()), HasSubstr("107 bytes"));
}

class AdoptTest : public ::testing::Test {
 protected:
  // As a service manager makes and keeps one.
  void MakeSocket(int type, bool listens) {
    held_ = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    sockaddr_in name = {};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(0, bind(held_, reinterpret_cast<const sockaddr*>(&name), sizeof(name)));
    if (listens) {
      ASSERT_EQ(0, listen(held_, 16));
    }
    socklen_t size = sizeof(name_);
    ASSERT_EQ(0, getsockname(held_, reinterpret_cast<sockaddr*>(&name_), &size));
    passed_ = dup(held_);
  }
  ~AdoptTest() override {
    if (held_ >= 0) close(held_);
  }
  bool Connects() {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool connects =
        connect(fd, reinterpret_cast<const sockaddr*>(&name_), sizeof(name_)) == 0;
    close(fd);
    return connects;
  }

  int held_ = -1, passed_ = -1;
  sockaddr_in name_ = {};
};

TEST_F(AdoptTest, WhenItListens_TellsItsAddressAndDoesNotBlock) {
  MakeSocket(SOCK_STREAM, true);
  auto listener = Listener::Adopt(passed_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  EXPECT_EQ(absl::StrCat("127.0.0.1:", ntohs(name_.sin_port)), (*listener)->address());
  EXPECT_FALSE((*listener)->is_unix());
  EXPECT_EQ(-1, accept(passed_, nullptr, nullptr));
  EXPECT_EQ(EAGAIN, errno);
}

TEST_F(AdoptTest, WhenDestroyed_WhoeverHoldsTheSocketTooGoesOnListening) {
  MakeSocket(SOCK_STREAM, true);
  ASSERT_TRUE(Listener::Adopt(passed_).ok());
  EXPECT_TRUE(Connects());
}

TEST_F(AdoptTest, WhenItDoesNotListenOrIsNoStream_RefusesIt) {
  MakeSocket(SOCK_STREAM, false);
  const absl::Status status = Listener::Adopt(passed_).status();
  EXPECT_EQ(absl::StatusCode::kInvalidArgument, status.code());
  EXPECT_EQ(absl::StrCat("descriptor ", passed_, ": not a listening stream socket"),
            status.message());
  close(passed_);
  close(held_);
  MakeSocket(SOCK_DGRAM, false);
  EXPECT_FALSE(Listener::Adopt(passed_).ok());
  close(passed_);
  EXPECT_THAT(std::string(Listener::Adopt(passed_).status().message()),
              HasSubstr("Bad file descriptor"));
}

TEST_F(UnixListener, WhenAdopted_LeavesTheFile) {
  auto made = Listener::Listen(address_);
  ASSERT_TRUE(made.ok());
  const int passed = dup(made->front()->fd());
  {
    auto adopted = Listener::Adopt(passed);
    ASSERT_TRUE(adopted.ok()) << adopted.status();
    EXPECT_EQ(address_, (*adopted)->address());
    EXPECT_TRUE((*adopted)->is_unix());
  }
  EXPECT_TRUE(CanConnect(path_));
}

}  // namespace
}  // namespace mainspring::rpc
