// What a host's supervisor and health cost as components become many: starts hosts of 100 to 10,000
// clocks, of which all but the first need the first, operates them over their admin plane, and
// prints a table of processor times, and with which power of their number each grew.
//
//   supervise --components=100,1000,4000,10000
#include <grpcpp/grpcpp.h>
#include <time.h>

#include <cmath>
#include <cstdio>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "mainspring/lifecycle/v1/lifecycle.grpc.pb.h"
#include "tests/bench/clock_host.h"

ABSL_FLAG(std::vector<std::string>, components,
          (std::vector<std::string>{"100", "1000", "4000", "10000"}), "How many, host by host.");

namespace mainspring::bench {
namespace {

namespace proto = lifecycle::v1;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

constexpr int kChecks = 2000;
constexpr int kChanges = 200;

// Of all threads of this process: the client's share is in it, and the same for every host.
double ProcessorMilliseconds() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

double Measure(const std::function<void()>& what) {
  const double before = ProcessorMilliseconds();
  what();
  return ProcessorMilliseconds() - before;
}

void Require(const grpc::Status& status, const char* what) {
  if (!status.ok()) throw std::runtime_error(absl::StrCat(what, ": ", status.error_message()));
}

struct Context : grpc::ClientContext {
  Context() { set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(5)); }
};

// What an operator does to one host.
class Operator {
 public:
  explicit Operator(const std::string& address)
      : channel_(grpc::CreateChannel(address, grpc::InsecureChannelCredentials())),
        lifecycle_(proto::Lifecycle::NewStub(channel_)),
        health_(grpc::health::v1::Health::NewStub(channel_)) {}

  void Restart() {
    Context context;
    proto::RestartComponentRequest request;
    request.set_name("clock0");
    request.set_cascade(true);
    proto::RestartComponentResponse response;
    Require(lifecycle_->RestartComponent(&context, request, &response), "RestartComponent");
  }
  // All pages.
  void List() {
    proto::ListComponentsRequest request;
    do {
      Context context;
      proto::ListComponentsResponse response;
      Require(lifecycle_->ListComponents(&context, request, &response), "ListComponents");
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty());
  }
  void Check(const std::string& name) {
    Context context;
    HealthCheckRequest request;
    request.set_service(name);
    HealthCheckResponse response;
    Require(health_->Check(&context, request, &response), "Check");
  }
  // Pauses the component and resumes it, again and again, and reads each change of its health.
  void Change(const std::string& name) {
    Context watch_context;
    HealthCheckRequest watched;
    watched.set_service(name);
    const auto watch = health_->Watch(&watch_context, watched);
    HealthCheckResponse health;
    watch->Read(&health);
    for (int i = 0; i < kChanges / 2; ++i) {
      Context pause;
      proto::PauseComponentRequest request;
      request.set_name(name);
      proto::PauseComponentResponse paused;
      Require(lifecycle_->PauseComponent(&pause, request, &paused), "PauseComponent");
      watch->Read(&health);
      Context resume;
      proto::ResumeComponentRequest resume_request;
      resume_request.set_name(name);
      proto::ResumeComponentResponse resumed;
      Require(lifecycle_->ResumeComponent(&resume, resume_request, &resumed), "ResumeComponent");
      watch->Read(&health);
    }
    watch_context.TryCancel();
    watch->Finish();
  }

 private:
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<proto::Lifecycle::Stub> lifecycle_;
  const std::unique_ptr<grpc::health::v1::Health::Stub> health_;
};

struct Figure {
  const char* what;
  const char* unit;
  double value;
};

std::vector<Figure> OneHost(int components) {
  ClockHost host("supervise", components, [](int number, ComponentConfig& clock) {
    if (number > 0) clock.depends_on.push_back({ClockHost::Name(0)});
  });
  const double start = Measure([&] {
    const absl::Status started = host.Start();
    if (!started.ok()) throw std::runtime_error(started.ToString());
  });
  Operator lifecycle(host.admin());
  const std::string last = ClockHost::Name(components - 1);
  lifecycle.Check(last);
  const double restart = Measure([&] { lifecycle.Restart(); });
  const double list = Measure([&] { lifecycle.List(); });
  const double check = Measure([&] {
    for (int i = 0; i < kChecks; ++i) lifecycle.Check(i % 2 == 0 ? last : "");
  });
  const double change = Measure([&] { lifecycle.Change(last); });
  const double stop = Measure([&] { host.Drain(); });
  return {{"start", "ms", start},
          {"cascade restart", "ms", restart},
          {"list", "ms", list},
          {"stop", "ms", stop},
          {"health Check", "us", check * 1000 / kChecks},
          {"health change, watched", "us", change * 1000 / kChanges}};
}

int Run() {
  std::vector<int> sizes;
  for (const std::string& text : absl::GetFlag(FLAGS_components)) {
    int components = 0;
    if (!absl::SimpleAtoi(text, &components) || components < 2) {
      std::fprintf(stderr, "supervise: --components: \"%s\" is no number of two or more\n",
                   text.c_str());
      return 64;
    }
    sizes.push_back(components);
  }
  std::vector<std::vector<Figure>> hosts;
  for (const int components : sizes) {
    try {
      hosts.push_back(OneHost(components));
    } catch (const std::exception& error) {
      std::fprintf(stderr, "supervise: %d components: %s\n", components, error.what());
      return 1;
    }
    for (const Figure& figure : hosts.back()) {
      std::fprintf(stderr, "%d components: %s %.1f %s\n", components, figure.what, figure.value,
                   figure.unit);
    }
  }
  std::printf("| processor time |");
  for (const int components : sizes) std::printf(" %d |", components);
  std::printf(" grows as n^ |\n|---|");
  for (size_t i = 0; i < sizes.size(); ++i) std::printf("---|");
  std::printf("---|\n");
  for (size_t row = 0; row < hosts.front().size(); ++row) {
    std::printf("| %s, %s |", hosts[0][row].what, hosts[0][row].unit);
    for (const auto& host : hosts) std::printf(" %.1f |", host[row].value);
    // Between the two largest.
    const size_t last = hosts.size() - 1;
    if (last == 0) {
      std::printf(" |\n");
      continue;
    }
    std::printf(" %.2f |\n", std::log(hosts[last][row].value / hosts[last - 1][row].value) /
                                 std::log(static_cast<double>(sizes[last]) / sizes[last - 1]));
  }
  return 0;
}

}  // namespace
}  // namespace mainspring::bench

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  return mainspring::bench::Run();
}
