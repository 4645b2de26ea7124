#include "mainspring/server/systemd/service_notifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "mainspring/server/systemd/notify_sender.h"
#include "tests/server/trial_client.h"

namespace mainspring {
namespace {

using testing::Eventually;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kPatience;
using ::testing::Not;
using ::testing::StartsWith;

// An environment variable, for as long as it stands.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    setenv(name, value.c_str(), 1);
  }
  ~Variable() { unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* const name_;
};

// The service manager's end of the protocol.
class NotifySocket {
 public:
  NotifySocket() {
    sockaddr_un name = {};
    name.sun_family = AF_UNIX;
    path_.copy(name.sun_path, sizeof(name.sun_path) - 1);
    EXPECT_EQ(0, bind(fd_, reinterpret_cast<const sockaddr*>(&name), sizeof(name)));
  }
  ~NotifySocket() { close(fd_); }
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;

  // The next message; nothing where none comes within `limit`.
  std::optional<std::string> Next(absl::Duration limit = kPatience) {
    const timeval wait = absl::ToTimeval(limit);
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    char text[4096];
    const ssize_t size = recv(fd_, text, sizeof(text), 0);
    if (size < 0) return std::nullopt;
    return std::string(text, size);
  }
  // The next one that has this in it.
  std::string NextWith(const std::string& words) {
    while (std::optional<std::string> next = Next()) {
      if (absl::StrContains(*next, words)) return *next;
    }
    return absl::StrCat("none has ", words);
  }

 private:
  testing::TemporaryDirectory directory_;
  const std::string path_ = directory_.File("notify");
  const int fd_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const Variable variable_{"NOTIFY_SOCKET", path_};
};

class ServiceNotifierTest : public ::testing::Test {
 protected:
  NotifySocket socket_;
  std::atomic<bool> alive_{true};
  std::atomic<int> running_{1};
  absl::Status Start() {
    return manager_.Start([this] {
      return ServiceNotifier::View{alive_, absl::StrCat("ready:\n", running_.load(), " of 2")};
    });
  }

  ServiceNotifier manager_;
};

TEST(ServiceNotifierWithoutOne, WhenNobodyAsked_DoesNothing) {
  ServiceNotifier manager;
  EXPECT_TRUE(manager.Start([]() -> ServiceNotifier::View { return {true, "ready"}; }).ok());
  manager.Ready();
  manager.Reloading();
  manager.Stopping();
}

TEST_F(ServiceNotifierTest, WhenStarting_TellsItsStatusAndExtendsItsTime) {
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ("STATUS=ready: 1 of 2\nEXTEND_TIMEOUT_USEC=15000000\n", socket_.Next());
  EXPECT_EQ("EXTEND_TIMEOUT_USEC=15000000\n", socket_.Next());
}

TEST_F(ServiceNotifierTest, WhenReady_SaysSoOnce) {
  ASSERT_TRUE(Start().ok());
  manager_.Ready();
  EXPECT_THAT(socket_.NextWith("READY"), StartsWith("READY=1\n"));
  manager_.Ready();
  EXPECT_EQ(std::nullopt, socket_.Next(absl::Seconds(2)));
}

TEST_F(ServiceNotifierTest, WhenReloadedBeforeItServes_SaysNothing) {
  EXPECT_FALSE(manager_.Reloading());
  EXPECT_EQ(std::nullopt, socket_.Next(absl::Milliseconds(50)));
}

TEST_F(ServiceNotifierTest, WhenStopping_IsNeitherReadyNorReloadedAnyMore) {
  manager_.Ready();
  manager_.Stopping();
  EXPECT_FALSE(manager_.Reloading());
  manager_.Ready();
  EXPECT_THAT(socket_.NextWith("STOPPING"), StartsWith("STOPPING=1\n"));
  EXPECT_EQ(std::nullopt, socket_.Next(absl::Milliseconds(50)));
}

TEST_F(ServiceNotifierTest, WhenTheStatusChanges_TellsTheNewOneOnly) {
  ASSERT_TRUE(Start().ok());
  manager_.Ready();
  running_ = 2;
  EXPECT_EQ("STATUS=ready: 2 of 2\n", socket_.NextWith("STATUS=ready: 2"));
  EXPECT_EQ(std::nullopt, socket_.Next(absl::Seconds(2))) << "nothing has changed since";
}

TEST_F(ServiceNotifierTest, WhenReloaded_TellsWhenItBegan) {
  manager_.Ready();
  EXPECT_THAT(socket_.Next().value(), StartsWith("READY=1\n"));
  EXPECT_TRUE(manager_.Reloading());
  EXPECT_THAT(socket_.Next().value(), StartsWith("RELOADING=1\nMONOTONIC_USEC="));
  manager_.Ready();
  EXPECT_THAT(socket_.Next().value(), StartsWith("READY=1\n"));
}

TEST_F(ServiceNotifierTest, WhenStopping_ExtendsItsTimeUntilTheEnd) {
  ASSERT_TRUE(Start().ok());
  manager_.Ready();
  EXPECT_THAT(socket_.NextWith("READY"), Not(HasSubstr("EXTEND")));
  manager_.Stopping();
  EXPECT_THAT(socket_.NextWith("STOPPING=1"), HasSubstr("EXTEND_TIMEOUT_USEC=15000000\n"));
  for (int i = 0; i < 2; ++i) EXPECT_EQ("EXTEND_TIMEOUT_USEC=15000000\n", socket_.Next());
}

TEST_F(ServiceNotifierTest, WhenAWatchdogWaits_HearsOfTheLivingOnly) {
  const Variable watchdog("WATCHDOG_USEC", "60000");
  manager_.Ready();
  ASSERT_TRUE(Start().ok());
  for (int i = 0; i < 5; ++i) EXPECT_THAT(socket_.NextWith("WATCHDOG"), HasSubstr("WATCHDOG=1\n"));
  alive_ = false;
  // What was under way may still come.
  EXPECT_TRUE(Eventually([&] { return !socket_.Next(absl::Milliseconds(300)).has_value(); }));
  alive_ = true;
  EXPECT_EQ("WATCHDOG=1\n", socket_.Next());
}

TEST_F(ServiceNotifierTest, WhenAWatchdogWaitsForEver_IsFedOnceAndNotWithoutAPause) {
  for (const char* microseconds : {"18446744073709551614", "9223372036854775808", "3600000000"}) {
    const Variable watchdog("WATCHDOG_USEC", microseconds);
    ServiceNotifier manager;
    manager.Ready();
    ASSERT_TRUE(manager.Start([this] {
                         return ServiceNotifier::View{alive_.load(), "still"};
                       })
                    .ok());
    EXPECT_THAT(socket_.NextWith("WATCHDOG"), HasSubstr("STATUS=still"));
    EXPECT_EQ(std::nullopt, socket_.Next(absl::Milliseconds(300))) << microseconds;
  }
}

TEST_F(ServiceNotifierTest, WhenTheWatchdogIsAnotherProcesss_SaysNothingToIt) {
  const Variable watchdog("WATCHDOG_USEC", "60000");
  const Variable process("WATCHDOG_PID", "1");
  manager_.Ready();
  ASSERT_TRUE(Start().ok());
  EXPECT_THAT(socket_.NextWith("STATUS="), StartsWith("STATUS="));
  EXPECT_EQ(std::nullopt, socket_.Next(absl::Milliseconds(300)));
}

TEST_F(ServiceNotifierTest, WhenTheManagerDoesNotRead_BlocksNobodyAndTellsTheChangeLater) {
  ASSERT_TRUE(Start().ok());
  const NotifySender filler;
  while (filler.Send("filler")) {
  }
  manager_.Ready();
  EXPECT_FALSE(manager_.Reloading()) << "the manager has not heard READY yet";
  manager_.Stopping();
  EXPECT_THAT(socket_.NextWith("READY"), StartsWith("READY=1\nSTOPPING=1\n"));
}

TEST(TakePassedSockets, WhenNoneIsPassed_HasNone) {
  std::vector<PassedSocket> sockets;
  EXPECT_TRUE(TakePassedSockets(sockets).ok());
  EXPECT_THAT(sockets, IsEmpty());
}

TEST(TakePassedSockets, WhenTheVariablesAreNonsense_SaysSo) {
  const Variable process("LISTEN_PID", absl::StrCat(getpid()));
  const Variable count("LISTEN_FDS", "many");
  std::vector<PassedSocket> sockets;
  const absl::Status taken = TakePassedSockets(sockets);
  EXPECT_EQ(absl::StatusCode::kInternal, taken.code());
  EXPECT_THAT(std::string(taken.message()), HasSubstr("$LISTEN_FDS"));
  EXPECT_EQ(nullptr, getenv("LISTEN_FDS")) << "it is not for the children of this process";
}

}  // namespace
}  // namespace mainspring
