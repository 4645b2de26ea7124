// ControlRequest: what the control lane carries, the same for every component: the lifecycle
// requests, and callbacks. Whoever sends them opens and closes the mailbox; it is closed before a
// stop, or the queue need not end before the deadline.
#ifndef MAINSPRING_CONTROL_REQUEST_H_
#define MAINSPRING_CONTROL_REQUEST_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "mainspring/blocking.h"
#include "mainspring/reply.h"
#include "mainspring/return_address.h"
#include "mainspring/steady_time.h"

namespace google::protobuf {
class Message;
}

namespace mainspring {

// A component's section: see configurable.h. Null: one in which nothing is set.
using Section = std::shared_ptr<const google::protobuf::Message>;

// What an exception from an rpc's method costs.
enum class OnException {
  kFailCall,  // the call that it was in
  kRestart,   // the instance too
};

// What came of a section that a component takes.
struct Configured {
  // Where the component's files are installed, where it is FileConfigurable: see
  // config_directory.h. What a section that was not given makes of them is in the one to come.
  std::string directory;
};

namespace control {
struct Start {  // Construct an instance, the one with this generation, and start it.
  uint64_t generation;
  OnException on_exception = OnException::kFailCall;
  // Tells the section, when the instance is made; null: there is none.
  std::function<Section()> section = nullptr;
};
// Look whether the instance of this generation takes a section, and, told to, give it; then say so.
// UNAVAILABLE: there is no such instance.
struct Configure {
  uint64_t generation;
  Section section;
  bool apply;
  Reply<Configured> reply;
};
struct Stop {  // Answer what was accepted, but after `deadline` with `why`; then stop the instance.
  SteadyTime deadline;
  absl::Status why;
};
struct Discard {};  // Stop the instance now, if there is one; what is queued waits for another.
struct Pause {};    // Let calls wait.
struct Resume {};   // Serve them again.
struct Drain {      // The component drains, or its host does; or no longer.
  bool draining;
};
struct Dependency {  // Another component came up, or went down.
  std::string component;
  bool running;
};
struct Quit {};  // End the control loop.
struct Run {     // For the instance of this generation alone.
  uint64_t generation;
  Callback callback;
};
}  // namespace control

using ControlRequest =
    std::variant<control::Start, control::Configure, control::Stop, control::Discard,
                 control::Pause, control::Resume, control::Drain, control::Dependency,
                 control::Quit, control::Run>;

}  // namespace mainspring

#endif  // MAINSPRING_CONTROL_REQUEST_H_
