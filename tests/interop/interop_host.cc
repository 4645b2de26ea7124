// The host that gRPC's interop clients call.
#include "grpc/testing/test.binding.pb.h"
#include "mainspring/host.h"
#include "tests/interop/test_service.h"

int main(int argc, char** argv) {
  using mainspring::testing::TestService;
  return mainspring::HostMain(argc, argv,
                              {grpc::testing::TestServiceType<TestService>("test_service")});
}
