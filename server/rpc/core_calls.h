// How many calls gRPC itself has seen on a server, those included that it ended without ever
// handing them over. channelz, which is on unless it was switched off, counts them.
#ifndef MAINSPRING_SERVER_RPC_CORE_CALLS_H_
#define MAINSPRING_SERVER_RPC_CORE_CALLS_H_

#include <cstdint>
#include <functional>

namespace mainspring::rpc {

// What channelz calls the server that `build` makes; 0 where it does not tell. Any thread; the
// servers of a process are built one after another here.
intptr_t NumberOfServer(const std::function<void()>& build);

// Calls that have come to that server; 0 where channelz does not tell. Any thread.
int64_t CallsStarted(intptr_t server);

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_CORE_CALLS_H_
