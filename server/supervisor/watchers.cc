#include "server/supervisor/watchers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/supervisor/describe.h"

namespace mainspring {

void Watchers::Add(const Request& request, ReplyStream<Response> replies) {
  if (watchers_.size() >= most_) {
    replies.Finish(absl::ResourceExhaustedError(absl::StrCat(
        watchers_.size(), " watchers are all that the host allows; use ListComponents")));
    return;
  }
  const uint64_t id = ++last_id_;
  replies.OnCancel([this, id] { watchers_.erase(id); });
  Watcher& watcher = watchers_[id];
  watcher.replies = std::move(replies);
  watcher.written = request.after_sequence();
  const bool anew = request.incarnation().empty() && request.after_sequence() == 0;
  if (anew || (!request.incarnation().empty() && request.incarnation() != incarnation_) ||
      !history_.HasAllSince(request.after_sequence())) {
    Owe(watcher);
    // The last is written first.
    if (!anew) {
      watcher.owed.emplace_back().mutable_history_lost()->set_oldest_sequence(history_.oldest());
    }
  }
  Write(id, watcher);
}

void Watchers::Publish() {
  for (auto each = watchers_.begin(); each != watchers_.end();) {
    auto next = std::next(each);
    if (!each->second.behind) Write(each->first, each->second);
    each = next;
  }
}

void Watchers::Owe(Watcher& watcher) {
  watcher.written = history_.last();
  watcher.owed.clear();
  std::vector<lifecycle::v1::Component> components = snapshot_();
  size_t from = 0;
  do {
    const size_t to = std::min(from + kComponentsPerMessage, components.size());
    lifecycle::v1::Snapshot& part = *watcher.owed.emplace_back().mutable_snapshot();
    part.set_incarnation(incarnation_);
    part.set_sequence(watcher.written);
    part.set_more(to < components.size());
    for (; from < to; ++from) *part.add_components() = std::move(components[from]);
  } while (from < components.size());
  std::reverse(watcher.owed.begin(), watcher.owed.end());
}

void Watchers::Write(uint64_t id, Watcher& watcher) {
  while (true) {
    if (watcher.owed.empty() && watcher.written == history_.last()) return;
    if (watcher.owed.empty() && !history_.HasAllSince(watcher.written)) {
      // It was behind for too long.
      Owe(watcher);
      watcher.owed.emplace_back().mutable_history_lost()->set_oldest_sequence(history_.oldest());
    }
    Response event;
    const bool owes = !watcher.owed.empty();
    if (!owes) *event.mutable_event() = ToProto(history_.at(watcher.written + 1));
    switch (watcher.replies.Write(std::move(owes ? watcher.owed.back() : event))) {
      case WriteResult::kAccepted:
        if (owes) {
          watcher.owed.pop_back();
        } else {
          ++watcher.written;
        }
        break;
      case WriteResult::kFull:
        watcher.behind = true;
        watcher.replies.OnReady([this, id] {
          const auto found = watchers_.find(id);
          if (found == watchers_.end()) return;
          found->second.behind = false;
          Write(id, found->second);
        });
        return;
      case WriteResult::kClosed:
        // OnCancel forgets it.
        return;
    }
  }
}

}  // namespace mainspring
