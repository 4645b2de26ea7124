#include "tests/interop/test_service.h"

#include <unistd.h>

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace mainspring::testing {
namespace {

using namespace grpc::testing;

constexpr char kEchoHeader[] = "x-grpc-test-echo-initial";
constexpr char kEchoTrailer[] = "x-grpc-test-echo-trailing-bin";

// Of a Reply or a ReplyStream.
template <class R>
void EchoMetadata(R& reply) {
  for (const std::string& value : reply.context().MetadataValues(kEchoHeader)) {
    reply.AddHeader(kEchoHeader, value);
  }
  for (const std::string& value : reply.context().MetadataValues(kEchoTrailer)) {
    reply.AddTrailer(kEchoTrailer, value);
  }
}

absl::Status StatusOf(const EchoStatus& echo) {
  return absl::Status(static_cast<absl::StatusCode>(echo.code()), echo.message());
}

template <class Response>
Response WithPayload(PayloadType type, int32_t size) {
  Response response;
  response.mutable_payload()->set_type(type);
  response.mutable_payload()->set_body(std::string(size, '\0'));
  return response;
}

}  // namespace

void TestService::EmptyCall(Empty, Reply<Empty> reply) { reply.Send(Empty()); }

void TestService::UnaryCall(SimpleRequest request, Reply<SimpleResponse> reply) {
  EchoMetadata(reply);
  if (request.response_status().code() != 0) {
    reply.Fail(StatusOf(request.response_status()));
    return;
  }
  auto response = WithPayload<SimpleResponse>(request.response_type(), request.response_size());
  if (request.fill_server_id()) response.set_server_id(absl::StrCat(getpid()));
  reply.Send(std::move(response));
}

void TestService::StreamingOutputCall(StreamingOutputCallRequest request,
                                      ReplyStream<StreamingOutputCallResponse> replies) {
  for (const ResponseParameters& each : request.response_parameters()) {
    co_await context().Sleep(absl::Microseconds(each.interval_us()));
    auto response = WithPayload<StreamingOutputCallResponse>(request.response_type(), each.size());
    if (!co_await replies.Send(std::move(response))) co_return;
  }
  replies.Finish();
}

void TestService::StreamingInputCall(RequestStream<StreamingInputCallRequest> requests,
                                     Reply<StreamingInputCallResponse> reply) {
  StreamingInputCallResponse response;
  while (std::optional<StreamingInputCallRequest> request = co_await requests.Read()) {
    const auto size = static_cast<int32_t>(request->payload().body().size());
    response.set_aggregated_payload_size(response.aggregated_payload_size() + size);
  }
  reply.Send(std::move(response));
}

void TestService::FullDuplexCall(RequestStream<StreamingOutputCallRequest> requests,
                                 ReplyStream<StreamingOutputCallResponse> replies) {
  EchoMetadata(replies);
  while (std::optional<StreamingOutputCallRequest> request = co_await requests.Read()) {
    if (request->response_status().code() != 0) {
      replies.Finish(StatusOf(request->response_status()));
      co_return;
    }
    for (const ResponseParameters& each : request->response_parameters()) {
      co_await context().Sleep(absl::Microseconds(each.interval_us()));
      auto response =
          WithPayload<StreamingOutputCallResponse>(request->response_type(), each.size());
      if (!co_await replies.Send(std::move(response))) co_return;
    }
  }
  replies.Finish();
}

void TestService::UnimplementedCall(Empty, Reply<Empty> reply) {
  reply.Fail(absl::UnimplementedError("this method is there to be missing"));
}

}  // namespace mainspring::testing
