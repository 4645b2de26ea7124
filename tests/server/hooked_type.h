// HookedType: HookedComponent as a host has it.
#ifndef MAINSPRING_TESTS_SERVER_HOOKED_TYPE_H_
#define MAINSPRING_TESTS_SERVER_HOOKED_TYPE_H_

#include <memory>
#include <string>
#include <utility>

#include "mainspring/server/rpc/component_type.h"
#include "mainspring/trial/v1/trial.binding.pb.h"
#include "tests/server/hooked_component.h"

namespace mainspring::testing {

inline ComponentType HookedType(std::string name, Hooks hooks) {
  return ComponentType::Of<HookedComponent>(
      std::move(name), HookedComponent::kService, &trial::v1::BindTrial,
      [hooks](Context& context) { return std::make_unique<HookedComponent>(context, hooks); });
}

}  // namespace mainspring::testing

#endif  // MAINSPRING_TESTS_SERVER_HOOKED_TYPE_H_
