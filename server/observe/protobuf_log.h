// Where protobuf's own log lines go: it writes them to standard error itself, unless told
// otherwise, and clients can cause them, by texts that are no UTF-8 for one.
#ifndef MAINSPRING_SERVER_OBSERVE_PROTOBUF_LOG_H_
#define MAINSPRING_SERVER_OBSERVE_PROTOBUF_LOG_H_

#include "mainspring/server/observe/event_log.h"

namespace mainspring {

// For the whole process, once; `log` must outlive it. As event=protobuf, of each place in
// protobuf's source no more lines than LineLimit allows.
void SendProtobufLogTo(EventLog& log);

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_OBSERVE_PROTOBUF_LOG_H_
