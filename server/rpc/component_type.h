// ComponentType: what a host can run. Generated code makes them: ClockType<Clock>("clock").
#ifndef MAINSPRING_SERVER_RPC_COMPONENT_TYPE_H_
#define MAINSPRING_SERVER_RPC_COMPONENT_TYPE_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "mainspring/component.h"
#include "mainspring/mailbox.h"
#include "mainspring/server/rpc/service.h"

namespace mainspring {

// A class, its request enum and its proto service. Cheap to copy.
struct ComponentType {
  // The type's name, and the name of a host's only component of it.
  std::string name;
  // The proto service's full name.
  std::string service;
  // Makes an instance, on the component's thread.
  ComponentFactory make;
  std::function<std::shared_ptr<MailboxBase>(const std::string& component,
                                             const MailboxOptions& options, const TimeSource& time)>
      make_mailbox;
  // Makes the gRPC service, for one plane; empty: it is for calls in process alone.
  std::function<std::unique_ptr<rpc::Service>()> bind;
  // What its calls from outside pass before its mailbox; empty: nothing.
  rpc::Before before = nullptr;

  // `Class` is constructible from a Context&.
  template <class Class>
  static ComponentType Of(std::string name, std::unique_ptr<rpc::Service> (*bind)()) {
    return Of<Class>(std::move(name), bind,
                     [](Context& context) { return std::make_unique<Class>(context); });
  }

  // The same for a class whose constructor wants more than a Context&.
  template <class Class>
  static ComponentType Of(std::string name, std::unique_ptr<rpc::Service> (*bind)(),
                          ComponentFactory make) {
    return {std::move(name),
            Class::kService,
            std::move(make),
            [](const std::string& component, const MailboxOptions& options,
               const TimeSource& time) -> std::shared_ptr<MailboxBase> {
              return std::make_shared<Mailbox<typename Class::Request>>(component, options, time);
            },
            bind,
            nullptr};
  }
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_RPC_COMPONENT_TYPE_H_
