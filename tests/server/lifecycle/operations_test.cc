#include "mainspring/server/lifecycle/operations.h"

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
  uint64_t caller = 0;
  Operations operations;
  Operation& operation = operations.Begin(OrderOf("one"), {Start(0)}, kNow);
  std::vector<std::string> told;
  operations.Await("one", ++caller, [&](const Operation& ended) {
    told.push_back("first");
    (void)ended;
  });
  operations.Await("one", ++caller, [&](const Operation& ended) {
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
  uint64_t caller = 0;
  Operations operations;
  Operation& operation = operations.Begin(OrderOf("one"), {}, kNow);
  operations.End(operation, absl::UnavailableError("no"), 1, kNow);
  absl::Status told;
  operations.Await("one", ++caller, [&](const Operation& ended) { told = ended.status; });
  EXPECT_EQ(absl::UnavailableError("no"), told);
}

TEST(Operations, WhenTheCallbackAwaitsAgain_IsAnsweredAtOnce) {
  uint64_t caller = 0;
  Operations operations;
  Operation& operation = operations.Begin(OrderOf("one"), {}, kNow);
  int told = 0;
  operations.Await("one", ++caller, [&](const Operation&) {
    ++told;
    operations.Await("one", ++caller, [&](const Operation&) { ++told; });
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

TEST(Operations, WhenACallerLeaves_IsNotCalledBack) {
  Operations operations;
  Operation& operation = operations.Begin(OrderOf("one"), {Start(0)}, kNow);
  std::vector<int> told;
  operations.Await("one", 1, [&](const Operation&) { told.push_back(1); });
  operations.Await("one", 2, [&](const Operation&) { told.push_back(2); });
  EXPECT_EQ(nullptr, operations.Leave(1));
  EXPECT_EQ(nullptr, operations.Leave(1)) << "it has left already";
  operations.End(operation, absl::OkStatus(), 1, kNow);
  EXPECT_THAT(told, ElementsAre(2));
  EXPECT_EQ(nullptr, operations.Leave(2));
}

TEST(Operations, WhenAllCallersOfOneThatWaitsLeave_NamesIt) {
  Operations operations;
  operations.Begin(OrderOf("busy"), {Start(0)}, kNow);
  Operation& waiting = operations.BeginWaiting(OrderOf("one"), {0}, kNow);
  operations.Await("one", 1, [](const Operation&) {});
  operations.Await("one", 2, [](const Operation&) {});
  EXPECT_EQ(nullptr, operations.Leave(1));
  EXPECT_EQ(&waiting, operations.Leave(2));
}

TEST(Operations, WhenWhatIsInTheWayIsDone_TheOldestThatWaitsIsReady) {
  Operations operations;
  Operation& busy = operations.Begin(OrderOf("busy"), {Stop(1), Start(1), Start(2)}, kNow);
  Operation& first = operations.BeginWaiting(OrderOf("first"), {0, 1}, kNow);
  Operation& second = operations.BeginWaiting(OrderOf("second"), {1}, kNow);
  Operation& third = operations.BeginWaiting(OrderOf("third"), {2}, kNow);
  EXPECT_EQ(nullptr, operations.NextReady());
  operations.MarkDone(busy, 1);
  EXPECT_EQ(nullptr, operations.NextReady()) << "it is yet to be started";
  operations.MarkDone(busy, 1);
  EXPECT_EQ(&first, operations.NextReady());
  operations.SetSteps(first, {Start(1)});
  EXPECT_EQ(nullptr, operations.NextReady()) << "the second waits for the first now";
  operations.End(first, absl::OkStatus(), 1, kNow);
  EXPECT_EQ(&second, operations.NextReady());
  EXPECT_FALSE(second.waiting);
  operations.End(busy, absl::AbortedError("over"), 1, kNow);
  EXPECT_EQ(&third, operations.NextReady());
  EXPECT_EQ(nullptr, operations.NextReady());
}

TEST(Operations, WhenOneThatWaitsEnds_IsNeverReady) {
  Operations operations;
  Operation& busy = operations.Begin(OrderOf("busy"), {Start(0)}, kNow);
  Operation& waiting = operations.BeginWaiting(OrderOf("one"), {0}, kNow);
  EXPECT_EQ(nullptr, operations.NextReady());
  operations.End(waiting, absl::CancelledError("gone"), 0, kNow);
  operations.End(busy, absl::OkStatus(), 1, kNow);
  EXPECT_EQ(nullptr, operations.NextReady());
}

TEST(Operations, WhenAnEqualOneWaits_IsJoinedAndHasTwoRequestIds) {
  Operations operations;
  operations.Begin(OrderOf("busy"), {Start(0)}, kNow);
  EXPECT_EQ(nullptr, operations.Join(OrderOf("new"))) << "one that has begun is another";
  Operation& waiting = operations.BeginWaiting(OrderOf("one"), {0}, kNow);
  EXPECT_EQ(&waiting, operations.Join(OrderOf("two")));
  EXPECT_EQ(&waiting, operations.Find("two"));
  Order other = OrderOf("three");
  other.cascade = true;
  EXPECT_EQ(nullptr, operations.Join(other));
  other = OrderOf("three");
  other.expected_generation = 1;
  EXPECT_EQ(nullptr, operations.Join(other));
}

TEST(Operations, WhenAThousandAreUnderWay_MoreAreRefusedButForStops) {
  Operations operations;
  for (size_t i = 0; i < Operations::kMostUnderWay; ++i) {
    EXPECT_TRUE(operations.Admit(Command::kStart).ok());
    operations.Begin(OrderOf(absl::StrCat(i)), {Start(0)}, kNow);
  }
  const absl::Status refused = operations.Admit(Command::kRestart);
  EXPECT_EQ(absl::StatusCode::kResourceExhausted, refused.code());
  EXPECT_EQ(
      "1000 commands are under way or wait for others, and more are not accepted; wait for "
      "some to end, or stop what they start",
      refused.message());
  EXPECT_TRUE(operations.Admit(Command::kStop).ok());
  operations.End(*operations.UnderWay().front(), absl::OkStatus(), 1, kNow);
  EXPECT_TRUE(operations.Admit(Command::kStart).ok());
  for (size_t i = operations.UnderWay().size(); i < 2 * Operations::kMostUnderWay; ++i) {
    operations.Begin(OrderOf(absl::StrCat("stop ", i)), {Stop(0)}, kNow);
  }
  EXPECT_EQ(absl::StatusCode::kResourceExhausted, operations.Admit(Command::kStop).code());
}

TEST(Operations, WhenTooManyCallersWait_MoreAreRefusedUntilOneLeaves) {
  Operations operations;
  operations.Begin(OrderOf("one"), {Start(0)}, kNow);
  for (size_t i = 1; i <= Operations::kMostCallers; ++i) {
    EXPECT_TRUE(operations.AdmitCaller().ok());
    operations.Await("one", i, [](const Operation&) {});
  }
  EXPECT_EQ(absl::StatusCode::kResourceExhausted, operations.AdmitCaller().code());
  operations.Leave(7);
  EXPECT_TRUE(operations.AdmitCaller().ok());
}

TEST(Operations, WhenALongOneEnds_OlderOnesAreForgottenBeforeAThousand) {
  Operations operations;
  const std::vector<Step> long_one(400'000, Start(0, true));
  for (const char* id : {"a", "b", "c"}) {
    operations.End(operations.Begin(OrderOf(id), long_one, kNow), absl::OkStatus(), 1, kNow);
  }
  EXPECT_EQ(nullptr, operations.Find("a"));
  EXPECT_NE(nullptr, operations.Find("b"));
}

TEST(Operations, WhenSeveralTouchAComponent_TellsTheOldestFirst) {
  Operations operations;
  Operation& waits = operations.BeginWaiting(OrderOf("waits"), {0}, kNow);
  Operation& one = operations.Begin(OrderOf("one"), {Stop(0), Start(0)}, kNow);
  operations.SetSteps(waits, {Start(0), Start(1)});
  EXPECT_THAT(operations.Touching(0), ElementsAre(&waits, &one));
  EXPECT_THAT(operations.Touching(1), ElementsAre(&waits));
  EXPECT_THAT(operations.Touching(2), IsEmpty());
  operations.MarkDone(one, 0);
  EXPECT_THAT(operations.Touching(0), ElementsAre(&waits, &one));
  operations.MarkDone(one, 0);
  EXPECT_THAT(operations.Touching(0), ElementsAre(&waits));
  EXPECT_THAT(operations.TakeDone(), ElementsAre(&one));
  EXPECT_THAT(operations.TakeDone(), IsEmpty());
}

TEST(Operation, WhenItHasSteps_TellsTheNextOfEach) {
  Operation operation;
  operation.SetSteps({Stop(1, true), Stop(0), Start(0), Start(1)});
  EXPECT_EQ(&operation.steps()[1], operation.NextStepOf(0));
  EXPECT_EQ(&operation.steps()[3], operation.NextStepOf(1));
  EXPECT_EQ(nullptr, operation.NextStepOf(2));
  EXPECT_TRUE(operation.WillStart(0));
  EXPECT_FALSE(operation.WillStart(2));
  operation.MarkDone(0);
  EXPECT_EQ(&operation.steps()[2], operation.NextStepOf(0));
  operation.MarkDone(0);
  EXPECT_FALSE(operation.WillStart(0));
  EXPECT_FALSE(operation.all_done());
  operation.MarkDone(1);
  EXPECT_TRUE(operation.all_done());
  EXPECT_EQ(nullptr, operation.NextStepOf(1));
}

TEST(Operation, WhenItOnlyStopsAComponent_WillNotStartIt) {
  Operation operation;
  operation.SetSteps({Stop(0), Start(1)});
  EXPECT_FALSE(operation.WillStart(0));
}

TEST(Command, ForEach_HasTheNameOfItsRpc) {
  EXPECT_STREQ("StartComponent", Name(Command::kStart));
  EXPECT_STREQ("StopComponent", Name(Command::kStop));
  EXPECT_STREQ("RestartComponent", Name(Command::kRestart));
}

}  // namespace
}  // namespace mainspring
