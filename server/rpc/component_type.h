// ComponentType: what a host can run. Generated code makes them: ClockType<Clock>("clock").
#ifndef MAINSPRING_SERVER_RPC_COMPONENT_TYPE_H_
#define MAINSPRING_SERVER_RPC_COMPONENT_TYPE_H_

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "mainspring/component.h"
#include "mainspring/configurable.h"
#include "mainspring/mailbox.h"
#include "mainspring/replica_set.h"
#include "mainspring/server/rpc/service.h"

namespace mainspring {

// A class, with its request enums and their proto services. Cheap to copy.
struct ComponentType {
  using Bind = std::unique_ptr<rpc::Service> (*)();

  // A proto service by its full name, and what makes the gRPC service, for one plane.
  struct ServedService {
    std::string service;
    Bind bind;
  };

  // The type's name, and the name of a host's only component of it.
  std::string name;
  // What it answers: one, unless told otherwise.
  std::vector<ServedService> services;
  // Makes an instance, on the component's thread.
  ComponentFactory make;
  std::function<std::shared_ptr<MailboxBase>(const std::string& component,
                                             const MailboxOptions& options, const TimeSource& time)>
      make_mailbox;
  // For several that are called as one.
  std::shared_ptr<AnyReplicaSet> (*make_replica_set)(const std::string& name) = nullptr;
  // What its calls from outside pass before its mailbox; empty: nothing.
  rpc::Before before = nullptr;
  // It is for calls in process alone.
  bool in_process_only = false;
  // The names of the components that its own need: see DependsOn.
  std::vector<std::string> depends_on = {};
  // The message that is a component's section, where its class is Configurable; null: it is not.
  const google::protobuf::Message* config = nullptr;

  // `Class` is constructible from a Context&.
  template <class Class>
  static ComponentType Of(std::string name, std::string service, Bind bind) {
    return Of<Class>(std::move(name), std::move(service), bind, [](Context& context) {
      static_assert(std::is_constructible_v<Class, Context&>,
                    "the class is not made of a Context& alone: give its type a "
                    "factory, OrdersType<Orders>(name, [](Context& context) { ... })");
      return std::make_unique<Class>(context);
    });
  }

  // The same for a class whose constructor wants more than a Context&.
  template <class Class>
  static ComponentType Of(std::string name, std::string service, Bind bind, ComponentFactory make) {
    static_assert(!std::is_abstract_v<Class>, "the class lacks a method of its service: see below");
    using MailboxType = typename MailboxOf<typename Class::Request>::Type;
    ComponentType type{std::move(name),
                       {{std::move(service), bind}},
                       std::move(make),
                       [](const std::string& component, const MailboxOptions& options,
                          const TimeSource& time) -> std::shared_ptr<MailboxBase> {
                         return std::make_shared<MailboxType>(component, options, time);
                       }};
    type.make_replica_set = [](const std::string& replicas) -> std::shared_ptr<AnyReplicaSet> {
      return std::make_shared<typename ReplicaSetOf<typename Class::Request>::Type>(replicas);
    };
    if constexpr (std::is_base_of_v<AnyConfigurable, Class>) {
      static_assert(std::is_convertible_v<Class*, AnyConfigurable*>,
                    "derive from Configurable publicly, and once");
      type.config = &Class::ConfigMessage::default_instance();
    }
    return type;
  }

  // The same, of a class that answers another service as well, whose request enum is among its
  // Several: v1::OrdersType<Orders>("orders").Also(&v2::BindOrders). Of one that does not,
  // Host::Start is INVALID_ARGUMENT.
  ComponentType Also(Bind bind) const {
    ComponentType with = *this;
    with.services.push_back({bind()->name(), bind});
    return with;
  }

  // The same, of a class that is no use without those components: they are started before it, stop
  // after it, and where one of them is down, it is too. OneOfEach takes that over, and so
  // HostMain; a HostConfig that is made otherwise says it itself.
  ComponentType DependsOn(std::vector<std::string> components) const {
    ComponentType with = *this;
    for (std::string& each : components) with.depends_on.push_back(std::move(each));
    return with;
  }
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_RPC_COMPONENT_TYPE_H_
