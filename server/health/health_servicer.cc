#include "server/health/health_servicer.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace mainspring {
namespace {

using Response = grpc::health::v1::HealthCheckResponse;

Response::ServingStatus StatusOf(bool serving) {
  return serving ? Response::SERVING : Response::NOT_SERVING;
}

}  // namespace

void HealthServicer::Check(Request request, Reply<Response> reply) {
  const HealthSnapshot snapshot = snapshot_();
  const auto found = snapshot.find(request.service());
  if (found == snapshot.end()) {
    reply.Fail(absl::NotFoundError(absl::StrCat("no name \"",
                                                absl::CHexEscape(request.service().substr(0, 200)),
                                                "\"; List shows the names that there are")));
    return;
  }
  Response response;
  response.set_status(StatusOf(found->second));
  reply.Send(std::move(response));
}

void HealthServicer::List(grpc::health::v1::HealthListRequest,
                          Reply<grpc::health::v1::HealthListResponse> reply) {
  grpc::health::v1::HealthListResponse response;
  for (const auto& [name, serving] : snapshot_()) {
    (*response.mutable_statuses())[name].set_status(StatusOf(serving));
  }
  reply.Send(std::move(response));
}

void HealthServicer::Watch(Request request, ReplyStream<Response> replies) {
  MutexLock lock(mutex_);
  if (watchers_.size() >= max_watchers_) {
    replies.Finish(absl::ResourceExhaustedError(
        absl::StrCat(watchers_.size(), " watchers are all that the host allows; use Check")));
    return;
  }
  const uint64_t id = ++last_id_;
  replies.OnCancel([this, id] { Forget(id); });
  Watcher& watcher = watchers_[id];
  watcher.name = std::move(*request.mutable_service());
  watcher.replies = std::move(replies);
  watcher.address = ReturnAddress::Current();
  Tell(id, watcher, snapshot_());
}

void HealthServicer::Publish() {
  MutexLock lock(mutex_);
  if (watchers_.empty()) return;
  const HealthSnapshot snapshot = snapshot_();
  for (auto& [id, watcher] : watchers_) Tell(id, watcher, snapshot);
}

void HealthServicer::Tell(uint64_t id, Watcher& watcher, const HealthSnapshot& snapshot) {
  const auto found = snapshot.find(watcher.name);
  const Response::ServingStatus status =
      found == snapshot.end() ? Response::SERVICE_UNKNOWN : StatusOf(found->second);
  if (status == watcher.sent || watcher.behind) return;
  Response response;
  response.set_status(status);
  switch (watcher.replies.Write(std::move(response))) {
    case WriteResult::kAccepted:
      watcher.sent = status;
      return;
    case WriteResult::kClosed:
      return;
    case WriteResult::kFull:
      // Streams are waited for on the thread that they belong to.
      watcher.behind = true;
      watcher.address.Post([this, id] { WaitForRoom(id); });
      return;
  }
}

void HealthServicer::WaitForRoom(uint64_t id) {
  MutexLock lock(mutex_);
  const auto found = watchers_.find(id);
  if (found != watchers_.end()) found->second.replies.OnReady([this, id] { TellAgain(id); });
}

void HealthServicer::TellAgain(uint64_t id) {
  MutexLock lock(mutex_);
  const auto found = watchers_.find(id);
  if (found == watchers_.end()) return;
  found->second.behind = false;
  Tell(id, found->second, snapshot_());
}

void HealthServicer::Forget(uint64_t id) {
  MutexLock lock(mutex_);
  watchers_.erase(id);
}

}  // namespace mainspring
