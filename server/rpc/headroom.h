// Whether the system gives what gRPC takes for granted: it starts threads and opens descriptors as
// it needs them, and where there are none it hangs or aborts.
#ifndef MAINSPRING_SERVER_RPC_HEADROOM_H_
#define MAINSPRING_SERVER_RPC_HEADROOM_H_

#include "absl/status/status.h"

namespace mainspring::rpc {

// Both try with as many as a server needs to start, and give them back. Any thread; they block for
// about a millisecond.
// RESOURCE_EXHAUSTED: there are not enough; the text says of what.

// gRPC starts them with its first server and keeps them.
absl::Status CheckThreads();
absl::Status CheckDescriptors();

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_HEADROOM_H_
