// HealthServicer: grpc.health.v1, answered at once on the ingress thread.
#ifndef MAINSPRING_SERVER_HEALTH_HEALTH_SERVICER_H_
#define MAINSPRING_SERVER_HEALTH_HEALTH_SERVICER_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "grpc/health/v1/health.component.pb.h"
#include "mainspring/mutex.h"
#include "mainspring/server/health/health_source.h"

namespace mainspring {

// Serves all planes of a host at once. It keeps no health of its own: it asks the source, and is
// told when to ask again. Any thread may publish; the methods are called by ingress threads, and
// wait for nothing.
class HealthServicer final : public grpc::health::v1::HealthMethods {
 public:
  using Request = grpc::health::v1::HealthCheckRequest;
  using Response = grpc::health::v1::HealthCheckResponse;

  // `source` must outlive it.
  HealthServicer(const HealthSource& source, size_t max_watchers)
      : source_(source), max_watchers_(max_watchers) {}

  // These names, or any, may have changed: every watcher of one that has is sent the new state. One
  // that is behind gets the latest state when it comes round, not all in between. Whether there is
  // such a watcher.
  bool Publish(const std::vector<std::string>& names);
  void PublishAll();

  // NOT_FOUND: nobody knows the name. INVALID_ARGUMENT: it is too long for one.
  void Check(Request request, Reply<Response> reply) override;
  void List(grpc::health::v1::HealthListRequest request,
            Reply<grpc::health::v1::HealthListResponse> reply) override;
  // RESOURCE_EXHAUSTED: too many watchers, of all or, being a quarter, of that address.
  // INVALID_ARGUMENT as for Check.
  void Watch(Request request, ReplyStream<Response> replies) override;

 private:
  // One that is being written to is left to whoever does so, which then writes again what is the
  // latest by then. So no two threads write at once, states come in order, and no lock is held.
  struct Watcher {
    uint64_t id;
    std::string name;
    std::string from;  // the caller's address; empty: none
    ReplyStream<Response> replies;
    ReturnAddress address;
    Response::ServingStatus sent = Response::UNKNOWN;  // of whoever is writing
    // Guarded by the servicer's mutex.
    bool writing = false;
    bool again = false;
    bool behind = false;
  };
  using WatcherPtr = std::shared_ptr<Watcher>;

  static constexpr size_t kLongestName = 256;
  static absl::Status CheckName(const std::string& name);

  // Takes it, or says why not.
  absl::Status Add(const WatcherPtr& watcher);

  void Tell(const WatcherPtr& watcher);
  WriteResult WriteLatest(Watcher& watcher);
  void TellAgain(uint64_t id);
  void WaitForRoom(uint64_t id);
  void Forget(uint64_t id);
  WatcherPtr Find(uint64_t id);

  const HealthSource& source_;
  const size_t max_watchers_;
  std::atomic<uint64_t> last_id_{0};
  // Held for as long as it takes to look watchers up.
  Mutex mutex_;
  std::map<uint64_t, WatcherPtr> watchers_ ABSL_GUARDED_BY(mutex_);
  std::map<std::pair<std::string, uint64_t>, WatcherPtr> by_name_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, size_t> by_address_ ABSL_GUARDED_BY(mutex_);  // how many
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_HEALTH_HEALTH_SERVICER_H_
