// Calls to elsewhere over gRPC, from a component. Beside "mainspring/host.h", for those that make
// some: it includes gRPC.
#ifndef MAINSPRING_OUTGOING_CALL_H_
#define MAINSPRING_OUTGOING_CALL_H_

#include "mainspring/server/rpc/outgoing_call.h"  // IWYU pragma: export

#endif  // MAINSPRING_OUTGOING_CALL_H_
