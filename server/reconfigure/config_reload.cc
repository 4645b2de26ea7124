// The part that has the configuration read again, when it is told to, or when the file has changed.
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "mainspring/server/reconfigure/config.h"

namespace mainspring {
namespace {

// The kubelet, which replaces a ConfigMap's files, takes a minute; an editor writes for less.
constexpr absl::Duration kLookInterval = absl::Seconds(1);

// For a disk that was full, for one.
constexpr absl::Duration kRetryInterval = absl::Seconds(30);

std::string StateOf(const ConfigSource& source) { return source.state(); }

}  // namespace

absl::Status Config::Start() {
  seen_ = loaded_ = options_.source.first_state;
  return absl::OkStatus();
}

void Config::Watch() {
  may_watch_ = true;
  SetWatch();
}

// One that has not begun yet reads what the file says by then: it will do for all that are wanted
// meanwhile.
void Config::Reload(std::string author, std::shared_ptr<void> done) {
  reloads_done_.push_back(std::move(done));
  if (std::exchange(reload_waits_, true)) co_return;
  Order order;
  order.revision.set_author(author);
  Answer<Nothing> turn = turns_.Take();
  const absl::StatusOr<Nothing> taken = co_await std::move(turn);
  reload_waits_ = false;
  // Whoever waits is let go when this is over.
  const std::vector<std::shared_ptr<void>> waiting = std::exchange(reloads_done_, {});
  if (!taken.ok()) co_return TellRefused(order, taken.status());
  const absl::Cleanup give = [this] { turns_.Give(); };
  Task<absl::StatusOr<StoredRevision>> making = MakeNow(order);
  const absl::StatusOr<StoredRevision> made = co_await making;
  // What is wrong with the file, it has to become another for.
  retry_at_ = made.ok() || absl::IsInvalidArgument(made.status())
                  ? kNever
                  : After(context().Now(), kRetryInterval);
  if (!made.ok()) co_return TellRefused(order, made.status());
  if (made->changes().empty()) {
    options_.log.Info("config", {{"outcome", "unchanged"}, {"author", author}});
    TellAfterRestart();
  }
}

void Config::SetWatch() {
  if (!may_watch_ || host_.config().watch_file == look_timer_.has_value()) return;
  if (look_timer_.has_value()) {
    context().Cancel(*std::exchange(look_timer_, std::nullopt));
  } else {
    look_timer_ = context().Every(kLookInterval, [this] { LookAtFile(); });
  }
}

// Notifications of the file system would tell sooner, and of one of the many ways alone in which a
// file, or a link on the way to it, is replaced.
void Config::LookAtFile() {
  if (std::exchange(looks_, true)) co_return;
  const absl::Cleanup looked = [this] { looks_ = false; };
  Answer<std::string> looking = context().RunBlocking(&StateOf, options_.source);
  const absl::StatusOr<std::string> state = co_await std::move(looking);
  if (!state.ok()) co_return;
  if (state->empty()) {
    if (!std::exchange(seen_, "").empty()) {
      options_.log.Warning("config", {{"warning", "the file is gone; what it said holds"}});
    }
    co_return;
  }
  // One that is being written changes again.
  const bool is_settled = std::exchange(seen_, *state) == *state;
  const bool is_due = loaded_ != *state || context().Now() >= retry_at_;
  if (!is_settled || !is_due) co_return;
  loaded_ = *state;
  Reload("a change of the file", nullptr);
}

}  // namespace mainspring
