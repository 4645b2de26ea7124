#include "mainspring/server/lifecycle/watchers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "mainspring/server/lifecycle/describe.h"
#include "mainspring/server/lifecycle/page.h"

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
    Owe(watcher, /*after_loss=*/!anew);
  }
  Write(id, watcher);
}

void Watchers::Publish() {
  latest_ = nullptr;
  for (auto each = watchers_.begin(); each != watchers_.end();) {
    auto next = std::next(each);
    if (!each->second.behind) Write(each->first, each->second);
    each = next;
  }
}

std::shared_ptr<const Watchers::Snapshot> Watchers::LatestSnapshot() {
  const SteadyTime now = now_();
  if (latest_ != nullptr && latest_->sequence == history_.last() &&
      Between(latest_->time, now) < kOldestSnapshot) {
    return latest_;
  }
  auto snapshot = std::make_shared<Snapshot>(Snapshot{history_.last(), now, {}});
  const auto begin_part = [&] {
    lifecycle::v1::Snapshot& part = *snapshot->parts.emplace_back().mutable_snapshot();
    part.set_incarnation(incarnation_);
    part.set_sequence(snapshot->sequence);
    return &part;
  };
  lifecycle::v1::Snapshot* part = begin_part();
  Page page(kComponentsPerMessage);
  for (lifecycle::v1::Component& component : describe_()) {
    if (!page.Takes(component)) {
      part->set_more(true);
      part = begin_part();
      page = Page(kComponentsPerMessage);
      page.Takes(component);
    }
    *part->add_components() = std::move(component);
  }
  latest_ = std::move(snapshot);
  return latest_;
}

void Watchers::Owe(Watcher& watcher, bool after_loss) {
  watcher.owed = LatestSnapshot();
  watcher.next_part = 0;
  watcher.owes_loss = after_loss;
  watcher.written = watcher.owed->sequence;
}

std::optional<Watchers::Response> Watchers::Next(Watcher& watcher) {
  if (watcher.owed == nullptr && !history_.HasAllSince(watcher.written)) {
    // It was behind for too long.
    Owe(watcher, /*after_loss=*/true);
  }
  Response response;
  if (watcher.owes_loss) {
    response.mutable_history_lost()->set_oldest_sequence(history_.oldest());
  } else if (watcher.owed != nullptr) {
    response = watcher.owed->parts[watcher.next_part];
  } else if (watcher.written != history_.last()) {
    *response.mutable_event() = ToProto(history_.at(watcher.written + 1));
  } else {
    return std::nullopt;
  }
  return response;
}

void Watchers::Accepted(Watcher& watcher) {
  if (watcher.owes_loss) {
    watcher.owes_loss = false;
  } else if (watcher.owed == nullptr) {
    ++watcher.written;
  } else if (++watcher.next_part == watcher.owed->parts.size()) {
    watcher.owed = nullptr;
  }
}

void Watchers::Write(uint64_t id, Watcher& watcher) {
  while (std::optional<Response> next = Next(watcher)) {
    switch (watcher.replies.Write(*std::move(next))) {
      case WriteResult::kAccepted:
        Accepted(watcher);
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
