#include "mainspring/server/observe/line_limit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace mainspring {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class LineLimitTest : public ::testing::Test {
 protected:
  // How many of so many lines are let through now.
  int Take(absl::string_view kind, int lines) {
    int taken = 0;
    for (int i = 0; i < lines; ++i) taken += limit_.Take(kind, now_) ? 1 : 0;
    return taken;
  }
  auto Withheld() { return limit_.Withheld(now_); }
  void PassPeriod() { now_ = After(now_, LineLimit::kPeriod); }

  LineLimit limit_;
  SteadyTime now_{};
};

TEST_F(LineLimitTest, WhenManyOfAKindCome_LetsTheFirstThrough) {
  EXPECT_EQ(LineLimit::kLines, Take("a", 100));
  EXPECT_EQ(LineLimit::kLines, Take("b", 100)) << "each kind has its own";
}

TEST_F(LineLimitTest, WhenThePeriodIsOver_TellsOfTheRestOnce) {
  Take("a", 100);
  Take("b", LineLimit::kLines);
  EXPECT_TRUE(limit_.owes());
  EXPECT_THAT(Withheld(), IsEmpty()) << "it is not over";
  PassPeriod();
  EXPECT_THAT(Withheld(), ElementsAre(Pair("a", 100 - LineLimit::kLines)));
  EXPECT_FALSE(limit_.owes());
  EXPECT_THAT(Withheld(), IsEmpty());
}

TEST_F(LineLimitTest, WhenThePeriodIsOver_LetsLinesThroughAgain) {
  Take("a", LineLimit::kLines);
  PassPeriod();
  EXPECT_EQ(LineLimit::kLines, Take("a", 100));
}

TEST_F(LineLimitTest, WhenTheRestIsNotToldYet_LosesNoCount) {
  Take("a", 100);
  PassPeriod();
  EXPECT_EQ(0, Take("a", 10));
  EXPECT_THAT(Withheld(), ElementsAre(Pair("a", 110 - LineLimit::kLines)));
  EXPECT_EQ(LineLimit::kLines, Take("a", 10));
}

TEST_F(LineLimitTest, WhenKindsAreNewAllTheTime_EachHasItsLines) {
  for (int round = 0; round < 3; ++round) {
    for (size_t i = 0; i < LineLimit::kMostKinds; ++i) {
      ASSERT_EQ(1, Take(absl::StrCat(round, " ", i), 1)) << round;
    }
    PassPeriod();
  }
}

TEST_F(LineLimitTest, WhenThereAreTooManyKinds_CountsTheOthersAsOne) {
  for (size_t i = 0; i < LineLimit::kMostKinds; ++i) Take(absl::StrCat(i), 1);
  int taken = 0;
  for (int i = 0; i < 100; ++i) taken += Take(absl::StrCat("new", i), 1);
  EXPECT_EQ(LineLimit::kLines, taken);
  PassPeriod();
  EXPECT_THAT(Withheld(), UnorderedElementsAre(Pair("others", 100 - LineLimit::kLines)));
}

}  // namespace
}  // namespace mainspring
