#include "tests/connect/conformance_service.h"

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "absl/strings/escaping.h"
#include "absl/time/time.h"

namespace mainspring::testing {

using namespace conformance;

namespace {

using RequestInfo = ConformancePayload::RequestInfo;

std::string Encoded(const std::string& key, const std::string& value) {
  if (!IsBinary(key)) return value;
  std::string base64 = absl::Base64Escape(value);
  base64.resize(base64.find_last_not_of('=') + 1);
  return base64;
}

std::string Decoded(const std::string& key, const std::string& value) {
  std::string bytes;
  return IsBinary(key) && absl::Base64Unescape(value, &bytes) ? bytes : value;
}

// What is known of a call before its requests. Here as below, R is a Reply or a ReplyStream.
template <class R>
RequestInfo InfoOf(const R& reply, SteadyTime now) {
  std::map<std::string, Header> headers;
  for (const auto& [key, value] : reply.context().AllMetadata()) {
    headers[key].add_value(Encoded(key, value));
  }
  RequestInfo info;
  for (auto& [key, header] : headers) {
    header.set_name(key);
    *info.add_request_headers() = std::move(header);
  }
  if (reply.deadline() != kNever) {
    info.set_timeout_ms(absl::ToInt64Milliseconds(Between(now, reply.deadline())));
  }
  return info;
}

template <class R, class Definition>
void AddMetadata(const Definition& definition, R& reply) {
  for (const Header& header : definition.response_headers()) {
    const std::string key = absl::AsciiStrToLower(header.name());
    for (const std::string& value : header.value()) reply.AddHeader(key, Decoded(key, value));
  }
  for (const Header& trailer : definition.response_trailers()) {
    const std::string key = absl::AsciiStrToLower(trailer.name());
    for (const std::string& value : trailer.value()) reply.AddTrailer(key, Decoded(key, value));
  }
}

template <class Response>
Response ResponseOf(const std::string& data, RequestInfo info) {
  Response response;
  response.mutable_payload()->set_data(data);
  *response.mutable_payload()->mutable_request_info() = std::move(info);
  return response;
}

absl::Status StatusOf(const Error& error) {
  absl::Status status(static_cast<absl::StatusCode>(error.code()), error.message());
  for (const google::protobuf::Any& detail : error.details()) {
    status.SetPayload(detail.type_url(), absl::Cord(detail.value()));
  }
  return status;
}

}  // namespace

template <class Response>
void ConformanceService::Answer(UnaryResponseDefinition definition, RequestInfo info,
                                Reply<Response> reply) {
  AddMetadata(definition, reply);
  co_await context().Sleep(absl::Milliseconds(definition.response_delay_ms()));
  if (definition.has_error()) {
    definition.mutable_error()->add_details()->PackFrom(info);
    reply.Fail(StatusOf(definition.error()));
  } else {
    reply.Send(ResponseOf<Response>(definition.response_data(), std::move(info)));
  }
}

template <class Response>
void ConformanceService::SendRest(StreamResponseDefinition definition, int sent, RequestInfo info,
                                  ReplyStream<Response> replies) {
  if (definition.has_error() && definition.response_data().empty()) {
    definition.mutable_error()->add_details()->PackFrom(info);
  }
  for (; sent < definition.response_data_size(); ++sent) {
    co_await context().Sleep(absl::Milliseconds(definition.response_delay_ms()));
    auto response =
        ResponseOf<Response>(definition.response_data(sent), std::exchange(info, RequestInfo()));
    if (!co_await replies.Send(std::move(response))) co_return;
  }
  replies.Finish(definition.has_error() ? StatusOf(definition.error()) : absl::OkStatus());
}

void ConformanceService::Unary(UnaryRequest request, Reply<UnaryResponse> reply) {
  RequestInfo info = InfoOf(reply, context().Now());
  info.add_requests()->PackFrom(request);
  Answer(request.response_definition(), std::move(info), std::move(reply));
}

void ConformanceService::IdempotentUnary(IdempotentUnaryRequest request,
                                         Reply<IdempotentUnaryResponse> reply) {
  RequestInfo info = InfoOf(reply, context().Now());
  info.add_requests()->PackFrom(request);
  Answer(request.response_definition(), std::move(info), std::move(reply));
}

void ConformanceService::ClientStream(RequestStream<ClientStreamRequest> requests,
                                      Reply<ClientStreamResponse> reply) {
  RequestInfo info = InfoOf(reply, context().Now());
  std::optional<UnaryResponseDefinition> definition;
  while (std::optional<ClientStreamRequest> request = co_await requests.Read()) {
    if (!definition.has_value()) definition = request->response_definition();
    info.add_requests()->PackFrom(*request);
  }
  Answer(definition.value_or(UnaryResponseDefinition()), std::move(info), std::move(reply));
}

void ConformanceService::ServerStream(ServerStreamRequest request,
                                      ReplyStream<ServerStreamResponse> replies) {
  RequestInfo info = InfoOf(replies, context().Now());
  info.add_requests()->PackFrom(request);
  AddMetadata(request.response_definition(), replies);
  SendRest(request.response_definition(), 0, std::move(info), std::move(replies));
}

void ConformanceService::BidiStream(RequestStream<BidiStreamRequest> requests,
                                    ReplyStream<BidiStreamResponse> replies) {
  RequestInfo info = InfoOf(replies, context().Now());
  std::optional<BidiStreamRequest> first;
  int sent = 0;
  while (std::optional<BidiStreamRequest> request = co_await requests.Read()) {
    if (!first.has_value()) {
      first = request;
      AddMetadata(first->response_definition(), replies);
    }
    info.add_requests()->PackFrom(*request);
    if (!first->full_duplex()) continue;
    const StreamResponseDefinition& definition = first->response_definition();
    if (sent == definition.response_data_size()) break;
    co_await context().Sleep(absl::Milliseconds(definition.response_delay_ms()));
    auto response = ResponseOf<BidiStreamResponse>(definition.response_data(sent++),
                                                   std::exchange(info, RequestInfo()));
    if (!co_await replies.Send(std::move(response))) co_return;
  }
  SendRest(first.value_or(BidiStreamRequest()).response_definition(), sent, std::move(info),
           std::move(replies));
}

void ConformanceService::Unimplemented(UnimplementedRequest, Reply<UnimplementedResponse> reply) {
  reply.Fail(absl::UnimplementedError("this method is there to be missing"));
}

}  // namespace mainspring::testing
