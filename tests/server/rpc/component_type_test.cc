#include "mainspring/server/rpc/component_type.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "mainspring/server/rpc/service.h"
#include "tests/server/hooked_type.h"
#include "tests/testing/trial.h"

namespace mainspring {
namespace {

using testing::Trial;

// No components.
class Nobody final : public Directory {
 public:
  std::shared_ptr<Addressee> Find(absl::string_view) const override { return nullptr; }
  std::vector<std::string> Names() const override { return {}; }
};

TEST(ComponentType, WhenMadeByGeneratedCode_KnowsClassMailboxAndService) {
  const ComponentType type = trial::v1::TrialType<Trial>("trial");
  EXPECT_EQ("trial", type.name);
  ASSERT_EQ(1u, type.services.size());
  EXPECT_EQ("mainspring.trial.v1.Trial", type.services[0].service);
  EXPECT_EQ("mainspring.trial.v1.Trial", type.services[0].bind()->name());

  const auto mailbox = type.make_mailbox("one", {}, TimeSource::Real());
  EXPECT_EQ("one", mailbox->component());

  const Nobody nobody;
  const std::string name = "one";
  Context context(name, 1, {TimeSource::Real(), nobody});
  const std::unique_ptr<Component> component = type.make(context);
  ASSERT_NE(nullptr, component);
  EXPECT_TRUE(mailbox->Attach(component.get()));
}

TEST(ComponentType, WhenTheServiceGetsItsMailbox_TakesIt) {
  const ComponentType type = trial::v1::TrialType<Trial>("trial");
  EXPECT_TRUE(type.services[0]
                  .bind()
                  ->AddComponent(type.make_mailbox("one", {}, TimeSource::Real()), nullptr)
                  .ok());
}

TEST(ComponentType, WhenGivenAFactory_MakesInstancesWithIt) {
  int made = 0;
  testing::Hooks hooks;
  hooks.construct = [&](Context&) { ++made; };
  const ComponentType type = testing::HookedType("hooked", hooks);
  const Nobody nobody;
  const std::string name = "one";
  Context context(name, 1, {TimeSource::Real(), nobody});
  EXPECT_NE(type.make(context), type.make(context));
  EXPECT_EQ(2, made);
}

}  // namespace
}  // namespace mainspring
