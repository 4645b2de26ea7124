#include "mainspring/server/rpc/server_call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace mainspring::rpc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class NumberedCall final : public ServerCall {
 public:
  explicit NumberedCall(int number) : number(number) {}
  void EndStream(const absl::Status&) override {}
  bool Cut(const absl::Status&) override { return false; }
  void GiveUp() override {}
  const int number;
};

class CallListTest : public ::testing::Test {
 protected:
  CallListTest() {
    for (NumberedCall* call : {&one_, &two_, &three_}) list_.Add(*call);
  }

  std::vector<int> Numbers() {
    std::vector<int> numbers;
    list_.ForEach(
        [&](ServerCall& call) { numbers.push_back(static_cast<NumberedCall&>(call).number); });
    return numbers;
  }

  NumberedCall one_{1}, two_{2}, three_{3};
  CallList list_;
};

TEST_F(CallListTest, WhenVisited_GivesTheOldestFirst) {
  EXPECT_THAT(Numbers(), ElementsAre(1, 2, 3));
}

TEST_F(CallListTest, WhenFirstMiddleOrLastIsRemoved_KeepsTheOthersInOrder) {
  list_.Remove(two_);
  EXPECT_THAT(Numbers(), ElementsAre(1, 3));
  list_.Add(two_);
  list_.Remove(one_);
  EXPECT_THAT(Numbers(), ElementsAre(3, 2));
  list_.Remove(two_);
  EXPECT_THAT(Numbers(), ElementsAre(3));
}

TEST_F(CallListTest, WhenTheVisitRemovesTheCallThatItIsGiven_GoesOnWithTheNext) {
  CallList others;
  list_.ForEach([&](ServerCall& call) {
    list_.Remove(call);
    others.Add(call);
  });
  EXPECT_THAT(Numbers(), IsEmpty());
  EXPECT_EQ(&one_, others.first());
}

TEST_F(CallListTest, WhenAllAreRemoved_IsEmptyAndTakesMore) {
  for (NumberedCall* call : {&two_, &one_, &three_}) list_.Remove(*call);
  EXPECT_THAT(Numbers(), IsEmpty());
  list_.Add(three_);
  EXPECT_THAT(Numbers(), ElementsAre(3));
}

}  // namespace
}  // namespace mainspring::rpc
