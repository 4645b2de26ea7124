#include <errno.h>
#include <sys/socket.h>

#include <array>
#include <string>
#include <utility>

#include "cookbook/v1/cookbook.component.pb.h"

namespace cookbook {

// Reads datagrams from a socket, between calls, on its one thread.
class Sensor final : public v1::SensorComponent {
 public:
  // The socket is main's, and stays open for the next instance.
  Sensor(mainspring::Context& context, int socket) : SensorComponent(context), socket_(socket) {}

  absl::Status Start() override {
    Listen();
    return absl::OkStatus();
  }

  void GetReading(v1::GetReadingRequest, mainspring::Reply<v1::GetReadingResponse> reply) override {
    reply.Send(last_);
  }

 private:
  // A coroutine as well, which goes when the instance does.
  void Listen() {
    std::array<char, 512> datagram;
    while (true) {
      co_await context().WhenReadable(socket_);
      const ssize_t size = recv(socket_, datagram.data(), datagram.size(), MSG_DONTWAIT);
      if (size < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      if (size < 0) {
        context().Fail(absl::ErrnoToStatus(errno, "the sensor's socket"));
        co_return;
      }
      last_.set_text(std::string(datagram.data(), static_cast<size_t>(size)));
      last_.set_readings(last_.readings() + 1);
    }
  }

  const int socket_;
  v1::GetReadingResponse last_;
};

}  // namespace cookbook
