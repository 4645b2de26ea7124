#include "components/clock/time_zones.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace mainspring::clock {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const absl::Time kWinter = absl::FromUnixSeconds(1'705'000'000);  // 2024-01-11
const absl::Time kSummer = absl::FromUnixSeconds(1'720'000'000);  // 2024-07-03

int OffsetAt(absl::Time time, const std::string& name) {
  absl::StatusOr<absl::TimeZone> zone = TimeZones().Find(name);
  EXPECT_TRUE(zone.ok()) << zone.status();
  return zone.ok() ? zone->At(time).offset : -1;
}

TEST(TimeZones, Find_ByName_IsThatZone) {
  TimeZones zones;
  absl::StatusOr<absl::TimeZone> tokyo = zones.Find("Asia/Tokyo");
  ASSERT_TRUE(tokyo.ok()) << tokyo.status();
  EXPECT_EQ(tokyo->At(kWinter).offset, 9 * 3600);
  EXPECT_EQ(*zones.Find("Asia/Tokyo"), *tokyo) << "and again";
}

TEST(TimeZones, Find_OfNothing_IsUtc) {
  TimeZones zones;
  EXPECT_EQ(*zones.Find(""), absl::UTCTimeZone());
  EXPECT_EQ(*zones.Find("UTC"), absl::UTCTimeZone());
}

TEST(TimeZones, Find_OfOddOnes_KnowsTheirOffsets) {
  EXPECT_EQ(OffsetAt(kWinter, "Europe/Berlin"), 3600);
  EXPECT_EQ(OffsetAt(kSummer, "Europe/Berlin"), 2 * 3600);
  EXPECT_EQ(OffsetAt(kWinter, "Asia/Kolkata"), 5 * 3600 + 1800);
  EXPECT_EQ(OffsetAt(kWinter, "Asia/Kathmandu"), 5 * 3600 + 2700);
  EXPECT_EQ(OffsetAt(kWinter, "America/New_York"), -5 * 3600);
  EXPECT_EQ(OffsetAt(kWinter, "America/Argentina/Buenos_Aires"), -3 * 3600);
  EXPECT_EQ(OffsetAt(kWinter, "Pacific/Kiritimati"), 14 * 3600);
  EXPECT_EQ(OffsetAt(kWinter, "Etc/GMT+12"), -12 * 3600);
}

class NoZone : public ::testing::TestWithParam<std::string> {};

TEST_P(NoZone, Find_IsInvalid) {
  TimeZones zones;
  for (int i = 0; i < 2; ++i) {
    const absl::Status status = zones.Find(GetParam()).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("time_zone: \""));
  }
}

INSTANTIATE_TEST_SUITE_P(OfNoPlace, NoZone,
                         ::testing::Values("Atlantis/Capital", "Europe", "europe/berlin", "Mars",
                                           " ", " UTC", "+09:00", "Europe/Berlin ", "EST5EDT4,M3"));
INSTANTIATE_TEST_SUITE_P(OfAPath, NoZone,
                         ::testing::Values("/etc/passwd", "../../etc/passwd", "..", ".", "/",
                                           "/usr/share/zoneinfo/Asia/Tokyo", "Asia/../Asia/Tokyo",
                                           "./Asia/Tokyo", "file:Asia/Tokyo", "Europe/",
                                           "Europe/Berlin/"));
INSTANTIATE_TEST_SUITE_P(OfFilesThatAreNoZones, NoZone,
                         ::testing::Values("tzdata.zi", "zone.tab", "zone1970.tab", "iso3166.tab",
                                           "leapseconds", "leap-seconds.list", "right/Asia/Tokyo"));
INSTANTIATE_TEST_SUITE_P(OfStrangeCharacters, NoZone,
                         ::testing::Values(std::string("Asia/Tokyo\0", 11), std::string(1, '\0'),
                                           std::string("Asia\0/Tokyo", 11), "Asia/Tok\xC3\xBFo",
                                           "\xFF\xFE", "Asia\\Tokyo", "Asia/Tokyo\n"));
// Each spelling that were let in would be loaded and kept for ever, by abseil too.
INSTANTIATE_TEST_SUITE_P(OfAnotherSpelling, NoZone,
                         ::testing::Values("Asia//Tokyo", "Asia///////////////////////////Tokyo",
                                           "America//Argentina//Buenos_Aires"));

TEST(TimeZones, Find_OfAHugeName_IsInvalidInAFewWords) {
  const absl::Status status = TimeZones().Find(std::string(1 << 20, 'A')).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_LT(status.message().size(), 1024u);
}

TEST(TimeZones, Refusal_SaysTheNameInPlainText) {
  const std::string message(TimeZones().Find(std::string("Asia/\0\nTokyo", 12)).status().message());
  EXPECT_THAT(message, AllOf(HasSubstr("Asia/"), HasSubstr("Tokyo"), HasSubstr("Europe/Berlin")));
  EXPECT_THAT(message, AllOf(Not(HasSubstr("\n")), Not(HasSubstr(std::string(1, '\0')))));
}

}  // namespace
}  // namespace mainspring::clock
