// ConformanceService: the server's side of connectrpc's conformance suite, as a component; its
// interface is connectrpc/conformance/v1/service.proto.
#ifndef MAINSPRING_TESTS_CONNECT_CONFORMANCE_SERVICE_H_
#define MAINSPRING_TESTS_CONNECT_CONFORMANCE_SERVICE_H_

#include "connectrpc/conformance/v1/service.component.pb.h"

namespace mainspring::testing {

namespace conformance = connectrpc::conformance::v1;

class ConformanceService final : public conformance::ConformanceServiceComponent {
 public:
  using ConformanceServiceComponent::ConformanceServiceComponent;

  void Unary(conformance::UnaryRequest request, Reply<conformance::UnaryResponse> reply) override;
  void ServerStream(conformance::ServerStreamRequest request,
                    ReplyStream<conformance::ServerStreamResponse> replies) override;
  void ClientStream(RequestStream<conformance::ClientStreamRequest> requests,
                    Reply<conformance::ClientStreamResponse> reply) override;
  void BidiStream(RequestStream<conformance::BidiStreamRequest> requests,
                  ReplyStream<conformance::BidiStreamResponse> replies) override;
  void Unimplemented(conformance::UnimplementedRequest request,
                     Reply<conformance::UnimplementedResponse> reply) override;
  void IdempotentUnary(conformance::IdempotentUnaryRequest request,
                       Reply<conformance::IdempotentUnaryResponse> reply) override;

 private:
  using RequestInfo = conformance::ConformancePayload::RequestInfo;

  // Answers as it is defined.
  template <class Response>
  void Answer(conformance::UnaryResponseDefinition definition, RequestInfo info,
              Reply<Response> reply);
  // Sends what is defined, from response number `sent` on, and the end.
  template <class Response>
  void SendRest(conformance::StreamResponseDefinition definition, int sent, RequestInfo info,
                ReplyStream<Response> replies);
};

}  // namespace mainspring::testing

#endif  // MAINSPRING_TESTS_CONNECT_CONFORMANCE_SERVICE_H_
