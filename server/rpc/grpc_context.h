// GrpcContext: the gRPC side of one call's circumstances, and what a CallContext tells of it.
#ifndef MAINSPRING_SERVER_RPC_GRPC_CONTEXT_H_
#define MAINSPRING_SERVER_RPC_GRPC_CONTEXT_H_

#include <grpcpp/server_context.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "mainspring/caller_side.h"
#include "mainspring/metadata.h"
#include "mainspring/mutex.h"
#include "mainspring/steady_time.h"

namespace mainspring::rpc {

// It ends when gRPC has no more to do with the call, for it keeps the connection's descriptor as
// long as it lives; whoever holds the right to answer may ask after that. The ingress thread alone
// begins and ends it, and so needs no lock to use it.
class GrpcContext final : public CallerSide {
 public:
  // For the next call: what was known of the one before is forgotten.
  grpc::ServerContext& Begin();
  // Keeps the peer's name, where somebody is left who may ask for it.
  void End(bool may_be_asked);

  // Between Begin and End, on the ingress thread.
  grpc::ServerContext& operator*() { return *context_; }
  grpc::ServerContext* operator->() { return &*context_; }

  // Any thread, at any time.

  // CallerSide.
  std::string Peer() const override;
  std::string Principal() const override;
  std::string Authority() const override;
  // Of values whose keys do not end in "-bin", bytes that are no UTF-8 are escaped.
  std::vector<Metadatum> AllMetadata() const override;
  std::vector<std::string> MetadataValues(absl::string_view key) const override;
  // False where the headers, or the trailers, were put to gRPC already.
  bool AddHeader(Metadatum header) override;
  bool AddTrailer(Metadatum trailer) override;

  // The check before the mailbox: in place of what the client has sent under that key.
  void AddMetadata(Metadatum metadatum);
  // In place of what the connection proves.
  void SetPrincipal(std::string principal);

  // Ingress thread only: before the first answer goes to gRPC, and before the end does.

  void PutHeaders();
  void PutTrailers();

 private:
  // What the component adds, and what the check before it did; few calls have any.
  struct Added {
    std::vector<Metadatum> headers;
    std::vector<Metadatum> trailers;
    std::vector<Metadatum> metadata;
    std::optional<std::string> principal;
  };
  enum class Put { kNothing, kHeaders, kAll };

  Added& added() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsAdded(absl::string_view key) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void PutUpTo(Put what) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable Mutex mutex_;
  std::optional<grpc::ServerContext> context_;
  std::string gone_peer_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Added> added_ ABSL_GUARDED_BY(mutex_);
  Put put_ ABSL_GUARDED_BY(mutex_) = Put::kNothing;
};

// The call's deadline in steady time; gRPC tells it in the wall clock's. Once, on arrival: later
// the wall clock may have been set.
SteadyTime SteadyDeadline(const grpc::ServerContext& context);

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_GRPC_CONTEXT_H_
