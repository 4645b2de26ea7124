#include "mainspring/server/reconfigure/config_watchers.h"

#include <iterator>

#include "absl/strings/str_cat.h"

namespace mainspring {

ConfigWatchers::Response ConfigWatchers::Current() const {
  Response event;
  *event.mutable_current() = current_();
  return event;
}

void ConfigWatchers::Add(ReplyStream<Response> replies) {
  if (watchers_.size() >= most_) {
    replies.Finish(absl::ResourceExhaustedError(absl::StrCat(
        watchers_.size(), " watchers are all that the host allows; use ListRevisions")));
    return;
  }
  const uint64_t id = ++last_id_;
  replies.OnCancel([this, id] { watchers_.erase(id); });
  Watcher& watcher = watchers_[id];
  watcher.replies = std::move(replies);
  Write(id, watcher, Current());
}

void ConfigWatchers::Tell(const Response& event) {
  for (auto each = watchers_.begin(); each != watchers_.end();) {
    const auto next = std::next(each);
    if (!each->second.behind) Write(each->first, each->second, event);
    each = next;
  }
}

void ConfigWatchers::Write(uint64_t id, Watcher& watcher, Response event) {
  if (watcher.replies.Write(std::move(event)) != WriteResult::kFull) return;
  watcher.behind = true;
  watcher.replies.OnReady([this, id] {
    const auto found = watchers_.find(id);
    if (found == watchers_.end()) return;
    found->second.behind = false;
    Write(id, found->second, Current());
  });
}

}  // namespace mainspring
