#include "mainspring/server/rpc/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <utility>
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

// Whether a TCP client of that family gets through to that port.
bool CanConnect(int family, int port) {
  sockaddr_in6 v6 = {};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  v6.sin6_addr = in6addr_loopback;
  sockaddr_in v4 = {};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool is_v6 = family == AF_INET6;
  const auto* name =
      is_v6 ? reinterpret_cast<const sockaddr*>(&v6) : reinterpret_cast<const sockaddr*>(&v4);
  const int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool connected = connect(fd, name, is_v6 ? sizeof(v6) : sizeof(v4)) == 0;
  close(fd);
  return connected;
}

class EveryAddress : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!Listener::Listen("[::1]:0").ok()) GTEST_SKIP() << "no IPv6 here";
  }
  // One that is free, for both families.
  static int FreePort() { return PortOf(Listener::Listen("*:0").value().front()->address()); }
};

TEST_F(EveryAddress, WrittenAsAStar_IsBothFamiliesWithOnePort) {
  auto listeners = Listener::Listen("*:0");
  ASSERT_TRUE(listeners.ok()) << listeners.status();
  ASSERT_EQ(2u, listeners->size());
  const int port = PortOf(listeners->front()->address());
  EXPECT_EQ(port, PortOf(listeners->back()->address()));
  EXPECT_TRUE(CanConnect(AF_INET, port));
  EXPECT_TRUE(CanConnect(AF_INET6, port));
}

TEST_F(EveryAddress, OfIpv6Alone_IsForIpv4AsWell) {
  auto listeners = Listener::Listen("[::]:0");
  ASSERT_TRUE(listeners.ok()) << listeners.status();
  ASSERT_EQ(1u, listeners->size());
  EXPECT_THAT(listeners->front()->address(), StartsWith("[::]:"));
  EXPECT_TRUE(CanConnect(AF_INET, PortOf(listeners->front()->address())));
  EXPECT_TRUE(CanConnect(AF_INET6, PortOf(listeners->front()->address())));
}

TEST_F(EveryAddress, OfIpv6BesideIpv4_IsForIpv6Alone) {
  const int port = FreePort();
  for (const char* ipv4 : {"0.0.0.0:", "127.0.0.1:"}) {
    for (const bool first : {true, false}) {
      std::vector<std::string> addresses = {absl::StrCat("[::]:", port), absl::StrCat(ipv4, port)};
      if (first) std::swap(addresses[0], addresses[1]);
      auto listeners = Listener::Listen(addresses);
      ASSERT_TRUE(listeners.ok()) << listeners.status();
      EXPECT_EQ(2u, listeners->size());
      EXPECT_TRUE(CanConnect(AF_INET, port));
      EXPECT_TRUE(CanConnect(AF_INET6, port));
    }
  }
}

TEST(Listener, WhenAnIpv6AddressIsNotThisMachines_SaysWhyInBrackets) {
  const absl::Status status = Listener::Listen("[2001:db8::1]:0").status();
  EXPECT_EQ(absl::StatusCode::kUnavailable, status.code());
  EXPECT_THAT(std::string(status.message()), StartsWith("[2001:db8::1]:0: "));
}

TEST(Listener, WhenOneOfSeveralCannotBeBound_LeavesNoneListening) {
  auto taken = Listener::Listen("127.0.0.1:0");
  const int port = PortOf(taken->front()->address());
  taken->clear();
  const std::string address = absl::StrCat("127.0.0.1:", port);
  const absl::Status status = Listener::Listen({address, "192.0.2.1:0"}).status();
  EXPECT_THAT(std::string(status.message()), StartsWith("192.0.2.1:0: "));
  EXPECT_FALSE(CanConnect(AF_INET, port));
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
  for (const char* address : {"", "127.0.0.1:http", "unix:", "unix:relative", "unix:@x"}) {
    const absl::Status status = Listener::Listen(address).status();
    EXPECT_EQ(absl::StatusCode::kInvalidArgument, status.code()) << address << ": " << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("HOST:PORT")) << address;
    EXPECT_THAT(std::string(status.message()), HasSubstr(absl::StrCat("\"", address, "\"")));
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

TEST_F(UnixListener, WhenAFolderStandsThere_SaysSo) {
  const absl::Status status = Listener::Listen("unix:" + directory_.path()).status();
  EXPECT_EQ(absl::StatusCode::kUnavailable, status.code());
  EXPECT_EQ("unix:" + directory_.path() + ": is a folder", status.message());
}

TEST_F(UnixListener, WhenSomebodyListensAndHasNoTime_IsInUse) {
  const sockaddr_un name = UnixName(path_);
  const auto* address = reinterpret_cast<const sockaddr*>(&name);
  const int busy = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(0, bind(busy, address, sizeof(name)));
  ASSERT_EQ(0, listen(busy, 0));
  std::vector<int> clients;
  do {
    clients.push_back(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  } while (connect(clients.back(), address, sizeof(name)) == 0);
  EXPECT_EQ(EAGAIN, errno);
  EXPECT_EQ(address_ + ": address already in use", Listener::Listen(address_).status().message());
  for (const int client : clients) close(client);
  close(busy);
}

TEST_F(UnixListener, WhenAnotherProcessIsAboutToBindIt_IsInUse) {
  const std::string lock = path_ + ".lock";
  const int held = open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_EQ(0, flock(held, LOCK_EX));
  EXPECT_EQ(address_ + ": address already in use", Listener::Listen(address_).status().message());
  EXPECT_FALSE(std::filesystem::exists(path_));
  close(held);
  EXPECT_TRUE(Listener::Listen(address_).ok()) << "the file alone locks nothing";
  EXPECT_FALSE(std::filesystem::exists(lock)) << "and goes with who held it last";
}

// However they meet, one has it, and it works.
TEST_F(UnixListener, WhenManyWantWhatADeadProcessLeft_OneGetsIt) {
  constexpr int kHosts = 4;
  for (int round = 0; round < 300; ++round) {
    LeaveStaleSocket(path_);
    std::atomic<int> ready{0};
    std::vector<absl::StatusOr<Listeners>> outcomes(kHosts);
    std::vector<std::thread> hosts;
    for (absl::StatusOr<Listeners>& outcome : outcomes) {
      hosts.emplace_back([&] {
        for (++ready; ready < kHosts;) std::this_thread::yield();
        outcome = Listener::Listen(address_);
      });
    }
    for (std::thread& host : hosts) host.join();
    int winners = 0;
    for (const auto& outcome : outcomes) {
      winners += outcome.ok() ? 1 : 0;
      if (!outcome.ok()) {
        ASSERT_EQ(address_ + ": address already in use", outcome.status().message());
      }
    }
    ASSERT_EQ(1, winners) << "round " << round;
    ASSERT_TRUE(CanConnect(path_));
    outcomes.clear();
    ASSERT_FALSE(std::filesystem::exists(path_));
    ASSERT_FALSE(std::filesystem::exists(path_ + ".lock"));
  }
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

TEST(Listener, WhenAnAbstractSocketIsAdopted_TellsItsName) {
  const std::string name = absl::StrCat("mainspring-test-", getpid());
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path + 1, sizeof(address.sun_path) - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(0, bind(fd, reinterpret_cast<const sockaddr*>(&address),
                    offsetof(sockaddr_un, sun_path) + 1 + name.size()));
  ASSERT_EQ(0, listen(fd, 1));
  auto adopted = Listener::Adopt(fd);
  ASSERT_TRUE(adopted.ok()) << adopted.status();
  EXPECT_EQ("unix:@" + name, (*adopted)->address());
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
