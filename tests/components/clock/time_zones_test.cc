#include "components/clock/time_zones.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"

namespace mainspring::clock {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const absl::Time kWinter = absl::FromUnixSeconds(1'705'000'000);  // 2024-01-11
const absl::Time kSummer = absl::FromUnixSeconds(1'720'000'000);  // 2024-07-03

const TimeZones& Zones() {
  static const std::shared_ptr<const TimeZones> zones = TimeZones::Load().value();
  return *zones;
}

int OffsetAt(absl::Time time, const std::string& name) {
  absl::StatusOr<absl::TimeZone> zone = Zones().Find(name);
  EXPECT_TRUE(zone.ok()) << zone.status();
  return zone.ok() ? zone->At(time).offset : -1;
}

TEST(TimeZones, Find_ByName_IsThatZone) {
  const TimeZones& zones = Zones();
  absl::StatusOr<absl::TimeZone> tokyo = zones.Find("Asia/Tokyo");
  ASSERT_TRUE(tokyo.ok()) << tokyo.status();
  EXPECT_EQ(tokyo->At(kWinter).offset, 9 * 3600);
  EXPECT_EQ(*zones.Find("Asia/Tokyo"), *tokyo) << "and again";
}

TEST(TimeZones, Find_OfNothing_IsUtc) {
  const TimeZones& zones = Zones();
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
  const absl::Status status = Zones().Find(GetParam()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("time_zone: \""));
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
// They stand in the same folder: this machine's choices, and the whole database twice more.
INSTANTIATE_TEST_SUITE_P(OfFilesThatAreNotOfTheDatabase, NoZone,
                         ::testing::Values("localtime", "posixrules", "posix/Asia/Tokyo",
                                           "right/UTC", "posix", "right"));
INSTANTIATE_TEST_SUITE_P(OfAnotherSpelling, NoZone,
                         ::testing::Values("Asia//Tokyo", "Asia///////////////////////////Tokyo",
                                           "America//Argentina//Buenos_Aires"));

TEST(TimeZones, Find_OfAHugeName_IsInvalidInAFewWords) {
  const absl::Status status = Zones().Find(std::string(1 << 20, 'A')).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_LT(status.message().size(), 1024u);
}

TEST(TimeZones, Refusal_SaysTheNameInPlainText) {
  const std::string message(Zones().Find(std::string("Asia/\0\nTokyo", 12)).status().message());
  EXPECT_THAT(message, AllOf(HasSubstr("Asia/"), HasSubstr("Tokyo"), HasSubstr("Europe/Berlin")));
  EXPECT_THAT(message, AllOf(Not(HasSubstr("\n")), Not(HasSubstr(std::string(1, '\0')))));
}

TEST(TimeZones, OfTheDatabase_AreTheNamesThatItsOwnTableHas) {
  std::ifstream table("/usr/share/zoneinfo/tzdata.zi");
  size_t names = 0;
  for (std::string line; std::getline(table, line);) {
    // "Z NAME rules" defines a zone, "L TARGET NAME" another name of it.
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    if (words[0] != "Z" && words[0] != "L") continue;
    ++names;
    const std::string& name = words[words[0] == "Z" ? 1 : 2];
    EXPECT_TRUE(Zones().Find(name).ok()) << name;
  }
  EXPECT_GT(names, 500u) << "Factory is one, though nobody lives there";
}

// As a process has when its clients took them all. The rest of the process keeps its own.
class WithoutDescriptors {
 public:
  WithoutDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit now = before_;
    now.rlim_cur = 0;
    setrlimit(RLIMIT_NOFILE, &now);
  }
  ~WithoutDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_;
};

TEST(TimeZones, Find_WithoutDescriptors_KnowsEachZone) {
  ASSERT_TRUE(TimeZones::Load().ok());
  const WithoutDescriptors none;
  EXPECT_TRUE(Zones().Find("America/Anchorage").ok()) << "nobody has asked for it before";
  EXPECT_EQ(*TimeZones::Load(), *TimeZones::Load()) << "and a clock that starts has them as well";
}

TEST(TimeZones, Read_WithoutDescriptors_IsUnavailableAndLosesNoZone) {
  const std::string directory = "/usr/share/zoneinfo";
  {
    const WithoutDescriptors none;
    const absl::Status status = TimeZones::Read(directory).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
    EXPECT_THAT(std::string(status.message()), HasSubstr(directory));
  }
  absl::StatusOr<TimeZones> zones = TimeZones::Read(directory);
  ASSERT_TRUE(zones.ok()) << zones.status();
  EXPECT_TRUE(zones->Find("Asia/Tokyo").ok());
}

// The directory can be read, and the first zone cannot.
TEST(TimeZones, Read_WithOneDescriptor_AsksAbseilForNoZone) {
  const int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
  close(next);
  rlimit before;
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit one = before;
  one.rlim_cur = next + 1;
  setrlimit(RLIMIT_NOFILE, &one);
  const absl::Status status = TimeZones::Read("/usr/share/zoneinfo").status();
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(TimeZones::Read("/usr/share/zoneinfo")->Find("Asia/Tokyo").ok());
}

TEST(TimeZones, Read_OfNoDirectory_HasUtcAlone) {
  absl::StatusOr<TimeZones> zones = TimeZones::Read("/none/such");
  ASSERT_TRUE(zones.ok()) << zones.status();
  EXPECT_TRUE(zones->Find("").ok());
  EXPECT_EQ(zones->Find("Asia/Tokyo").status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace mainspring::clock
