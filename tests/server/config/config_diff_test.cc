#include "mainspring/server/config/config_diff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "mainspring/from_text.h"
#include "sample.pb.h"

namespace mainspring {
namespace {

using sample::v1::Sample;
using ::testing::ElementsAre;
using testing::FromText;
using ::testing::IsEmpty;

std::vector<std::string> Diff(const Sample& before, const Sample& after) {
  std::vector<std::string> lines;
  for (const config::v1::FieldChange& each : DiffConfig("c", before, after)) {
    EXPECT_EQ(each.name(), "c");
    lines.push_back(absl::StrCat(each.path(), ": ", each.old_value(), " -> ", each.new_value()));
  }
  return lines;
}

TEST(ConfigDiff, OfTheSame_IsNothing) {
  const Sample sample = FromText("small: 1 names: 'a' inner { text: 'x' }");
  EXPECT_THAT(Diff(sample, sample), IsEmpty());
}

TEST(ConfigDiff, OfValues_TellsBothAsAFileHasThem) {
  EXPECT_THAT(
      Diff(FromText("small: 1 size: 4096 time { seconds: 5 } inner { text: 'x' flag: true }"),
           FromText("size: 1 time { seconds: 90 } inner { text: 'no' flag: true }")),
      ElementsAre("small: 1 -> ", "size: 4KiB -> 1B", "time: 5s -> 1m30s",
                  "inner.text: x -> \"no\""));
}

TEST(ConfigDiff, OfListsAndMessages_TellsThemAsOneValue) {
  EXPECT_THAT(Diff(FromText("names: 'a' inner { text: 'x' }"), FromText("names: ['a', 'b']")),
              ElementsAre("inner: {\"inner\":{\"text\":\"x\"}} -> ", "names: [a] -> [a, b]"));
}

TEST(ConfigDiff, OfSecrets_TellsNone) {
  EXPECT_THAT(Diff(FromText("password: 'a' pin: 1"), FromText("password: 'b' pin: 2")),
              ElementsAre("password: \"<redacted>\" -> \"<redacted>\"",
                          "pin: \"<redacted>\" -> \"<redacted>\""));
}

}  // namespace
}  // namespace mainspring
