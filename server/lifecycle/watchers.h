// Watchers: the streams of WatchComponents. Each follows the event history at its own pace: one
// that is behind is written what it has missed when it has room, from the history. A snapshot is
// made once for all that need it at about the same time.
#ifndef MAINSPRING_SERVER_LIFECYCLE_WATCHERS_H_
#define MAINSPRING_SERVER_LIFECYCLE_WATCHERS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mainspring/lifecycle/v1/lifecycle.pb.h"
#include "mainspring/reply_stream.h"
#include "mainspring/server/lifecycle/event_history.h"
#include "mainspring/steady_time.h"

namespace mainspring {

// The supervisor's thread only. What is given must outlive it.
class Watchers {
 public:
  using Request = lifecycle::v1::WatchComponentsRequest;
  using Response = lifecycle::v1::WatchComponentsResponse;

  // `snapshot` describes all components as they are after the last event, `now` tells the time.
  Watchers(const EventHistory& history, std::string incarnation, size_t most,
           std::function<SteadyTime()> now,
           std::function<std::vector<lifecycle::v1::Component>()> snapshot)
      : history_(history),
        incarnation_(std::move(incarnation)),
        most_(most),
        now_(std::move(now)),
        describe_(std::move(snapshot)) {}

  // RESOURCE_EXHAUSTED: too many.
  void Add(const Request& request, ReplyStream<Response> replies);
  // There is a new event.
  void Publish();

 private:
  // Never changed once it is made, and the same for all.
  struct Snapshot {
    uint64_t sequence;  // of the event that it was made after
    SteadyTime time;    // when it was made
    std::vector<Response> parts;
  };

  struct Watcher {
    ReplyStream<Response> replies;
    uint64_t written;        // the sequence number up to which it has all
    bool owes_loss = false;  // first of all
    // Owed before any event, from that part on; null: nothing.
    std::shared_ptr<const Snapshot> owed;
    size_t next_part = 0;
    bool behind = false;
  };

  std::shared_ptr<const Snapshot> LatestSnapshot();
  void Owe(Watcher& watcher, bool after_loss);
  // What it is to be written next; nothing where it has all.
  std::optional<Response> Next(Watcher& watcher);
  static void Accepted(Watcher& watcher);
  void Write(uint64_t id, Watcher& watcher);

  // A snapshot of many components comes in messages of so many.
  static constexpr size_t kComponentsPerMessage = 500;
  // What it says of queues and threads may be so old.
  static constexpr absl::Duration kOldestSnapshot = absl::Seconds(1);

  const EventHistory& history_;
  const std::string incarnation_;
  const size_t most_;
  const std::function<SteadyTime()> now_;
  const std::function<std::vector<lifecycle::v1::Component>()> describe_;
  std::shared_ptr<const Snapshot> latest_;  // until the next event
  uint64_t last_id_ = 0;
  std::map<uint64_t, Watcher> watchers_;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_LIFECYCLE_WATCHERS_H_
