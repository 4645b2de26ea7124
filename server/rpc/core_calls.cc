#include "mainspring/server/rpc/core_calls.h"

#include <grpc/grpc.h>
#include <grpc/support/alloc.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/numbers.h"
#include "mainspring/mutex.h"

namespace mainspring::rpc {
namespace {

using nlohmann::json;

// Takes the text over.
json Parse(char* text) {
  const std::string copy = text == nullptr ? "" : text;
  gpr_free(text);
  json parsed = json::parse(copy, nullptr, /*allow_exceptions=*/false);
  return parsed.is_object() ? parsed : json::object();
}

// proto's JSON writes 64 bits as text, and leaves out what is zero.
int64_t NumberIn(const json& object, const char* name) {
  int64_t number = 0;
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return 0;
  return absl::SimpleAtoi(found->get_ref<const std::string&>(), &number) ? number : 0;
}

intptr_t NewestServer() {
  intptr_t newest = 0;
  while (true) {
    const json page = Parse(grpc_channelz_get_servers(newest + 1));
    const json servers = page.value("server", json::array());
    for (const json& server : servers) {
      newest =
          std::max<intptr_t>(newest, NumberIn(server.value("ref", json::object()), "serverId"));
    }
    if (servers.empty() || page.value("end", false)) return newest;
  }
}

}  // namespace

intptr_t NumberOfServer(const std::function<void()>& build) {
  // So that the one that is new is this one.
  static Mutex mutex;
  MutexLock lock(mutex);
  const intptr_t before = NewestServer();
  build();
  const intptr_t now = NewestServer();
  return now == before ? 0 : now;
}

int64_t CallsStarted(intptr_t server) {
  const json data = Parse(grpc_channelz_get_server(server))
                        .value("server", json::object())
                        .value("data", json::object());
  return NumberIn(data, "callsStarted");
}

}  // namespace mainspring::rpc
