// Watchers: the streams of WatchComponents. Each follows the event history at its own pace: one
// that is behind is written what it has missed when it has room, from the history.
#ifndef MAINSPRING_SERVER_SUPERVISOR_WATCHERS_H_
#define MAINSPRING_SERVER_SUPERVISOR_WATCHERS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "mainspring/lifecycle/v1/lifecycle.pb.h"
#include "mainspring/reply_stream.h"
#include "server/supervisor/event_history.h"

namespace mainspring {

// The supervisor's thread only. What is given must outlive it.
class Watchers {
 public:
  using Request = lifecycle::v1::WatchComponentsRequest;
  using Response = lifecycle::v1::WatchComponentsResponse;

  // `snapshot` describes all components as they are after the last event.
  Watchers(const EventHistory& history, std::string incarnation, size_t most,
           std::function<std::vector<lifecycle::v1::Component>()> snapshot)
      : history_(history),
        incarnation_(std::move(incarnation)),
        most_(most),
        snapshot_(std::move(snapshot)) {}

  // RESOURCE_EXHAUSTED: too many.
  void Add(const Request& request, ReplyStream<Response> replies);
  // There is a new event.
  void Publish();

 private:
  struct Watcher {
    ReplyStream<Response> replies;
    uint64_t written;            // the sequence number up to which it has all
    std::vector<Response> owed;  // before any event, in reverse
    bool behind = false;
  };

  void Owe(Watcher& watcher);
  void Write(uint64_t id, Watcher& watcher);

  // A snapshot of many components comes in messages of so many.
  static constexpr size_t kComponentsPerMessage = 500;

  const EventHistory& history_;
  const std::string incarnation_;
  const size_t most_;
  const std::function<std::vector<lifecycle::v1::Component>()> snapshot_;
  uint64_t last_id_ = 0;
  std::map<uint64_t, Watcher> watchers_;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_SUPERVISOR_WATCHERS_H_
