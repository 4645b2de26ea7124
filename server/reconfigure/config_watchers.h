// ConfigWatchers: the streams of WatchConfig. One that is behind is told the latest revision when
// it has room again, and has missed what came between.
#ifndef MAINSPRING_SERVER_RECONFIGURE_CONFIG_WATCHERS_H_
#define MAINSPRING_SERVER_RECONFIGURE_CONFIG_WATCHERS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "mainspring/config/v1/config.pb.h"
#include "mainspring/reply_stream.h"

namespace mainspring {

// One thread only: the component's.
class ConfigWatchers {
 public:
  using Response = config::v1::WatchConfigResponse;

  // `current` tells the latest revision.
  ConfigWatchers(size_t most, std::function<config::v1::Revision()> current)
      : most_(most), current_(std::move(current)) {}

  // RESOURCE_EXHAUSTED: too many.
  void Add(ReplyStream<Response> replies);
  void Tell(const Response& event);

 private:
  struct Watcher {
    ReplyStream<Response> replies;
    bool behind = false;
  };

  void Write(uint64_t id, Watcher& watcher, Response event);
  Response Current() const;

  const size_t most_;
  const std::function<config::v1::Revision()> current_;
  uint64_t last_id_ = 0;
  std::map<uint64_t, Watcher> watchers_;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_RECONFIGURE_CONFIG_WATCHERS_H_
