#include "mainspring/server/health/health_servicer.h"

#include <optional>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "mainspring/server/rpc/places.h"

namespace mainspring {
namespace {

using Response = grpc::health::v1::HealthCheckResponse;

Response::ServingStatus StatusOf(std::optional<bool> serves) {
  if (!serves.has_value()) return Response::SERVICE_UNKNOWN;
  return *serves ? Response::SERVING : Response::NOT_SERVING;
}

}  // namespace

absl::Status HealthServicer::CheckName(const std::string& name) {
  if (name.size() <= kLongestName) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("service: a name has up to ", kLongestName,
                                                 " bytes, and this one ", name.size()));
}

void HealthServicer::Check(Request request, Reply<Response> reply) {
  if (const absl::Status valid = CheckName(request.service()); !valid.ok()) {
    return void(reply.Fail(valid));
  }
  const std::optional<bool> serves = source_.Serves(request.service());
  if (!serves.has_value()) {
    reply.Fail(absl::NotFoundError(absl::StrCat("no name \"",
                                                absl::CHexEscape(request.service().substr(0, 200)),
                                                "\"; List shows the names that there are")));
    return;
  }
  Response response;
  response.set_status(StatusOf(serves));
  reply.Send(std::move(response));
}

void HealthServicer::List(grpc::health::v1::HealthListRequest,
                          Reply<grpc::health::v1::HealthListResponse> reply) {
  grpc::health::v1::HealthListResponse response;
  for (const auto& [name, serving] : source_.All()) {
    (*response.mutable_statuses())[name].set_status(StatusOf(serving));
  }
  reply.Send(std::move(response));
}

void HealthServicer::Watch(Request request, ReplyStream<Response> replies) {
  absl::Status admitted = CheckName(request.service());
  if (!admitted.ok()) return void(replies.Finish(admitted));
  const auto watcher = std::make_shared<Watcher>();
  watcher->id = ++last_id_;
  watcher->name = std::move(*request.mutable_service());
  watcher->from = rpc::AddressOf(replies.context().Peer());
  watcher->replies = std::move(replies);
  watcher->address = ReturnAddress::Current();
  watcher->replies.OnCancel([this, id = watcher->id] { Forget(id); });
  admitted = Add(watcher);
  if (!admitted.ok()) return void(watcher->replies.Finish(admitted));
  Tell(watcher);
}

absl::Status HealthServicer::Add(const WatcherPtr& watcher) {
  MutexLock lock(mutex_);
  if (watchers_.size() >= max_watchers_) {
    return absl::ResourceExhaustedError(
        absl::StrCat(watchers_.size(), " watchers are all that the host allows; use Check"));
  }
  if (!watcher->from.empty()) {
    size_t& from_there = by_address_[watcher->from];
    if (from_there >= (max_watchers_ + 3) / 4) {
      return absl::ResourceExhaustedError(
          absl::StrCat(from_there, " watchers are all that the host allows an address; use Check"));
    }
    ++from_there;
  }
  watchers_.emplace(watcher->id, watcher);
  by_name_.emplace(std::pair(watcher->name, watcher->id), watcher);
  return absl::OkStatus();
}

bool HealthServicer::Publish(const std::vector<std::string>& names) {
  std::vector<WatcherPtr> told;
  {
    MutexLock lock(mutex_);
    for (const std::string& name : names) {
      for (auto each = by_name_.lower_bound({name, 0});
           each != by_name_.end() && each->first.first == name; ++each) {
        told.push_back(each->second);
      }
    }
  }
  for (const WatcherPtr& watcher : told) Tell(watcher);
  return !told.empty();
}

void HealthServicer::PublishAll() {
  std::vector<WatcherPtr> told;
  {
    MutexLock lock(mutex_);
    for (const auto& [id, watcher] : watchers_) told.push_back(watcher);
  }
  for (const WatcherPtr& watcher : told) Tell(watcher);
}

void HealthServicer::Tell(const WatcherPtr& watcher) {
  {
    MutexLock lock(mutex_);
    if (watcher->behind) return;
    watcher->again = watcher->writing;
    if (std::exchange(watcher->writing, true)) return;
  }
  bool full = false;
  for (bool again = true; again;) {
    full = WriteLatest(*watcher) == WriteResult::kFull;
    MutexLock lock(mutex_);
    again = std::exchange(watcher->again, false) && !full;
    watcher->writing = again;
    watcher->behind = full;
  }
  // Streams are waited for on the thread that they belong to.
  if (full) watcher->address.Post([this, id = watcher->id] { WaitForRoom(id); });
}

WriteResult HealthServicer::WriteLatest(Watcher& watcher) {
  const Response::ServingStatus status = StatusOf(source_.Serves(watcher.name));
  if (status == watcher.sent) return WriteResult::kAccepted;
  Response response;
  response.set_status(status);
  const WriteResult result = watcher.replies.Write(std::move(response));
  if (result == WriteResult::kAccepted) watcher.sent = status;
  return result;
}

void HealthServicer::WaitForRoom(uint64_t id) {
  if (const WatcherPtr watcher = Find(id)) {
    watcher->replies.OnReady([this, id] { TellAgain(id); });
  }
}

void HealthServicer::TellAgain(uint64_t id) {
  const WatcherPtr watcher = Find(id);
  if (watcher == nullptr) return;
  {
    MutexLock lock(mutex_);
    watcher->behind = false;
  }
  Tell(watcher);
}

HealthServicer::WatcherPtr HealthServicer::Find(uint64_t id) {
  MutexLock lock(mutex_);
  const auto found = watchers_.find(id);
  return found == watchers_.end() ? nullptr : found->second;
}

void HealthServicer::Forget(uint64_t id) {
  // Its stream ends when it goes, and that is nothing to hold the lock for.
  WatcherPtr watcher;
  MutexLock lock(mutex_);
  const auto found = watchers_.find(id);
  if (found == watchers_.end()) return;
  watcher = std::move(found->second);
  watchers_.erase(found);
  by_name_.erase({watcher->name, id});
  const auto from_there = by_address_.find(watcher->from);
  if (from_there != by_address_.end() && --from_there->second == 0) by_address_.erase(from_there);
}

}  // namespace mainspring
