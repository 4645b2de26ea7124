// TestService: the server's side of gRPC's interop suite, as a component; its interface is
// grpc/testing/test.proto.
#ifndef MAINSPRING_TESTS_INTEROP_TEST_SERVICE_H_
#define MAINSPRING_TESTS_INTEROP_TEST_SERVICE_H_

#include "grpc/testing/test.component.pb.h"

namespace mainspring::testing {

class TestService final : public grpc::testing::TestServiceComponent {
 public:
  using TestServiceComponent::TestServiceComponent;

  void EmptyCall(grpc::testing::Empty request, Reply<grpc::testing::Empty> reply) override;
  void UnaryCall(grpc::testing::SimpleRequest request,
                 Reply<grpc::testing::SimpleResponse> reply) override;
  void StreamingOutputCall(
      grpc::testing::StreamingOutputCallRequest request,
      ReplyStream<grpc::testing::StreamingOutputCallResponse> replies) override;
  void StreamingInputCall(RequestStream<grpc::testing::StreamingInputCallRequest> requests,
                          Reply<grpc::testing::StreamingInputCallResponse> reply) override;
  void FullDuplexCall(RequestStream<grpc::testing::StreamingOutputCallRequest> requests,
                      ReplyStream<grpc::testing::StreamingOutputCallResponse> replies) override;
  void UnimplementedCall(grpc::testing::Empty request, Reply<grpc::testing::Empty> reply) override;
};

}  // namespace mainspring::testing

#endif  // MAINSPRING_TESTS_INTEROP_TEST_SERVICE_H_
