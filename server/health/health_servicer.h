// HealthServicer: grpc.health.v1, answered at once on the ingress thread, from a snapshot.
#ifndef MAINSPRING_SERVER_HEALTH_HEALTH_SERVICER_H_
#define MAINSPRING_SERVER_HEALTH_HEALTH_SERVICER_H_

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "grpc/health/v1/health.component.pb.h"
#include "mainspring/mutex.h"

namespace mainspring {

// Whether each known name serves.
using HealthSnapshot = std::map<std::string, bool>;

// Serves all planes of a host at once. It keeps no health of its own: it asks for a snapshot, and
// is told when to ask again. Any thread may publish; the methods are called by ingress threads.
class HealthServicer final : public grpc::health::v1::HealthMethods {
 public:
  using Request = grpc::health::v1::HealthCheckRequest;
  using Response = grpc::health::v1::HealthCheckResponse;

  // `snapshot` is called by any thread and must not block.
  HealthServicer(std::function<HealthSnapshot()> snapshot, size_t max_watchers)
      : snapshot_(std::move(snapshot)), max_watchers_(max_watchers) {}

  // Something may have changed: every watcher whose name has is sent the new state. One that is
  // behind gets the latest state when it comes round, not all in between.
  void Publish();

  // NOT_FOUND: nobody knows the name.
  void Check(Request request, Reply<Response> reply) override;
  void List(grpc::health::v1::HealthListRequest request,
            Reply<grpc::health::v1::HealthListResponse> reply) override;
  // RESOURCE_EXHAUSTED: too many watchers.
  void Watch(Request request, ReplyStream<Response> replies) override;

 private:
  struct Watcher {
    std::string name;
    ReplyStream<Response> replies;
    ReturnAddress address;
    Response::ServingStatus sent = Response::UNKNOWN;
    bool behind = false;
  };

  void Tell(uint64_t id, Watcher& watcher, const HealthSnapshot& snapshot)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TellAgain(uint64_t id);
  void WaitForRoom(uint64_t id);
  void Forget(uint64_t id);

  const std::function<HealthSnapshot()> snapshot_;
  const size_t max_watchers_;
  // Held while a snapshot is taken and sent, so that watchers see states in order.
  Mutex mutex_;
  uint64_t last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, Watcher> watchers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_HEALTH_HEALTH_SERVICER_H_
