// UnknownCalls: calls to what a plane does not serve. gRPC's own answer to them is a bare
// UNIMPLEMENTED; here it says where to ask instead.
#ifndef MAINSPRING_SERVER_RPC_UNKNOWN_CALL_H_
#define MAINSPRING_SERVER_RPC_UNKNOWN_CALL_H_

#include <map>
#include <memory>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace grpc {
class AsyncGenericService;
class ServerBuilder;
}  // namespace grpc

namespace mainspring::rpc {

class Ingress;

// Where the other planes' services are: by full name, in words, such as
// "the admin plane 127.0.0.1:50052".
using Elsewhere = std::map<std::string, std::string>;

// What is said of a call to `path`, "/mainspring.clock.v1.Clock/GetTime", on a plane that has the
// services `here` and not that method: UNIMPLEMENTED, with the way out. What the client wrote
// stands in the text escaped, and cut.
absl::Status WhyUnknown(absl::string_view path, const std::set<std::string>& here,
                        const Elsewhere& elsewhere);

// Of one plane. Every such call is answered as it comes: nothing is read from it, and no more of it
// is kept than gRPC does until the client has its answer. Must outlive the ingress.
class UnknownCalls {
 public:
  UnknownCalls(std::set<std::string> here, Elsewhere elsewhere);
  ~UnknownCalls();
  UnknownCalls(const UnknownCalls&) = delete;
  UnknownCalls& operator=(const UnknownCalls&) = delete;

  // Before the server is built.
  void RegisterWith(grpc::ServerBuilder& builder);
  // Once the server runs.
  void Arm(Ingress& ingress);

 private:
  class Call;

  void ArmAnother();

  const std::set<std::string> here_;
  const Elsewhere elsewhere_;
  const std::unique_ptr<grpc::AsyncGenericService> service_;
  Ingress* ingress_ = nullptr;
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_UNKNOWN_CALL_H_
