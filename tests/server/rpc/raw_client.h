// RawClient: an HTTP/2 client that says what the test wants and nothing else, as no decent client
// does.
#ifndef MAINSPRING_TESTS_SERVER_RPC_RAW_CLIENT_H_
#define MAINSPRING_TESTS_SERVER_RPC_RAW_CLIENT_H_

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "tests/server/eventually.h"

namespace mainspring::testing {

class RawClient {
 public:
  // Connects to "HOST:PORT", on loopback, or "unix:/PATH", and says nothing yet.
  explicit RawClient(const std::string& address)
      : fd_(socket(FamilyOf(address), SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    EXPECT_TRUE(Connect(address)) << address << ": " << strerror(errno);
  }
  ~RawClient() { close(fd_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // The preface, and the settings: how many bytes the server may send of each answer.
  void Greet(uint32_t window = 65535) {
    Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" +
         Frame(kSettings, 0, 0, std::string("\0\4", 2) + Number(window)));
  }

  // Begins a call; its message follows, or never does. Streams are odd and grow.
  void SendHeaders(uint32_t stream, const std::string& path) {
    std::string block;
    for (const auto& [name, value] : {std::pair<std::string, std::string>{":method", "POST"},
                                      {":scheme", "http"},
                                      {":path", path},
                                      {":authority", "test"},
                                      {"content-type", "application/grpc"},
                                      {"te", "trailers"}}) {
      block += '\0';
      block += static_cast<char>(name.size());
      block += name;
      block += static_cast<char>(value.size());
      block += value;
    }
    Send(Frame(kHeaders, kEndHeaders, stream, block));
  }
  void SendMessage(uint32_t stream, const std::string& message, bool last = true) {
    Send(Frame(kData, last ? kEndStream : 0, stream,
               std::string(1, '\0') + Number(static_cast<uint32_t>(message.size())) + message));
  }
  void Call(uint32_t stream, const std::string& path, const std::string& message) {
    SendHeaders(stream, path);
    SendMessage(stream, message);
  }

  // Returns when the server has read all that was sent before. False: the connection has gone.
  bool Ping() {
    Send(Frame(kPing, 0, 0, std::string(8, 'p')));
    while (Await(9)) {
      const size_t length = static_cast<uint8_t>(input_[0]) << 16 |
                            static_cast<uint8_t>(input_[1]) << 8 | static_cast<uint8_t>(input_[2]);
      const char type = input_[3];
      const char flags = input_[4];
      if (!Await(9 + length)) return false;
      input_.erase(0, 9 + length);
      if (type == kPing && (flags & kAck) != 0) return true;
    }
    return false;
  }

  // Reads until the server closes the connection; false: it does not.
  bool AwaitEnd(absl::Duration limit = kPatience) {
    const SteadyTime deadline = Soon(limit);
    while (Receive(deadline)) input_.clear();
    return ended_;
  }

 private:
  static constexpr char kData = 0, kHeaders = 1, kSettings = 4, kPing = 6;
  static constexpr char kAck = 1, kEndStream = 1, kEndHeaders = 4;

  static std::string Number(uint32_t number) {
    number = htonl(number);
    return std::string(reinterpret_cast<const char*>(&number), sizeof(number));
  }
  static std::string Frame(char type, char flags, uint32_t stream, const std::string& payload) {
    return Number(static_cast<uint32_t>(payload.size())).substr(1) + type + flags + Number(stream) +
           payload;
  }

  static int FamilyOf(const std::string& address) {
    if (absl::StartsWith(address, "unix:")) return AF_UNIX;
    return address.front() == '[' ? AF_INET6 : AF_INET;
  }
  bool Connect(const std::string& address) {
    if (absl::StartsWith(address, "unix:")) {
      sockaddr_un name = {};
      name.sun_family = AF_UNIX;
      address.copy(name.sun_path, sizeof(name.sun_path) - 1, strlen("unix:"));
      return ConnectTo(name);
    }
    uint32_t port = 0;
    if (!absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port)) return false;
    if (address.front() == '[') {
      sockaddr_in6 name = {};
      name.sin6_family = AF_INET6;
      name.sin6_port = htons(static_cast<uint16_t>(port));
      name.sin6_addr = in6addr_loopback;
      return ConnectTo(name);
    }
    sockaddr_in name = {};
    name.sin_family = AF_INET;
    name.sin_port = htons(static_cast<uint16_t>(port));
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ConnectTo(name);
  }
  template <class Name>
  bool ConnectTo(const Name& name) {
    return connect(fd_, reinterpret_cast<const sockaddr*>(&name), sizeof(name)) == 0;
  }

  void Send(const std::string& bytes) {
    for (size_t sent = 0; sent < bytes.size();) {
      const ssize_t some = send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (some <= 0) return;  // Whoever reads will see that it has gone.
      sent += static_cast<size_t>(some);
    }
  }
  // More into input_; false: nothing came in time, or the end.
  bool Receive(SteadyTime deadline) {
    pollfd polled = {fd_, POLLIN, 0};
    const absl::Duration left = Between(std::chrono::steady_clock::now(), deadline);
    const int wait = std::max(0, static_cast<int>(absl::ToInt64Milliseconds(left)));
    if (ended_ || poll(&polled, 1, wait) <= 0) return false;
    char bytes[4096];
    const ssize_t some = recv(fd_, bytes, sizeof(bytes), 0);
    ended_ = some <= 0;
    if (!ended_) input_.append(bytes, static_cast<size_t>(some));
    return !ended_;
  }
  bool Await(size_t bytes) {
    const SteadyTime deadline = Soon();
    while (input_.size() < bytes) {
      if (!Receive(deadline)) return false;
    }
    return true;
  }

  const int fd_;
  bool ended_ = false;
  std::string input_;
};

}  // namespace mainspring::testing

#endif  // MAINSPRING_TESTS_SERVER_RPC_RAW_CLIENT_H_
