// The reader of configuration files, given anything: it ends soon, in bounded memory, and what it
// takes for right can be shown and read again.
#include <sanitizer/allocator_interface.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "google/protobuf/util/message_differencer.h"
#include "mainspring/clock/v1/clock_config.pb.h"
#include "mainspring/server/config/config_file.h"
#include "mainspring/server/config/config_text.h"
#include "mainspring/server/config/host_config_message.h"
#include "mainspring/server/supervisor/dependency_graph.h"

namespace {

using namespace mainspring;

// What a file of 1 MiB may take while it is read.
constexpr int64_t kMostBytes = int64_t{64} << 20;

std::atomic<int64_t> allocated{0};
std::atomic<int64_t> most_allocated{0};

void OnAllocate(const volatile void*, size_t size) {
  const int64_t now = allocated.fetch_add(static_cast<int64_t>(size)) + static_cast<int64_t>(size);
  if (now > most_allocated.load()) most_allocated.store(now);
}
void OnFree(const volatile void* pointer) {
  if (pointer == nullptr) return;
  allocated.fetch_sub(
      static_cast<int64_t>(__sanitizer_get_allocated_size(const_cast<const void*>(pointer))));
}

void Require(bool holds, const char* what, const std::string& text) {
  if (holds) return;
  std::fprintf(stderr, "%s:\n%s\n", what, text.c_str());
  std::abort();
}

void Try(const std::string& text) {
  const Sections sections{{"clock", &clock::v1::ClockConfig::default_instance()},
                          {"plain", nullptr}};
  Problems problems;
  const ConfigFile file = ConfigFile::Parse("f", text, sections, problems);
  Require(file.whole || !problems.empty(), "is not whole, and nothing is wrong", text);
  HostConfig config;
  Apply(file.said, file.origins, config);
  FindProblems(config, problems);
  CheckSections(config, sections, problems);
  DependencyGraph::Build(config.components, problems);
  problems.Report("f", file.origins);
  if (!problems.empty()) return;
  FindContradictions(config);
  const host::v1::HostConfig message = ToMessage(config);
  Problems again;
  const std::string shown = ConfigText(message, Remarks());
  const ConfigFile read = ConfigFile::Parse("f", shown, sections, again);
  Require(again.empty(), std::string(again.status().message()).c_str(), shown);
  HostConfig same;
  Apply(read.said, read.origins, same);
  Require(google::protobuf::util::MessageDifferencer::Equals(ToMessage(same), message),
          "is another once it is shown and read", shown);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  __sanitizer_install_malloc_and_free_hooks(&OnAllocate, &OnFree);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const int64_t before = allocated.load();
  most_allocated.store(before);
  Try(std::string(reinterpret_cast<const char*>(data), size));
  Require(most_allocated.load() - before <= kMostBytes, "took more than 64 MiB", "");
  return 0;
}
