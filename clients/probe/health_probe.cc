#include "clients/probe/health_probe.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <memory>

#include "absl/strings/str_cat.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace mainspring {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

// Nobody waits for longer, and it fits into every clock.
constexpr absl::Duration kLongestTimeout = absl::Hours(24 * 365);

}  // namespace

ProbeReport ProbeHealth(const std::string& address, const std::string& name,
                        absl::Duration timeout) {
  const auto deadline = std::chrono::system_clock::now() +
                        absl::ToChronoNanoseconds(std::min(timeout, kLongestTimeout));
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  const std::shared_ptr<grpc::Channel> channel =
      grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  if (!channel->WaitForConnected(deadline)) {
    return {ProbeResult::kNotConnected,
            absl::StrCat(address, ": no connection within ", absl::FormatDuration(timeout))};
  }
  grpc::ClientContext context;
  context.set_deadline(deadline);
  HealthCheckRequest request;
  request.set_service(name);
  HealthCheckResponse response;
  const grpc::Status status =
      grpc::health::v1::Health::NewStub(channel)->Check(&context, request, &response);
  const std::string what = absl::StrCat(address, "/", name, ": ");
  if (status.error_code() == grpc::StatusCode::NOT_FOUND) {
    return {ProbeResult::kFailed, absl::StrCat(what, "its health knows no such name")};
  }
  if (!status.ok()) {
    return {ProbeResult::kFailed, absl::StrCat(what, "Check failed: code ", status.error_code(),
                                               ": ", status.error_message())};
  }
  const bool serving = response.status() == HealthCheckResponse::SERVING;
  return {serving ? ProbeResult::kServing : ProbeResult::kNotServing,
          absl::StrCat(what, HealthCheckResponse::ServingStatus_Name(response.status()))};
}

}  // namespace mainspring
