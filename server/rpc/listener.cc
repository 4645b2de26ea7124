#include "server/rpc/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace mainspring::rpc {
namespace {

// Linux cuts it to net.core.somaxconn.
constexpr int kBacklog = 4096;

absl::Status Failed(absl::string_view doing) {
  const char* reason = errno == EADDRINUSE ? "address already in use" : strerror(errno);
  return absl::UnavailableError(absl::StrCat(doing, ": ", reason));
}

int NewSocket(int family) { return socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }

void SetOption(int fd, int level, int option) {
  const int on = 1;
  setsockopt(fd, level, option, &on, sizeof(on));
}

std::string BoundAddress(int fd, uint16_t& port) {
  sockaddr_storage bound = {};
  socklen_t size = sizeof(bound);
  getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size);
  char text[INET6_ADDRSTRLEN] = "";
  if (bound.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(bound);
    port = ntohs(v6.sin6_port);
    inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
    return absl::StrCat("[", text, "]:", port);
  }
  const auto& v4 = reinterpret_cast<const sockaddr_in&>(bound);
  port = ntohs(v4.sin_port);
  inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
  return absl::StrCat(text, ":", port);
}

// Whether `name` is the file of a socket that nobody listens on.
bool IsAbandoned(const sockaddr_un& name) {
  struct stat file;
  if (stat(name.sun_path, &file) != 0 || !S_ISSOCK(file.st_mode)) return false;
  const int probe = NewSocket(AF_UNIX);
  if (probe < 0) return false;
  const bool refused =
      connect(probe, reinterpret_cast<const sockaddr*>(&name), sizeof(name)) != 0 &&
      errno == ECONNREFUSED;
  close(probe);
  return refused;
}

absl::Status NotAnAddress(absl::string_view address) {
  return absl::InvalidArgumentError(absl::StrCat(
      "\"", address, "\" is not an address; write HOST:PORT, [IPV6]:PORT or unix:/PATH"));
}

}  // namespace

Listener::~Listener() {
  if (!path_.empty()) {
    // Another process may have put its own socket there since.
    struct stat now;
    if (stat(path_.c_str(), &now) == 0 && now.st_ino == file_.st_ino &&
        now.st_dev == file_.st_dev) {
      unlink(path_.c_str());
    }
  }
  // Closing alone would leave it listening for as long as another thread polls it.
  if (!adopted_) shutdown(fd_, SHUT_RDWR);
  close(fd_);
}

absl::StatusOr<std::vector<std::unique_ptr<Listener>>> Listener::Listen(absl::string_view address) {
  absl::string_view rest = address;
  if (absl::ConsumePrefix(&rest, "unix:")) {
    if (rest.empty() || rest[0] != '/') return NotAnAddress(address);
    absl::StatusOr<std::unique_ptr<Listener>> listener = ListenUnix(std::string(rest));
    if (!listener.ok()) return listener.status();
    std::vector<std::unique_ptr<Listener>> listeners;
    listeners.push_back(*std::move(listener));
    return listeners;
  }
  const size_t colon = address.rfind(':');
  uint32_t port;
  const absl::string_view digits =
      colon == absl::string_view::npos ? "" : address.substr(colon + 1);
  // SimpleAtoi takes signs and blanks too.
  if (!std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit) ||
      !absl::SimpleAtoi(digits, &port) || port > 65535) {
    return NotAnAddress(address);
  }
  absl::string_view host = address.substr(0, colon);
  if (absl::ConsumePrefix(&host, "[")) {
    if (!absl::ConsumeSuffix(&host, "]")) return NotAnAddress(address);
  } else if (host.find(':') != absl::string_view::npos) {
    return NotAnAddress(address);
  }
  if (host.empty()) return NotAnAddress(address);
  return ListenTcp(std::string(host), absl::StrCat(port));
}

absl::StatusOr<std::unique_ptr<Listener>> Listener::Adopt(int fd) {
  const auto refuse = [fd](absl::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat("descriptor ", fd, ": ", why));
  };
  int type = 0, listens = 0;
  socklen_t size = sizeof(type);
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0) return refuse(strerror(errno));
  size = sizeof(listens);
  if (type != SOCK_STREAM || getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 ||
      listens == 0) {
    return refuse("not a listening stream socket");
  }
  sockaddr_storage bound = {};
  size = sizeof(bound);
  getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size);
  if (bound.ss_family != AF_UNIX && bound.ss_family != AF_INET && bound.ss_family != AF_INET6) {
    return refuse("neither a TCP nor a unix socket");
  }
  fcntl(fd, F_SETFD, fcntl(fd, F_GETFD) | FD_CLOEXEC);
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  std::unique_ptr<Listener> listener(new Listener(fd));
  listener->adopted_ = true;
  listener->is_unix_ = bound.ss_family == AF_UNIX;
  if (listener->is_unix_) {
    listener->address_ =
        absl::StrCat("unix:", reinterpret_cast<const sockaddr_un&>(bound).sun_path);
  } else {
    uint16_t port;
    listener->address_ = BoundAddress(fd, port);
  }
  return listener;
}

absl::StatusOr<std::unique_ptr<Listener>> Listener::ListenUnix(const std::string& path) {
  sockaddr_un name = {};
  name.sun_family = AF_UNIX;
  if (path.size() >= sizeof(name.sun_path)) {
    return absl::InvalidArgumentError(absl::StrCat("unix:", path, ": longer than the ",
                                                   sizeof(name.sun_path) - 1,
                                                   " bytes that a socket's path may have"));
  }
  memcpy(name.sun_path, path.c_str(), path.size());
  const int fd = NewSocket(AF_UNIX);
  if (fd < 0) return Failed(absl::StrCat("unix:", path));
  std::unique_ptr<Listener> listener(new Listener(fd));
  // The mode of the socket becomes the mode of the file: set before there is one.
  fchmod(fd, 0600);
  const auto* address = reinterpret_cast<const sockaddr*>(&name);
  int error = bind(fd, address, sizeof(name));
  if (error != 0 && errno == EADDRINUSE && IsAbandoned(name)) {
    unlink(path.c_str());
    error = bind(fd, address, sizeof(name));
  }
  if (error != 0 || listen(fd, kBacklog) != 0) return Failed(absl::StrCat("unix:", path));
  stat(path.c_str(), &listener->file_);
  listener->path_ = path;
  listener->is_unix_ = true;
  listener->address_ = absl::StrCat("unix:", path);
  return listener;
}

absl::StatusOr<std::vector<std::unique_ptr<Listener>>> Listener::ListenTcp(
    const std::string& host, const std::string& port) {
  const std::string address = absl::StrCat(host, ":", port);
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), port.c_str(), &hints, &found); error != 0) {
    return absl::UnavailableError(absl::StrCat(address, ": ", gai_strerror(error)));
  }
  absl::Cleanup free = [found] { freeaddrinfo(found); };
  std::vector<std::unique_ptr<Listener>> listeners;
  uint16_t taken = 0;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    const int fd = NewSocket(each->ai_family);
    if (fd < 0) {
      // A name with an IPv6 address, on a machine without IPv6.
      if (errno == EAFNOSUPPORT && (each->ai_next != nullptr || !listeners.empty())) continue;
      return Failed(address);
    }
    std::unique_ptr<Listener> listener(new Listener(fd));
    SetOption(fd, SOL_SOCKET, SO_REUSEADDR);
    SetOption(fd, IPPROTO_TCP, TCP_NODELAY);
    if (taken != 0) {
      // The first address of a name with port 0 has chosen the port for all.
      auto& port_field = each->ai_family == AF_INET6
                             ? reinterpret_cast<sockaddr_in6*>(each->ai_addr)->sin6_port
                             : reinterpret_cast<sockaddr_in*>(each->ai_addr)->sin_port;
      port_field = htons(taken);
    }
    if (bind(fd, each->ai_addr, each->ai_addrlen) != 0 || listen(fd, kBacklog) != 0) {
      if (errno == EADDRNOTAVAIL && (each->ai_next != nullptr || !listeners.empty())) continue;
      return Failed(address);
    }
    listener->address_ = BoundAddress(fd, taken);
    listeners.push_back(std::move(listener));
  }
  if (listeners.empty()) return Failed(address);
  return listeners;
}

}  // namespace mainspring::rpc
