#include "mainspring/server/systemd/notify_sender.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>

namespace mainspring {

NotifySender::NotifySender() {
  const char* const name = std::getenv("NOTIFY_SOCKET");
  if (name == nullptr || (name[0] != '/' && name[0] != '@')) return;
  name_ = name;
  if (name_.size() >= sizeof(sockaddr_un::sun_path)) return;
  if (name_[0] == '@') name_[0] = '\0';
  fd_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

NotifySender::~NotifySender() {
  if (fd_ >= 0) close(fd_);
}

bool NotifySender::Send(const std::string& lines) const {
  if (fd_ < 0) return true;
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, name_.data(), name_.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size());
  return sendto(fd_, lines.data(), lines.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                reinterpret_cast<const sockaddr*>(&address), size) >= 0 ||
         (errno != EAGAIN && errno != ENOBUFS && errno != EINTR);
}

}  // namespace mainspring
