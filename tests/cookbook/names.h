#include <netdb.h>

#include <array>
#include <memory>
#include <string>
#include <utility>

#include "cookbook/v1/cookbook.component.pb.h"

namespace cookbook {

// Asks the system's resolver, and waits for it. Any thread that may wait.
inline absl::StatusOr<v1::ResolveResponse> LookUp(const std::string& host) {
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), nullptr, nullptr, &found);
  if (error == EAI_NONAME) return absl::NotFoundError(gai_strerror(error));
  if (error != 0) return absl::UnavailableError(gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(found, &freeaddrinfo);
  std::array<char, NI_MAXHOST> address{};
  const int named = getnameinfo(found->ai_addr, found->ai_addrlen, address.data(), address.size(),
                                nullptr, 0, NI_NUMERICHOST);
  if (named != 0) return absl::InternalError(gai_strerror(named));
  v1::ResolveResponse response;
  response.set_address(address.data());
  return response;
}

class Names final : public v1::NamesComponent {
 public:
  using NamesComponent::NamesComponent;

  void Resolve(v1::ResolveRequest request, mainspring::Reply<v1::ResolveResponse> reply) override {
    // It gets a copy of what it works on: it runs on a thread of the host's, beside us.
    reply.Send(co_await context().RunBlocking(&LookUp, request.host()));
  }
};

}  // namespace cookbook
