// Component: a named unit with one thread, one mailbox and a lifecycle. This is the one header
// that the author of a component includes; protoc-gen-mainspring writes a base class on top of it
// for each proto service, with one method for each rpc (Start_ for an rpc that is called Start: see
// protos/README.md):
//
//   class Greeter final : public GreeterComponent {
//    public:
//     using GreeterComponent::GreeterComponent;
//     void SayHello(SayHelloRequest request, Reply<SayHelloResponse> reply) override { ... }
//   };
//
// The host constructs a component on its own thread, calls Start, then its methods, timers and
// callbacks, then Stop, and destroys it, all on that thread: its state needs no lock. A method may
// answer at once, keep the reply for later, or be a coroutine (coroutine.h); it should not block,
// for while it does, nothing else of this component runs. What a method throws fails the call that
// it was in, with INTERNAL, unless its reply was put away; what is thrown anywhere else, in Start,
// a timer or a callback, fails the instance, and the host makes a new one. A method's exception
// does so too where the component's on_exception is OnException::kRestart.
#ifndef MAINSPRING_COMPONENT_H_
#define MAINSPRING_COMPONENT_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "mainspring/answer.h"
#include "mainspring/call.h"
#include "mainspring/configurable.h"
#include "mainspring/context.h"
#include "mainspring/coroutine.h"
#include "mainspring/file_configurable.h"
#include "mainspring/handler.h"
#include "mainspring/ref.h"
#include "mainspring/reply.h"
#include "mainspring/reply_stream.h"
#include "mainspring/request_stream.h"
#include "mainspring/status_details.h"

namespace mainspring {

class Component {
 public:
  // `context` outlives the component.
  explicit Component(Context& context) : context_(context) {}
  virtual ~Component() = default;
  Component(const Component&) = delete;
  Component& operator=(const Component&) = delete;

  // Before the first request. An error means that the component cannot serve: the instance is
  // destroyed, and the text is what an operator sees.
  virtual absl::Status Start() { return absl::OkStatus(); }

  // After the last request. Not called after a failure.
  virtual void Stop() {}

  // The host drains, or this component alone: nothing new will come, and what was accepted should
  // end soon. For a long poll, which can be answered now. Calls still come for as long as there is
  // a lame duck; context().draining() tells. Once for each drain.
  virtual void Draining() {}

  // A component that this one depends on came up, or went down. At Start, hard dependencies are
  // RUNNING; soft ones are where they could be.
  virtual void DependencyChanged(std::string /*component*/, bool /*running*/) {}

 protected:
  Context& context() { return context_; }
  const Context& context() const { return context_; }

 private:
  Context& context_;
};

// Makes an instance, on the component's thread; at each start a new one.
using ComponentFactory = std::function<std::unique_ptr<Component>(Context&)>;

}  // namespace mainspring

#endif  // MAINSPRING_COMPONENT_H_
