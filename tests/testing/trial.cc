#include "tests/testing/trial.h"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

#include "mainspring/mutex.h"

namespace mainspring::testing {
namespace {

using namespace trial::v1;

absl::Duration FromProto(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

}  // namespace

void BlockThisThread(absl::Duration time) {
  Mutex mutex;
  CondVar never;
  const SteadyTime until = After(std::chrono::steady_clock::now(), time);
  MutexLock lock(mutex);
  while (std::chrono::steady_clock::now() < until) never.WaitUntil(mutex, until);
}

void Trial::Echo(EchoRequest request, Reply<EchoResponse> reply) {
  ++calls_["Echo"];
  EchoResponse response;
  response.set_text(std::move(*request.mutable_text()));
  response.set_component(context().name());
  response.set_traceparent(reply.context().TraceParent());
  reply.Send(std::move(response));
}

void Trial::Block(BlockRequest request, Reply<BlockResponse> reply) {
  ++calls_["Block"];
  BlockThisThread(FromProto(request.time()));
  reply.Send(BlockResponse());
}

void Trial::Delay(DelayRequest request, Reply<DelayResponse> reply) {
  ++calls_["Delay"];
  context().After(FromProto(request.time()),
                  [reply = std::move(reply)]() mutable { reply.Send(DelayResponse()); });
}

void Trial::Refuse(RefuseRequest request, Reply<RefuseResponse> reply) {
  ++calls_["Refuse"];
  reply.Fail(absl::Status(static_cast<absl::StatusCode>(request.code()),
                          request.raw_text().empty() ? request.text() : request.raw_text()));
}

void Trial::Throw(ThrowRequest request, Reply<ThrowResponse>) {
  ++calls_["Throw"];
  const std::string& once = request.raw_what().empty() ? request.what() : request.raw_what();
  std::string what = once;
  for (int64_t i = 1; i < request.times(); ++i) what += once;
  throw std::runtime_error(what);
}

void Trial::DropReply(DropReplyRequest, Reply<DropReplyResponse>) { ++calls_["DropReply"]; }

void Trial::Forget(ForgetRequest, Reply<ForgetResponse> reply) {
  ++calls_["Forget"];
  forgotten_.push_back(std::move(reply));
}

void Trial::Relay(RelayRequest request, Reply<RelayResponse> reply) {
  ++calls_["Relay"];
  absl::StatusOr<TrialRef> to = context().Find<TrialRef>(request.component());
  if (!to.ok()) return void(reply.Fail(to.status()));
  EchoRequest question;
  question.set_text(std::move(*request.mutable_text()));
  to->Echo(std::move(question))
      .Then([reply = std::move(reply)](absl::StatusOr<EchoResponse> answer) mutable {
        if (!answer.ok()) return void(reply.Fail(answer.status()));
        RelayResponse response;
        response.set_text(std::move(*answer->mutable_text()));
        response.set_component(std::move(*answer->mutable_component()));
        reply.Send(std::move(response));
      });
}

struct Trial::FloodState {
  FloodRequest request;
  ReplyStream<FloodResponse> replies;
  int64_t sent = 0;
};

void Trial::Flood(FloodRequest request, ReplyStream<FloodResponse> replies) {
  ++calls_["Flood"];
  GoOn(std::make_shared<FloodState>(FloodState{std::move(request), std::move(replies)}));
}

void Trial::GoOn(std::shared_ptr<FloodState> flood) {
  for (; flood->sent < flood->request.count(); ++flood->sent) {
    FloodResponse response;
    response.set_number(flood->sent);
    response.set_filling(std::string(flood->request.bytes(), 'x'));
    const WriteResult result = flood->replies.Write(std::move(response));
    if (result == WriteResult::kClosed) return;
    if (result == WriteResult::kFull) {
      ReplyStream<FloodResponse>& replies = flood->replies;
      replies.OnReady([this, flood = std::move(flood)]() mutable { GoOn(std::move(flood)); });
      return;
    }
    flood_accepted_ = std::max(flood_accepted_, flood->sent + 1);
  }
  flood->replies.Finish();
}

struct Trial::SumState {
  RequestStream<SumRequest> requests;
  Reply<SumResponse> reply;
  SumResponse response;
};

void Trial::Sum(RequestStream<SumRequest> requests, Reply<SumResponse> reply) {
  ++calls_["Sum"];
  GoOn(std::make_shared<SumState>(SumState{std::move(requests), std::move(reply), {}}));
}

void Trial::GoOn(std::shared_ptr<SumState> sum) {
  RequestStream<SumRequest>& requests = sum->requests;
  requests.Read([this, sum = std::move(sum)](std::optional<SumRequest> request) mutable {
    if (!request.has_value()) {
      sum->reply.Send(std::move(sum->response));
      return;
    }
    sum->response.set_sum(sum->response.sum() + request->value());
    sum->response.set_count(sum->response.count() + 1);
    GoOn(std::move(sum));
  });
}

struct Trial::ParrotState {
  RequestStream<ParrotRequest> requests;
  ReplyStream<ParrotResponse> replies;
};

void Trial::Parrot(RequestStream<ParrotRequest> requests, ReplyStream<ParrotResponse> replies) {
  ++calls_["Parrot"];
  GoOn(std::make_shared<ParrotState>(ParrotState{std::move(requests), std::move(replies)}));
}

void Trial::GoOn(std::shared_ptr<ParrotState> parrot) {
  RequestStream<ParrotRequest>& requests = parrot->requests;
  requests.Read([this, parrot = std::move(parrot)](std::optional<ParrotRequest> request) mutable {
    if (!request.has_value()) {
      parrot->replies.Finish();
      return;
    }
    ParrotResponse response;
    response.set_text(std::move(*request->mutable_text()));
    // One message at a time comes in, so there is room for one.
    parrot->replies.Write(std::move(response));
    GoOn(std::move(parrot));
  });
}

void Trial::CountDispatched(CountDispatchedRequest, Reply<CountDispatchedResponse> reply) {
  CountDispatchedResponse response;
  for (const auto& [method, calls] : calls_) (*response.mutable_calls())[method] = calls;
  response.set_flood_accepted(flood_accepted_);
  reply.Send(std::move(response));
}

}  // namespace mainspring::testing
