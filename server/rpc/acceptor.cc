#include "mainspring/server/rpc/acceptor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace mainspring::rpc {
namespace {

// How long accepting rests where it cannot go on: nothing tells when a descriptor comes free.
constexpr int kRestMilliseconds = 100;
constexpr int kUnusedLooks = 8;

// How many clients of one listener come before the next listener's turn.
constexpr int kAcceptsInARow = 16;

// The descriptor may have been closed, and be another file's by now.
bool IsStill(int fd, dev_t device, ino_t inode) {
  struct stat status;
  return fstat(fd, &status) == 0 && status.st_dev == device && status.st_ino == inode;
}

// As gRPC writes it; empty for an address that it writes otherwise.
std::string PeerName(const sockaddr_storage& peer) {
  char text[INET6_ADDRSTRLEN];
  if (peer.ss_family == AF_UNIX) return "unix:";
  if (peer.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(peer);
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
    return absl::StrCat("ipv4:", text, ":", ntohs(v4.sin_port));
  }
  if (peer.ss_family != AF_INET6) return "";
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(peer);
  if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
    inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], text, sizeof(text));
    return absl::StrCat("ipv4:", text, ":", ntohs(v6.sin6_port));
  }
  if (v6.sin6_scope_id != 0) return "";
  inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
  return absl::StrCat("ipv6:%5B", text, "%5D:", ntohs(v6.sin6_port));
}

}  // namespace

Door::Door(std::vector<std::unique_ptr<Listener>> listeners, size_t max_connections,
           absl::Duration untaken, Handoff handoff)
    : max_connections_(max_connections),
      untaken_milliseconds_(static_cast<unsigned>(absl::ToInt64Milliseconds(untaken))),
      handoff_(std::move(handoff)),
      listeners_(std::move(listeners)),
      idle_fd_(eventfd(0, EFD_CLOEXEC)),
      spare_fd_(fcntl(idle_fd_, F_DUPFD_CLOEXEC, 0)) {}

Door::~Door() {
  for (const int fd : {idle_fd_, spare_fd_}) {
    if (fd >= 0) close(fd);
  }
}

void Door::Close() {
  MutexLock lock(mutex_);
  listeners_.clear();
}

size_t Door::CountConnections() {
  MutexLock lock(mutex_);
  Sweep();
  return connections_.size();
}

void Door::Sweep() {
  for (auto each = connections_.begin(); each != connections_.end();) {
    const Connection& connection = each->second;
    each = IsStill(each->first, connection.device, connection.inode) ? std::next(each)
                                                                     : connections_.erase(each);
  }
}

void Door::CloseUnused(SteadyTime now, absl::Duration oldest, absl::Duration longest_idle,
                       const std::function<bool(const std::string& peer)>& is_used) {
  MutexLock lock(mutex_);
  for (auto each = connections_.begin(); each != connections_.end();) {
    const auto current = each++;
    Connection& connection = current->second;
    if (connection.peer.empty()) continue;
    if (is_used(connection.peer)) {
      connection.used_at = now;
      connection.unused_looks = 0;
    } else if (++connection.unused_looks > kUnusedLooks &&
               (Between(connection.accepted_at, now) > oldest ||
                Between(connection.used_at, now) > longest_idle) &&
               !ShutDown(current->first, connection, /*unread_too=*/false)) {
      connections_.erase(current);
    }
  }
}

void Door::CloseAll() {
  MutexLock lock(mutex_);
  for (const auto& [fd, connection] : connections_) ShutDown(fd, connection, /*unread_too=*/true);
}

// By a copy of its own, which nobody closes between the look and the shutdown, and which takes no
// free descriptor: where there is none, this is what makes one.
bool Door::ShutDown(int fd, const Connection& connection, bool unread_too) {
  if (spare_fd_ < 0) return true;
  if (dup3(fd, spare_fd_, O_CLOEXEC) < 0) return errno != EBADF;
  const bool is_still = IsStill(spare_fd_, connection.device, connection.inode);
  int unread = 0;
  // What the client has sent may be a call.
  if (is_still && (unread_too || (ioctl(spare_fd_, FIONREAD, &unread) == 0 && unread == 0))) {
    shutdown(spare_fd_, SHUT_RDWR);
  }
  dup3(idle_fd_, spare_fd_, O_CLOEXEC);
  return is_still;
}

bool Door::HasRoom() {
  if (connections_.size() < max_connections_) return true;
  Sweep();
  return connections_.size() < max_connections_;
}

Door::Accepted Door::AcceptOne(int listening_fd) {
  MutexLock lock(mutex_);
  // The listener may have been closed since the poll, and its descriptor may be another's by now.
  bool ours = false;
  for (const auto& listener : listeners_) ours |= listener->fd() == listening_fd;
  if (!ours) return Accepted::kNone;
  if (!HasRoom()) return Accepted::kExhausted;
  sockaddr_storage peer = {};
  socklen_t length = sizeof(peer);
  const int fd = accept4(listening_fd, reinterpret_cast<sockaddr*>(&peer), &length,
                         SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) {
    const bool lost = errno == EINVAL || errno == EBADF || errno == ENOTSOCK;
    const bool exhausted =
        errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    return lost ? Accepted::kLost : exhausted ? Accepted::kExhausted : Accepted::kNone;
  }
  // gRPC does so for connections that it accepts itself. Not of a unix socket.
  setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &untaken_milliseconds_,
             sizeof(untaken_milliseconds_));
  struct stat status = {};
  fstat(fd, &status);
  const SteadyTime now = std::chrono::steady_clock::now();
  connections_[fd] = {status.st_dev, status.st_ino, PeerName(peer), now, now, 0};
  handoff_(fd);
  return Accepted::kOne;
}

std::string Door::Drop(int listening_fd) {
  MutexLock lock(mutex_);
  const auto found = std::find_if(listeners_.begin(), listeners_.end(), [&](const auto& listener) {
    return listener->fd() == listening_fd;
  });
  if (found == listeners_.end()) return "";
  const std::string address = (*found)->address();
  listeners_.erase(found);
  return address;
}

Acceptor::~Acceptor() {
  stop_.store(true);
  if (wake_fd_ >= 0) Wake();
  thread_.reset();
  if (wake_fd_ >= 0) close(wake_fd_);
}

absl::Status Acceptor::Start() {
  wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd_ < 0) {
    return absl::ResourceExhaustedError(absl::StrCat("accept thread: eventfd: ", strerror(errno)));
  }
  absl::StatusOr<std::unique_ptr<Thread>> thread = Thread::Start("accept", [this] { Run(); });
  if (!thread.ok()) return thread.status();
  thread_ = *std::move(thread);
  return absl::OkStatus();
}

void Acceptor::Wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof(one));
}

bool Acceptor::Accept(Door& door, int listening_fd, bool& exhausted) {
  for (int accepted = 0; accepted < kAcceptsInARow; ++accepted) {
    switch (door.AcceptOne(listening_fd)) {
      case Door::Accepted::kOne:
        break;
      case Door::Accepted::kNone:
        return accepted != 0;
      case Door::Accepted::kExhausted:
        exhausted = true;
        return accepted != 0;
      case Door::Accepted::kLost:
        // Unless its door has been closed meanwhile.
        if (const std::string lost = door.Drop(listening_fd); !lost.empty()) on_loss_(lost);
        return accepted != 0;
    }
  }
  return true;
}

void Acceptor::Run() {
  bool resting = false;
  while (!stop_.load()) {
    std::vector<pollfd> polled = {{wake_fd_, POLLIN, 0}};
    std::vector<Door*> door_of = {nullptr};
    for (Door* door : doors_) {
      MutexLock lock(door->mutex_);
      for (const auto& listener : door->listeners_) {
        if (!resting) polled.push_back({listener->fd(), POLLIN, 0});
        door_of.push_back(door);
      }
    }
    poll(polled.data(), polled.size(), resting ? kRestMilliseconds : -1);
    if (polled[0].revents != 0) {
      uint64_t wakes;
      [[maybe_unused]] const ssize_t read_bytes = read(wake_fd_, &wakes, sizeof(wakes));
    }
    const bool rested = std::exchange(resting, false);
    bool accepted = false;
    if (rested) continue;
    for (size_t i = 1; i < polled.size(); ++i) {
      if (polled[i].revents == 0) continue;
      accepted |= Accept(*door_of[i], polled[i].fd, resting);
    }
    if (resting && !exhausted_) {
      exhausted_ = true;
      on_exhaustion_(true);
    } else if (exhausted_ && accepted && !resting) {
      exhausted_ = false;
      on_exhaustion_(false);
    }
  }
}

}  // namespace mainspring::rpc
