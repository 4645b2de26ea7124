#include "tests/cookbook/news.h"

#include <gtest/gtest.h>

#include <string>

#include "mainspring/testing.h"

namespace cookbook {
namespace {

class NewsTest : public ::testing::Test {
 protected:
  NewsTest() {
    stage_.Add<News>("news");
    EXPECT_TRUE(stage_.Start().ok());
  }
  v1::NewsRef ref() { return stage_.Ref<v1::NewsRef>("news"); }
  void Publish(const std::string& headline) {
    v1::PublishRequest request;
    request.set_headline(headline);
    EXPECT_TRUE(stage_.Await(ref().Publish(request)).ok());
  }

  mainspring::testing::Stage stage_;
};

TEST_F(NewsTest, UntilSomethingIsPublished_IsNotServing) {
  EXPECT_FALSE(stage_.is_serving("news"));
  Publish("rain");
  EXPECT_TRUE(stage_.is_serving("news"));
}

TEST_F(NewsTest, Poll_WaitsForWhatItsCallerHasNotSeen) {
  auto poll = ref().Poll({});
  stage_.Settle();
  Publish("rain");
  EXPECT_EQ(stage_.Await(std::move(poll))->headline(), "rain");
}

TEST_F(NewsTest, WhenItDrains_PollIsAnsweredOnce) {
  auto before = ref().Poll({});
  stage_.Settle();
  stage_.Drain("news");
  EXPECT_EQ(stage_.Await(std::move(before))->number(), 0);
  EXPECT_TRUE(absl::IsUnavailable(stage_.Await(ref().Poll({})).status()));
}

}  // namespace
}  // namespace cookbook
