#include "mainspring/server/config/problems.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace mainspring {
namespace {

using ::testing::EndsWith;

TEST(Problems, Report_IsInTheOrderOfTheFile) {
  const Origins origins = {{"b", {2, 1}}, {"b.c", {2, 5}}, {"a[x.y]", {7, 3}}};
  Problems problems;
  problems.Add("nowhere", "last");
  problems.Add("a[x.y].z.w[3]", "inside of ", 7);
  problems.AddAt({3, 9}, "", "the whole");
  problems.Add("b.c", "exact");
  problems.Add("b.d", "beside");
  EXPECT_EQ(problems.Report("f.yaml", origins),
            "f.yaml:2:1: b.d: beside\n"
            "f.yaml:2:5: b.c: exact\n"
            "f.yaml:3:9: the whole\n"
            "f.yaml:7:3: a[x.y].z.w[3]: inside of 7\n"
            "f.yaml: nowhere: last\n");
}

TEST(Problems, Report_OfTooMany_SaysHowManyMore) {
  Problems problems;
  for (int i = 0; i < 105; ++i) problems.AddAt({i + 1, 1}, "", "wrong");
  EXPECT_THAT(problems.Report("f", {}), EndsWith("f:100:1: wrong\nf: and 5 more\n"));
}

TEST(Problems, Status_TellsAllAsTheyCame) {
  Problems problems;
  EXPECT_TRUE(problems.status().ok());
  problems.Add("a", "one");
  problems.Add("", "two");
  EXPECT_EQ(problems.status().message(), "a: one; two");
}

}  // namespace
}  // namespace mainspring
