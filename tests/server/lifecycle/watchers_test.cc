#include "mainspring/server/lifecycle/watchers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/components/mainspring/fakes.h"

namespace mainspring {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Request = Watchers::Request;
using Response = Watchers::Response;
using Stream = testing::StreamRecord<Response>;

// "snapshot@3 of 2", "snapshot@3 of 500 and more", "event 4", "lost, oldest 2".
std::string Text(const Response& response) {
  switch (response.update_case()) {
    case Response::kSnapshot:
      return absl::StrCat("snapshot@", response.snapshot().sequence(), " of ",
                          response.snapshot().components_size(),
                          response.snapshot().more() ? " and more" : "");
    case Response::kEvent:
      return absl::StrCat("event ", response.event().sequence());
    case Response::kHistoryLost:
      return absl::StrCat("lost, oldest ", response.history_lost().oldest_sequence());
    default:
      return "nothing";
  }
}

// The test's thread stands in for the supervisor's.
class WatchersTest : public ::testing::Test {
 protected:
  static constexpr size_t kHistory = 5;
  static constexpr size_t kMost = 3;

  void Happen(int times = 1) {
    for (int i = 0; i < times; ++i) {
      history_.Add({0, absl::UnixEpoch(), "a", 1, LifecycleState::kStopped,
                    LifecycleState::kStarting, "test"});
      watchers_.Publish();
    }
  }
  Stream& Watch(uint64_t after = 0, const std::string& incarnation = "", size_t room = 1000) {
    Request request;
    request.set_after_sequence(after);
    request.set_incarnation(incarnation);
    streams_.push_back(std::make_unique<Stream>());
    streams_.back()->room = room;
    watchers_.Add(request, ReplyStream<Response>(streams_.back().get()));
    return *streams_.back();
  }
  // Takes what was written.
  static std::vector<std::string> Take(Stream& stream) {
    std::vector<std::string> texts;
    for (const Response& each : std::exchange(stream.messages, {})) texts.push_back(Text(each));
    return texts;
  }
  // There is room again.
  static std::vector<std::string> TakeAndReady(Stream& stream) {
    std::vector<std::string> texts = Take(stream);
    if (stream.ready) std::exchange(stream.ready, nullptr)();
    return texts;
  }

  size_t components_ = 2;
  const std::shared_ptr<testing::CallbackLane> lane_ = std::make_shared<testing::CallbackLane>();
  const ReturnAddress address_{lane_, 1};
  ReturnAddressScope scope_{address_};
  std::list<std::unique_ptr<Stream>> streams_;
  EventHistory history_{kHistory};
  testing::ManualTime time_;
  size_t snapshots_ = 0;  // so many were made
  std::string reason_;    // of each component
  Watchers watchers_{history_, "now", kMost, [this] { return time_.Now(); },
                     [this] {
                       ++snapshots_;
                       std::vector<lifecycle::v1::Component> all(components_);
                       for (size_t i = 0; i < all.size(); ++i) {
                         all[i].set_name(absl::StrCat(i));
                         all[i].set_reason(reason_);
                       }
                       return all;
                     }};
};

TEST_F(WatchersTest, WhenWatchedAnew_SendsASnapshotThenEachEvent) {
  Happen();
  Stream& stream = Watch();
  EXPECT_EQ("now", stream.messages.at(0).snapshot().incarnation());
  EXPECT_THAT(Take(stream), ElementsAre("snapshot@1 of 2"));
  Happen(2);
  EXPECT_THAT(Take(stream), ElementsAre("event 2", "event 3"));
}

TEST_F(WatchersTest, WhenNothingHasHappened_SendsTheSnapshotAlone) {
  Stream& stream = Watch();
  EXPECT_THAT(Take(stream), ElementsAre("snapshot@0 of 2"));
  watchers_.Publish();
  EXPECT_THAT(Take(stream), IsEmpty());
}

TEST_F(WatchersTest, WhenThereIsNoComponent_SendsAnEmptySnapshot) {
  components_ = 0;
  EXPECT_THAT(Take(Watch()), ElementsAre("snapshot@0 of 0"));
}

TEST_F(WatchersTest, WhenResumed_GoesOnWhereItEnded) {
  Happen(4);
  Stream& stream = Watch(2, "now");
  EXPECT_THAT(Take(stream), ElementsAre("event 3", "event 4"));
  Happen();
  EXPECT_THAT(Take(stream), ElementsAre("event 5"));
  EXPECT_THAT(Take(Watch(5, "now")), IsEmpty()) << "it has all";
}

TEST_F(WatchersTest, WhenResumedFromTheBeginning_SendsAllEvents) {
  Happen(2);
  EXPECT_THAT(Take(Watch(0, "now")), ElementsAre("event 1", "event 2"));
}

TEST_F(WatchersTest, WhenItIsAnotherIncarnations_SaysSoAndBeginsAnew) {
  Happen(4);
  EXPECT_THAT(Take(Watch(2, "before")), ElementsAre("lost, oldest 1", "snapshot@4 of 2"));
}

TEST_F(WatchersTest, WhenTheHistoryNoLongerHasAll_SaysSoAndBeginsAnew) {
  Happen(7);
  Stream& stream = Watch(1, "now");
  EXPECT_THAT(Take(stream), ElementsAre("lost, oldest 3", "snapshot@7 of 2"));
  Happen();
  EXPECT_THAT(Take(stream), ElementsAre("event 8"));
  EXPECT_THAT(Take(Watch(3, "now")),
              ElementsAre("event 4", "event 5", "event 6", "event 7", "event 8"))
      << "the last that it has";
}

TEST_F(WatchersTest, WhenTheSequenceIsFromTheFuture_SaysSoAndBeginsAnew) {
  Happen();
  EXPECT_THAT(Take(Watch(99, "now")), ElementsAre("lost, oldest 1", "snapshot@1 of 2"));
  EXPECT_THAT(Take(Watch(~uint64_t{0}, "now")), ElementsAre("lost, oldest 1", "snapshot@1 of 2"));
}

TEST_F(WatchersTest, WhenASequenceComesWithoutIncarnation_IsTakenForThisOne) {
  Happen(3);
  EXPECT_THAT(Take(Watch(2)), ElementsAre("event 3"));
}

TEST_F(WatchersTest, WhenTheWatcherIsSlow_CatchesUpFromTheHistory) {
  Stream& stream = Watch(0, "", /*room=*/1);
  Happen(4);
  EXPECT_THAT(TakeAndReady(stream), ElementsAre("snapshot@0 of 2"));
  EXPECT_THAT(TakeAndReady(stream), ElementsAre("event 1"));
  EXPECT_THAT(TakeAndReady(stream), ElementsAre("event 2"));
  stream.room = 10;
  EXPECT_THAT(TakeAndReady(stream), ElementsAre("event 3"));
  EXPECT_THAT(Take(stream), ElementsAre("event 4"));
  Happen();
  EXPECT_THAT(Take(stream), ElementsAre("event 5")) << "it is abreast again";
}

TEST_F(WatchersTest, WhenItIsBehindForLongerThanTheHistory_SaysSoAndBeginsAnew) {
  Stream& stream = Watch(0, "", /*room=*/1);
  Happen(20);
  EXPECT_THAT(TakeAndReady(stream), ElementsAre("snapshot@0 of 2"));
  EXPECT_THAT(TakeAndReady(stream), ElementsAre("lost, oldest 16"));
  Happen(20);
  EXPECT_THAT(TakeAndReady(stream), ElementsAre("snapshot@20 of 2"));
  EXPECT_THAT(TakeAndReady(stream), ElementsAre("lost, oldest 36")) << "and again";
  EXPECT_THAT(TakeAndReady(stream), ElementsAre("snapshot@40 of 2"));
  Happen();
  EXPECT_THAT(TakeAndReady(stream), ElementsAre("event 41"));
}

TEST_F(WatchersTest, WhenThereAreManyComponents_TheSnapshotComesInParts) {
  components_ = 1201;
  Stream& stream = Watch(0, "", /*room=*/1);
  EXPECT_EQ("0", stream.messages.at(0).snapshot().components(0).name());
  EXPECT_THAT(TakeAndReady(stream), ElementsAre("snapshot@0 of 500 and more"));
  EXPECT_EQ("500", stream.messages.at(0).snapshot().components(0).name());
  Happen();
  EXPECT_THAT(TakeAndReady(stream), ElementsAre("snapshot@0 of 500 and more"));
  EXPECT_EQ("1200", stream.messages.at(0).snapshot().components(200).name());
  EXPECT_THAT(TakeAndReady(stream), ElementsAre("snapshot@0 of 201"));
  EXPECT_THAT(TakeAndReady(stream), ElementsAre("event 1"));
}

TEST_F(WatchersTest, WhenTheSnapshotFitsExactly_SaysThatNoMoreFollows) {
  components_ = 500;
  EXPECT_THAT(Take(Watch()), ElementsAre("snapshot@0 of 500"));
  components_ = 1000;
  time_.Advance(absl::Seconds(1));
  EXPECT_THAT(Take(Watch()), ElementsAre("snapshot@0 of 500 and more", "snapshot@0 of 500"));
}

TEST_F(WatchersTest, WhenTheSnapshotIsLarge_EachPartHasTwoMebibytesAtMost) {
  components_ = 100;
  reason_ = std::string(50'000, 'x');
  Stream& stream = Watch();
  EXPECT_THAT(Take(stream), ElementsAre("snapshot@0 of 41 and more", "snapshot@0 of 41 and more",
                                        "snapshot@0 of 18"));
}

TEST_F(WatchersTest, WhenSeveralWatchAnew_TheSnapshotIsMadeOnce) {
  Happen();
  Watch();
  EXPECT_THAT(Take(Watch()), ElementsAre("snapshot@1 of 2"));
  EXPECT_THAT(Take(Watch(7, "before")), ElementsAre("lost, oldest 1", "snapshot@1 of 2"));
  EXPECT_EQ(1u, snapshots_);
}

TEST_F(WatchersTest, WhenSomethingHappensOrTimePasses_TheSnapshotIsMadeAnew) {
  Watch();
  Happen();
  EXPECT_THAT(Take(Watch()), ElementsAre("snapshot@1 of 2"));
  EXPECT_EQ(2u, snapshots_);
  time_.Advance(absl::Seconds(1));
  EXPECT_THAT(Take(Watch()), ElementsAre("snapshot@1 of 2"));
  EXPECT_EQ(3u, snapshots_);
}

TEST_F(WatchersTest, WhenThereAreTooMany_RefusesUntilOneHasGone) {
  Stream& first = Watch();
  Watch();
  Watch();
  Stream& refused = Watch();
  ASSERT_EQ(1u, refused.endings.size());
  EXPECT_EQ(absl::StatusCode::kResourceExhausted, refused.endings[0].code());
  EXPECT_EQ("3 watchers are all that the host allows; use ListComponents",
            refused.endings[0].message());
  EXPECT_THAT(refused.messages, IsEmpty());
  first.MarkCancelled();
  lane_->RunAll();
  EXPECT_EQ(1u, first.endings.size());
  EXPECT_THAT(Watch().endings, IsEmpty());
}

TEST_F(WatchersTest, WhenTheWatcherGoesWhileItIsBehind_IsForgotten) {
  Stream& stream = Watch(0, "", /*room=*/1);
  Happen();
  stream.MarkCancelled();
  lane_->RunAll();
  EXPECT_EQ(1u, stream.endings.size());
  stream.messages.clear();
  if (stream.ready) std::exchange(stream.ready, nullptr)();
  Happen();
  EXPECT_THAT(stream.messages, IsEmpty());
}

TEST_F(WatchersTest, WhenTheWatcherGoesUnheard_IsWrittenNothingMore) {
  Stream& stream = Watch();
  stream.MarkCancelled();
  Happen();
  EXPECT_THAT(Take(stream), ElementsAre("snapshot@0 of 2"));
  lane_->RunAll();
}

TEST_F(WatchersTest, WhenOneIsSlow_TheOthersAreNot) {
  Stream& slow = Watch(0, "", /*room=*/1);
  Stream& quick = Watch();
  Happen(2);
  EXPECT_THAT(Take(quick), ElementsAre("snapshot@0 of 2", "event 1", "event 2"));
  EXPECT_THAT(Take(slow), ElementsAre("snapshot@0 of 2"));
}

}  // namespace
}  // namespace mainspring
