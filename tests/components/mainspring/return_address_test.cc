#include "mainspring/return_address.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

#include "tests/components/mainspring/fakes.h"

namespace mainspring::testing {
namespace {

TEST(ReturnAddress, Post_GoesToItsQueueForItsInstance) {
  const auto lane = std::make_shared<CallbackLane>();
  const ReturnAddress address(lane, 3);
  bool ran = false;
  address.Post([&] { ran = true; });
  EXPECT_FALSE(ran) << "not on the thread that posts";
  EXPECT_EQ(lane->instance(), 3u);
  EXPECT_EQ(lane->RunAll(), 1u);
  EXPECT_TRUE(ran);
}

TEST(ReturnAddress, ByDefault_IsEmpty) {
  EXPECT_FALSE(ReturnAddress());
  EXPECT_FALSE(ReturnAddress::Current());
  EXPECT_FALSE(ReturnAddress::HasCurrent());
}

TEST(ReturnAddress, Scopes_Nest) {
  const auto lane = std::make_shared<CallbackLane>();
  const ReturnAddress outer(lane, 1), inner(lane, 2);
  {
    ReturnAddressScope outer_scope(outer);
    {
      ReturnAddressScope inner_scope(inner);
      ReturnAddress::Current().Post([] {});
      EXPECT_EQ(lane->instance(), 2u);
      lane->RunAll();
    }
    ReturnAddress::Current().Post([] {});
    EXPECT_EQ(lane->instance(), 1u);
  }
  EXPECT_FALSE(ReturnAddress::HasCurrent());
}

TEST(ReturnAddress, Scope_IsOfItsThreadAlone) {
  const ReturnAddress address(std::make_shared<CallbackLane>(), 1);
  ReturnAddressScope scope(address);
  std::thread([] { EXPECT_FALSE(ReturnAddress::HasCurrent()); }).join();
  EXPECT_TRUE(ReturnAddress::HasCurrent());
}

TEST(ReturnAddress, Copy_OutlivesItsScopeAndKeepsTheQueue) {
  auto lane = std::make_shared<CallbackLane>();
  ReturnAddress copy;
  {
    const ReturnAddress address(lane, 1);
    ReturnAddressScope scope(address);
    copy = ReturnAddress::Current();
  }
  std::weak_ptr<CallbackLane> watch = lane;
  lane.reset();
  EXPECT_FALSE(watch.expired());
  copy.Post([] {});
  EXPECT_EQ(watch.lock()->size(), 1u);
}

}  // namespace
}  // namespace mainspring::testing
