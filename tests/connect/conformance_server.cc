// A server under test of connectrpc's conformance suite: a host that is told by the suite's runner,
// on standard input, how to serve, and tells it, on standard output, where.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "connectrpc/conformance/v1/service.binding.pb.h"
#include "mainspring/host.h"
#include "tests/connect/conformance_service.h"

namespace {

using connectrpc::conformance::v1::ServerCompatRequest;
using connectrpc::conformance::v1::ServerCompatResponse;
using mainspring::HostConfig;

constexpr uint32_t kMaxRequest = 1 << 20;
constexpr char kHost[] = "127.0.0.1";

[[noreturn]] void Fail(const char* what) {
  std::perror(what);
  std::exit(EXIT_FAILURE);
}

// A message goes after its length in four bytes, the highest first.
ServerCompatRequest ReadRequest() {
  uint32_t length = 0;
  if (std::fread(&length, sizeof(length), 1, stdin) != 1) Fail("expected a request on stdin");
  length = ntohl(length);
  std::string bytes(std::min(length, kMaxRequest), '\0');
  ServerCompatRequest request;
  if (std::fread(bytes.data(), 1, bytes.size(), stdin) != length ||
      !request.ParseFromString(bytes)) {
    Fail("expected a ServerCompatRequest on stdin");
  }
  return request;
}

void Write(const ServerCompatResponse& response) {
  const std::string bytes = response.SerializeAsString();
  const uint32_t length = htonl(static_cast<uint32_t>(bytes.size()));
  if (std::fwrite(&length, sizeof(length), 1, stdout) != 1 ||
      std::fwrite(bytes.data(), 1, bytes.size(), stdout) != bytes.size() ||
      std::fflush(stdout) != 0) {
    Fail("expected the runner to read stdout");
  }
}

// A socket that listens on any free port, which it sets.
int Listen(uint32_t& port) {
  sockaddr_in name = {};
  name.sin_family = AF_INET;
  inet_pton(AF_INET, kHost, &name.sin_addr);
  socklen_t size = sizeof(name);
  auto* const address = reinterpret_cast<sockaddr*>(&name);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, address, size) != 0 || listen(fd, SOMAXCONN) != 0 ||
      getsockname(fd, address, &size) != 0) {
    Fail("expected a port on 127.0.0.1");
  }
  port = ntohs(name.sin_port);
  return fd;
}

// Who connects before the host serves waits in the socket's backlog.
void ServeAsTheRunnerSays(HostConfig& config) {
  const ServerCompatRequest request = ReadRequest();
  if (request.message_receive_limit() > 0) {
    config.data.limits.max_message_bytes = static_cast<int>(request.message_receive_limit());
  }
  ServerCompatResponse response;
  response.set_host(kHost);
  uint32_t port = 0;
  config.data.addresses.clear();
  config.data.sockets = {Listen(port)};
  response.set_port(port);
  Write(response);
  // The runner waits for what it does not read, so the host's last words go elsewhere.
  if (dup2(STDERR_FILENO, STDOUT_FILENO) < 0) Fail("expected to redirect stdout");
}

}  // namespace

int main(int argc, char** argv) {
  using connectrpc::conformance::v1::ConformanceServiceType;
  using mainspring::testing::ConformanceService;
  return mainspring::HostMain(argc, argv,
                              {ConformanceServiceType<ConformanceService>("conformance_service")},
                              ServeAsTheRunnerSays);
}
