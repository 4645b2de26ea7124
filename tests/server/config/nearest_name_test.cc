#include "mainspring/server/config/nearest_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace mainspring {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(NearestFirst, WhenOneIsNear_PutsItFirstAndKeepsTheOrderOfTheRest) {
  EXPECT_THAT(NearestFirst("clok", {"mail", "store", "clock", "web"}),
              ElementsAre("clock", "mail", "store", "web"));
}

TEST(NearestFirst, WhenSeveralAreAsNear_TakesTheFirst) {
  EXPECT_THAT(NearestFirst("c", {"x", "a", "b"}), ElementsAre("x", "a", "b"));
}

TEST(NearestFirst, WhenThereIsNoName_HasNone) { EXPECT_THAT(NearestFirst("clok", {}), IsEmpty()); }

TEST(DidYouMean, WhenANameIsNear_SaysWhich) {
  EXPECT_EQ("; did you mean \"clock\"?", DidYouMean("clok", {"mail", "clock"}));
  EXPECT_EQ("; did you mean \"clock\"?", DidYouMean("cloxx", {"clock"})) << "two of five are wrong";
}

TEST(DidYouMean, WhenNoNameIsNear_SaysNothing) {
  EXPECT_EQ("", DidYouMean("zzzzzz", {"mail", "clock"}));
  EXPECT_EQ("", DidYouMean("clok", {}));
  EXPECT_EQ("", DidYouMean("", {"clock"}));
}

TEST(DidYouMean, WhenNamesAreVeryLong_TakesNoLongerForIt) {
  const std::string name(1'000'000, 'x');
  EXPECT_NE("", DidYouMean(name, {std::string(1'000'000, 'x')}));
}

}  // namespace
}  // namespace mainspring
