#include "mainspring/server/rpc/acceptor.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "tests/server/rpc/trial_plane.h"
#include "tests/testing/trial.h"

namespace mainspring::rpc {
namespace {

using ::testing::ElementsAre;
using testing::Eventually;

// A client's end, that says nothing.
class Client {
 public:
  Client() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~Client() { close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Blocks until it is closed by the other side.
  bool IsClosed() {
    char byte;
    return read(fd_, &byte, 1) == 0;
  }

  bool Connect(const std::string& address) {
    int port = 0;
    EXPECT_TRUE(absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port));
    sockaddr_in name = {};
    name.sin_family = AF_INET;
    name.sin_port = htons(port);
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect(fd_, reinterpret_cast<const sockaddr*>(&name), sizeof(name)) == 0;
  }

 private:
  const int fd_;
};

// The plane's side is a list of descriptors.
class AcceptorTest : public ::testing::Test {
 protected:
  ~AcceptorTest() override {
    acceptor_.reset();
    CloseAccepted();
  }

  void Open(size_t max_connections) {
    auto listeners = Listener::Listen("127.0.0.1:0");
    ASSERT_TRUE(listeners.ok());
    address_ = listeners->front()->address();
    door_ = std::make_unique<Door>(*std::move(listeners), max_connections, absl::Seconds(20),
                                   [this](int fd) {
                                     MutexLock lock(mutex_);
                                     accepted_.push_back(fd);
                                   });
    acceptor_ = std::make_unique<Acceptor>([this](bool exhausted) {
      MutexLock lock(mutex_);
      exhaustions_.push_back(exhausted);
    });
    acceptor_->Add(*door_);
    ASSERT_TRUE(acceptor_->Start().ok());
  }

  size_t accepted() {
    MutexLock lock(mutex_);
    return accepted_.size();
  }
  std::vector<bool> exhaustions() {
    MutexLock lock(mutex_);
    return exhaustions_;
  }
  void CloseAccepted() {
    MutexLock lock(mutex_);
    for (int fd : accepted_) close(fd);
    accepted_.clear();
  }

  std::string address_;
  Mutex mutex_;
  std::vector<int> accepted_ ABSL_GUARDED_BY(mutex_);
  std::vector<bool> exhaustions_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Door> door_;
  std::unique_ptr<Acceptor> acceptor_;
};

TEST_F(AcceptorTest, WhenSomebodyConnects_HandsItOnAndCountsIt) {
  Open(100);
  EXPECT_EQ(0u, door_->CountConnections());
  Client one, two;
  ASSERT_TRUE(one.Connect(address_));
  ASSERT_TRUE(two.Connect(address_));
  EXPECT_TRUE(Eventually([&] { return accepted() == 2; }));
  EXPECT_EQ(2u, door_->CountConnections());
  EXPECT_THAT(exhaustions(), ElementsAre());
}

// A time at which everything that is not used is to go.
void CloseAllUnused(Door& door, const std::function<bool(const std::string& peer)>& is_used) {
  const SteadyTime later = After(std::chrono::steady_clock::now(), absl::Hours(1));
  for (int look = 0; look < 20; ++look) {
    door.CloseUnused(later, absl::Minutes(1), absl::Minutes(1), is_used);
  }
}

TEST_F(AcceptorTest, WhenNoDescriptorIsFree_UnusedConnectionsAreClosedAllTheSame) {
  Open(100);
  Client client;
  ASSERT_TRUE(client.Connect(address_));
  ASSERT_TRUE(Eventually([&] { return accepted() == 1; }));
  rlimit before;
  getrlimit(RLIMIT_NOFILE, &before);
  const rlimit few = {64, before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &few);
  std::vector<int> all;
  for (int fd = dup(0); fd >= 0; fd = dup(0)) all.push_back(fd);
  CloseAllUnused(*door_, [](const std::string&) { return false; });
  for (const int fd : all) close(fd);
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_FALSE(all.empty());
  EXPECT_TRUE(client.IsClosed());
}

TEST_F(AcceptorTest, WhenAConnectionHasGone_IsLookedAtNoMore) {
  Open(100);
  Client client;
  ASSERT_TRUE(client.Connect(address_));
  ASSERT_TRUE(Eventually([&] { return accepted() == 1; }));
  CloseAccepted();
  int looks = 0;
  const auto count = [&looks](const std::string&) {
    ++looks;
    return false;
  };
  CloseAllUnused(*door_, count);
  EXPECT_GT(looks, 0);
  looks = 0;
  CloseAllUnused(*door_, count);
  EXPECT_EQ(0, looks);
}

TEST_F(AcceptorTest, WhenADescriptorIsClosed_CountsItNoMore) {
  Open(100);
  Client client;
  ASSERT_TRUE(client.Connect(address_));
  ASSERT_TRUE(Eventually([&] { return accepted() == 1; }));
  CloseAccepted();
  EXPECT_EQ(0u, door_->CountConnections());
}

TEST_F(AcceptorTest, WhenItsDescriptorIsAnotherFilesByNow_CountsItNoMore) {
  Open(100);
  Client client;
  ASSERT_TRUE(client.Connect(address_));
  ASSERT_TRUE(Eventually([&] { return accepted() == 1; }));
  const int other = open("/dev/null", O_RDONLY | O_CLOEXEC);
  {
    MutexLock lock(mutex_);
    ASSERT_EQ(accepted_[0], dup2(other, accepted_[0]));
  }
  close(other);
  EXPECT_EQ(0u, door_->CountConnections());
}

TEST_F(AcceptorTest, WhenThereAreAsManyAsAllowed_TheNextWaitsUntilOneGoes) {
  Open(2);
  Client one, two, three;
  ASSERT_TRUE(one.Connect(address_));
  ASSERT_TRUE(two.Connect(address_));
  ASSERT_TRUE(Eventually([&] { return accepted() == 2; }));
  ASSERT_TRUE(three.Connect(address_)) << "the system has it in its queue";
  ASSERT_TRUE(Eventually([&] { return exhaustions() == std::vector<bool>{true}; }));
  EXPECT_EQ(2u, accepted());
  CloseAccepted();
  EXPECT_TRUE(Eventually([&] { return accepted() == 1; }));
  EXPECT_TRUE(Eventually([&] { return exhaustions() == std::vector<bool>({true, false}); }));
}

TEST_F(AcceptorTest, WhenDescriptorsRunOut_WaitsAndGoesOnWhenTheyComeBack) {
  Open(100);
  Client early, late;
  ASSERT_TRUE(early.Connect(address_));
  ASSERT_TRUE(Eventually([&] { return accepted() == 1; }));
  rlimit before;
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit low = before;
  low.rlim_cur = 200;
  setrlimit(RLIMIT_NOFILE, &low);
  std::vector<int> taken;
  for (int fd; (fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) taken.push_back(fd);
  EXPECT_TRUE(late.Connect(address_));
  EXPECT_TRUE(Eventually([&] { return exhaustions() == std::vector<bool>{true}; }));
  EXPECT_EQ(1u, accepted());
  for (int fd : taken) close(fd);
  EXPECT_TRUE(Eventually([&] { return accepted() == 2; }));
  EXPECT_TRUE(Eventually([&] { return exhaustions() == std::vector<bool>({true, false}); }));
  setrlimit(RLIMIT_NOFILE, &before);
}

TEST_F(AcceptorTest, WhenTheDoorIsClosed_NobodyConnectsAndWhoIsInStays) {
  Open(100);
  Client in;
  ASSERT_TRUE(in.Connect(address_));
  ASSERT_TRUE(Eventually([&] { return accepted() == 1; }));
  door_->Close();
  acceptor_->Wake();
  EXPECT_TRUE(Eventually([&] { return !Client().Connect(address_); }));
  EXPECT_EQ(1u, door_->CountConnections());
}

TEST_F(AcceptorTest, WhenTheDoorIsClosed_TheAddressIsFreeWithoutAWake) {
  Open(100);
  Client in;
  ASSERT_TRUE(in.Connect(address_));
  ASSERT_TRUE(Eventually([&] { return accepted() == 1; }));
  door_->Close();
  EXPECT_TRUE(Eventually([&] { return Listener::Listen(address_).ok(); }, absl::Seconds(2)));
  EXPECT_FALSE(Client().Connect(address_)) << "a client would wait for an answer for ever";
}

TEST_F(AcceptorTest, WhenDestroyed_LeavesItsDoorsAsTheyAre) {
  Open(100);
  acceptor_.reset();
  Client client;
  EXPECT_TRUE(client.Connect(address_)) << "into the system's queue";
  EXPECT_EQ(0u, door_->CountConnections());
}

// Two doors, whose clients come before anybody accepts.
class TwoDoorsTest : public ::testing::Test {
 protected:
  ~TwoDoorsTest() override {
    acceptor_.reset();
    MutexLock lock(mutex_);
    for (const auto& [door, fd] : accepted_) close(fd);
  }

  // Says where it is; `held` becomes a descriptor of its socket that another process might have.
  std::string Open(int number, size_t max_connections, int* held = nullptr) {
    Listeners listeners = Listener::Listen("127.0.0.1:0").value();
    const std::string address = listeners.front()->address();
    if (held != nullptr) *held = dup(listeners.front()->fd());
    doors_.push_back(std::make_unique<Door>(std::move(listeners), max_connections,
                                            absl::Seconds(20), [this, number](int fd) {
                                              MutexLock lock(mutex_);
                                              accepted_.emplace_back(number, fd);
                                            }));
    acceptor_->Add(*doors_.back());
    return address;
  }
  // By door.
  std::vector<int> accepted() {
    MutexLock lock(mutex_);
    std::vector<int> doors;
    for (const auto& [door, fd] : accepted_) doors.push_back(door);
    return doors;
  }
  std::vector<bool> exhaustions() {
    MutexLock lock(mutex_);
    return exhaustions_;
  }
  std::vector<std::string> losses() {
    MutexLock lock(mutex_);
    return losses_;
  }

  Mutex mutex_;
  std::vector<std::pair<int, int>> accepted_ ABSL_GUARDED_BY(mutex_);
  std::vector<bool> exhaustions_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> losses_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Door>> doors_;
  std::unique_ptr<Acceptor> acceptor_ = std::make_unique<Acceptor>(
      [this](bool exhausted) {
        MutexLock lock(mutex_);
        exhaustions_.push_back(exhausted);
      },
      [this](const std::string& address) {
        MutexLock lock(mutex_);
        losses_.push_back(address);
      });
};

TEST_F(TwoDoorsTest, WhenManyWaitAtOne_TheOthersTurnComesSoon) {
  const std::string flooded = Open(1, 1000);
  const std::string quiet = Open(2, 1000);
  std::deque<Client> clients(200);
  for (Client& client : clients) ASSERT_TRUE(client.Connect(flooded));
  Client one;
  ASSERT_TRUE(one.Connect(quiet));
  ASSERT_TRUE(acceptor_->Start().ok());
  ASSERT_TRUE(Eventually([&] { return accepted().size() == 201; }));
  const std::vector<int> order = accepted();
  EXPECT_LT(std::find(order.begin(), order.end(), 2) - order.begin(), 50);
}

TEST_F(TwoDoorsTest, WhenOneIsFull_WhoComesToTheOtherDoesNotMakeItAcceptAgain) {
  const std::string full = Open(1, 1);
  const std::string open = Open(2, 1000);
  Client in, waiting;
  ASSERT_TRUE(in.Connect(full));
  ASSERT_TRUE(waiting.Connect(full));
  ASSERT_TRUE(acceptor_->Start().ok());
  ASSERT_TRUE(Eventually([&] { return exhaustions() == std::vector<bool>{true}; }));
  std::deque<Client> clients(5);
  for (size_t i = 0; i < clients.size(); ++i) {
    ASSERT_TRUE(clients[i].Connect(open));
    ASSERT_TRUE(Eventually([&] { return accepted().size() == i + 2; }));
  }
  EXPECT_EQ(std::vector<bool>{true}, exhaustions());
}

TEST_F(TwoDoorsTest, WhenAnotherProcessShutsASocketDown_SaysSoOnceAndServesTheOther) {
  int shared = -1;
  const std::string address = Open(1, 10, &shared);
  const std::string other = Open(2, 10);
  ASSERT_TRUE(acceptor_->Start().ok());
  shutdown(shared, SHUT_RDWR);
  EXPECT_TRUE(Eventually([&] { return !losses().empty(); }));
  Client client;
  ASSERT_TRUE(client.Connect(other));
  EXPECT_TRUE(Eventually([&] { return accepted().size() == 1; }));
  EXPECT_THAT(losses(), ElementsAre(address));
  EXPECT_THAT(exhaustions(), ElementsAre());
  close(shared);
}

TEST(Acceptor, WhenDestroyedWithoutStart_DoesNothing) {
  Acceptor acceptor([](bool) {});
}

TEST(Acceptor, WhenGrpcClientsComeAndGo_ThePlaneCountsThem) {
  testing::TrialPlane plane(trial::v1::TrialType<testing::Trial>("trial"));
  auto one = plane.NewStub();
  auto two = plane.NewStub();
  ASSERT_TRUE(testing::Echo(*one).ok());
  ASSERT_TRUE(testing::Echo(*two).ok());
  EXPECT_EQ(2u, plane.plane().door().CountConnections());
  one.reset();
  EXPECT_TRUE(Eventually([&] { return plane.plane().door().CountConnections() == 1; }));
  EXPECT_TRUE(testing::Echo(*two).ok());
  two.reset();
  EXPECT_TRUE(Eventually([&] { return plane.plane().door().CountConnections() == 0; }));
}

TEST(Acceptor, WhenThePlaneIsFull_ServesTheNextClientOnceOneHasGone) {
  PlaneLimits limits;
  limits.max_connections = 1;
  testing::TrialPlane plane(trial::v1::TrialType<testing::Trial>("trial"), limits);
  auto one = plane.NewStub();
  ASSERT_TRUE(testing::Echo(*one).ok());
  auto two = plane.NewStub();
  testing::PendingEcho waiting(*two);
  one.reset();
  EXPECT_TRUE(waiting.Await().ok());
}

}  // namespace
}  // namespace mainspring::rpc
