#include "server/supervisor/operations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace mainspring {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

Order OrderOf(const std::string& request_id) {
  return {Command::kStart, 0, request_id, std::nullopt};
}
Step Start(size_t component, bool done = false) { return {Step::Action::kStart, component, done}; }
Step Stop(size_t component, bool done = false) { return {Step::Action::kStop, component, done}; }

TEST(Operations, WhenAwaitedBeforeTheEnd_CallsBackAtTheEnd) {
  Operations operations;
  Operation& operation = operations.Begin(OrderOf("one"), {Start(0)}, kNow);
  std::vector<std::string> told;
  operations.Await("one", [&](const Operation& ended) {
    told.push_back("first");
    (void)ended;
  });
  operations.Await("one", [&](const Operation& ended) {
    told.push_back("second");
    EXPECT_TRUE(ended.ended);
    EXPECT_EQ(7u, ended.generation);
    EXPECT_EQ(kNow + absl::Seconds(1), ended.end_time);
  });
  EXPECT_THAT(told, IsEmpty());
  EXPECT_THAT(operations.UnderWay(), ElementsAre(&operation));
  operations.End(operation, absl::OkStatus(), 7, kNow + absl::Seconds(1));
  EXPECT_THAT(told, ElementsAre("first", "second"));
  EXPECT_THAT(operations.UnderWay(), IsEmpty());
}

TEST(Operations, WhenAwaitedAfterTheEnd_CallsBackAtOnce) {
  Operations operations;
  Operation& operation = operations.Begin(OrderOf("one"), {}, kNow);
  operations.End(operation, absl::UnavailableError("no"), 1, kNow);
  absl::Status told;
  operations.Await("one", [&](const Operation& ended) { told = ended.status; });
  EXPECT_EQ(absl::UnavailableError("no"), told);
}

TEST(Operations, WhenTheCallbackAwaitsAgain_IsAnsweredAtOnce) {
  Operations operations;
  Operation& operation = operations.Begin(OrderOf("one"), {}, kNow);
  int told = 0;
  operations.Await("one", [&](const Operation&) {
    ++told;
    operations.Await("one", [&](const Operation&) { ++told; });
  });
  operations.End(operation, absl::OkStatus(), 1, kNow);
  EXPECT_EQ(2, told);
}

TEST(Operations, WhenAThousandHaveEndedSince_ForgetsAnOperation) {
  Operations operations;
  Operation& long_one = operations.Begin(OrderOf("long"), {Start(0)}, kNow);
  for (int i = 0; i < 1001; ++i) {
    operations.End(operations.Begin(OrderOf(absl::StrCat(i)), {}, kNow), absl::OkStatus(), 1, kNow);
  }
  EXPECT_EQ(nullptr, operations.Find("0"));
  ASSERT_NE(nullptr, operations.Find("1"));
  EXPECT_EQ("1", operations.Find("1")->order.request_id);
  EXPECT_EQ(&long_one, operations.Find("long")) << "what is under way is never forgotten";
  EXPECT_FALSE(long_one.ended);
  operations.End(long_one, absl::OkStatus(), 1, kNow);
  EXPECT_EQ(nullptr, operations.Find("1"));
  EXPECT_NE(nullptr, operations.Find("long"));
}

TEST(Operations, WhenUnknown_FindsNothing) { EXPECT_EQ(nullptr, Operations().Find("none")); }

TEST(Operations, WhenSeveralAreUnderWay_TellsTheOldestFirst) {
  Operations operations;
  Operation& one = operations.Begin(OrderOf("b"), {Start(0)}, kNow);
  Operation& two = operations.Begin(OrderOf("a"), {Start(0)}, kNow);
  Operation& three = operations.Begin(OrderOf("c"), {Start(0)}, kNow);
  EXPECT_THAT(operations.UnderWay(), ElementsAre(&one, &two, &three));
  for (Operation* each : operations.UnderWay()) {
    if (each == &two) operations.End(*each, absl::OkStatus(), 1, kNow);
  }
  EXPECT_THAT(operations.UnderWay(), ElementsAre(&one, &three));
}

TEST(Operation, WhenItHasSteps_TellsTheNextOfEach) {
  Operation operation;
  operation.steps = {Stop(1, true), Stop(0), Start(0), Start(1)};
  EXPECT_EQ(&operation.steps[1], operation.NextStepOf(0));
  EXPECT_EQ(&operation.steps[3], operation.NextStepOf(1));
  EXPECT_EQ(nullptr, operation.NextStepOf(2));
  EXPECT_FALSE(operation.all_done());
  for (Step& step : operation.steps) step.done = true;
  EXPECT_TRUE(operation.all_done());
  EXPECT_EQ(nullptr, operation.NextStepOf(0));
}

TEST(Command, ForEach_HasTheNameOfItsRpc) {
  EXPECT_STREQ("StartComponent", Name(Command::kStart));
  EXPECT_STREQ("StopComponent", Name(Command::kStop));
  EXPECT_STREQ("RestartComponent", Name(Command::kRestart));
}

}  // namespace
}  // namespace mainspring
