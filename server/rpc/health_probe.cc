#include "server/rpc/health_probe.h"

#include <grpcpp/grpcpp.h>
#include <string.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "mainspring/text.h"
#include "server/rpc/address.h"
#include "server/rpc/grpc_time.h"

namespace mainspring::rpc {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

constexpr size_t kLongestQuoted = 256;

struct Target {
  std::string address;
  std::string name;
};

bool IsSocket(absl::string_view path) {
  struct stat file;
  return stat(std::string(path).c_str(), &file) == 0 && S_ISSOCK(file.st_mode);
}

// Where the address ends in `text`. The path of a unix socket ends where the socket is.
size_t EndOfAddress(absl::string_view text) {
  if (!absl::StartsWith(text, "unix:")) return std::min(text.find('/'), text.size());
  const absl::string_view path = text.substr(strlen("unix:"));
  const size_t slash = text.rfind('/');
  if (slash == absl::string_view::npos || IsSocket(path) ||
      !IsSocket(text.substr(0, slash).substr(strlen("unix:")))) {
    return text.size();
  }
  return slash;
}

// What gRPC dials.
std::string ToDial(Address address) {
  if (address.host == "*") address.host = "localhost";
  return address.ToString();
}

absl::StatusOr<Target> Parse(absl::string_view text) {
  const size_t end = EndOfAddress(text);
  absl::StatusOr<Address> address = Address::Parse(text.substr(0, end));
  if (!address.ok()) return address.status();
  if (address->IsRelative()) return absl::InvalidArgumentError("its path is relative");
  if (!address->IsUnix() && address->port == 0) {
    return absl::InvalidArgumentError("nobody listens on port 0");
  }
  return Target{ToDial(*std::move(address)),
                end == text.size() ? "" : std::string(text.substr(end + 1))};
}

}  // namespace

ProbeReport ProbeHealth(absl::string_view text, absl::Duration timeout) {
  const absl::StatusOr<Target> target = Parse(text);
  if (!target.ok()) {
    return {ProbeResult::kBadTarget,
            absl::StrCat("\"", BoundedText(text, kLongestQuoted),
                         "\" is not a target; write HOST:PORT, HOST:PORT/NAME, "
                         "unix:/PATH or unix:/PATH/NAME")};
  }
  const gpr_timespec deadline = GrpcDeadline(timeout);
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  const std::shared_ptr<grpc::Channel> channel =
      grpc::CreateCustomChannel(target->address, grpc::InsecureChannelCredentials(), arguments);
  if (!channel->WaitForConnected(deadline)) {
    return {ProbeResult::kNotConnected, absl::StrCat(target->address, ": no connection within ",
                                                     absl::FormatDuration(timeout))};
  }
  grpc::ClientContext context;
  context.set_deadline(deadline);
  HealthCheckRequest request;
  request.set_service(target->name);
  HealthCheckResponse response;
  const grpc::Status status =
      grpc::health::v1::Health::NewStub(channel)->Check(&context, request, &response);
  const std::string what = absl::StrCat(target->address, "/", target->name, ": ");
  if (status.error_code() == grpc::StatusCode::NOT_FOUND) {
    return {ProbeResult::kFailed, absl::StrCat(what, "its health knows no such name")};
  }
  if (!status.ok()) {
    return {ProbeResult::kFailed, absl::StrCat(what, "Check failed: code ", status.error_code(),
                                               ": ", BoundedText(status.error_message()))};
  }
  const bool serving = response.status() == HealthCheckResponse::SERVING;
  return {serving ? ProbeResult::kServing : ProbeResult::kNotServing,
          absl::StrCat(what, HealthCheckResponse::ServingStatus_Name(response.status()))};
}

}  // namespace mainspring::rpc
