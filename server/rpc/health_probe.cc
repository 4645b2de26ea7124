#include "server/rpc/health_probe.h"

#include <grpcpp/grpcpp.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace mainspring::rpc {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

struct Target {
  std::string address;
  std::string name;
};

bool IsSocket(const std::string& path) {
  struct stat file;
  return stat(path.c_str(), &file) == 0 && S_ISSOCK(file.st_mode);
}

std::optional<Target> Parse(absl::string_view text) {
  absl::string_view rest = text;
  if (absl::ConsumePrefix(&rest, "unix:")) {
    if (!absl::StartsWith(rest, "/")) return std::nullopt;
    const size_t slash = rest.rfind('/');
    if (slash == 0 || IsSocket(std::string(rest)) ||
        !IsSocket(std::string(rest.substr(0, slash)))) {
      return Target{std::string(text), ""};
    }
    return Target{absl::StrCat("unix:", rest.substr(0, slash)),
                  std::string(rest.substr(slash + 1))};
  }
  const size_t slash = text.find('/');
  const absl::string_view address = text.substr(0, slash);
  const size_t colon = address.rfind(':');
  if (colon == absl::string_view::npos || colon == 0) return std::nullopt;
  const absl::string_view port = address.substr(colon + 1);
  if (port.empty() || !std::all_of(port.begin(), port.end(), absl::ascii_isdigit)) {
    return std::nullopt;
  }
  return Target{std::string(address),
                slash == absl::string_view::npos ? "" : std::string(text.substr(slash + 1))};
}

}  // namespace

ProbeReport ProbeHealth(absl::string_view text, absl::Duration timeout) {
  const std::optional<Target> target = Parse(text);
  if (!target.has_value()) {
    return {ProbeResult::kBadTarget,
            absl::StrCat("\"", text,
                         "\" is not a target; write HOST:PORT, HOST:PORT/NAME, "
                         "unix:/PATH or unix:/PATH/NAME")};
  }
  const auto deadline = absl::ToChronoTime(absl::Now() + timeout);
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
                                               ": ", status.error_message())};
  }
  const bool serving = response.status() == HealthCheckResponse::SERVING;
  return {serving ? ProbeResult::kServing : ProbeResult::kNotServing,
          absl::StrCat(what, HealthCheckResponse::ServingStatus_Name(response.status()))};
}

}  // namespace mainspring::rpc
