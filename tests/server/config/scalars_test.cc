#include "mainspring/server/config/scalars.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

namespace mainspring {
namespace {

using ::testing::HasSubstr;

TEST(Scalars, ParseTime_WithUnits_IsThatTime) {
  EXPECT_EQ(*ParseTime("200ms"), absl::Milliseconds(200));
  EXPECT_EQ(*ParseTime("1m30s"), absl::Seconds(90));
  EXPECT_EQ(*ParseTime("-5s"), absl::Seconds(-5));
  EXPECT_EQ(*ParseTime("0s"), absl::ZeroDuration());
}

TEST(Scalars, ParseTime_OfAnythingElse_SaysWhatToWrite) {
  for (const char* text : {"", "s", "inf", "-inf", "1:30", "5 s", "5S", "0x5s", "+5s", "1d"}) {
    EXPECT_THAT(std::string(ParseTime(text).status().message()),
                HasSubstr("is not a time, such as 500ms, 5s or 1m30s"))
        << text;
  }
  EXPECT_EQ(ParseTime("5").status().message(),
            "\"5\" lacks its unit; write 5s, or with ms, m or h");
  EXPECT_THAT(std::string(ParseTime("0").status().message()), HasSubstr("lacks its unit"));
}

TEST(Scalars, ParseBytes_WithAUnit_IsThatSize) {
  EXPECT_EQ(*ParseBytes("0B"), 0u);
  EXPECT_EQ(*ParseBytes("64KiB"), 65536u);
  EXPECT_EQ(*ParseBytes("4MiB"), 4u << 20);
  EXPECT_EQ(*ParseBytes("8589934591GiB"), 8589934591ull << 30);
}

TEST(Scalars, ParseBytes_OfAnythingElse_SaysWhatToWrite) {
  for (const char* text : {"", "4MB", "4mib", "4 MiB", "-4MiB", "1.5MiB", "04MiB", "MiB"}) {
    EXPECT_THAT(std::string(ParseBytes(text).status().message()), HasSubstr("is not a size"))
        << text;
  }
  EXPECT_EQ(ParseBytes("4096").status().message(), "\"4096\" lacks its unit: B, KiB, MiB or GiB");
  for (const char* text : {"8589934592GiB", "99999999999999999999B"}) {
    EXPECT_THAT(std::string(ParseBytes(text).status().message()), HasSubstr("more than anybody"));
  }
}

TEST(Scalars, Format_IsWhatParseReads) {
  for (const uint64_t bytes : {0ull, 1ull, 1023ull, 1024ull, 1536ull, 4ull << 20, 3ull << 30}) {
    EXPECT_EQ(*ParseBytes(FormatBytes(bytes)), bytes);
  }
  EXPECT_EQ(FormatBytes(1536), "1536B");
  EXPECT_EQ(FormatBytes(4 << 20), "4MiB");
  EXPECT_EQ(FormatTime(absl::ZeroDuration()), "0s");
  EXPECT_EQ(FormatTime(absl::Seconds(90)), "1m30s");
}

TEST(Scalars, ParseWhole_OfWhatReadersDifferAbout_IsRefused) {
  for (const char* text : {"0o17", "017", "0x1F", "1_000", "1:30", "+5", "1e3", "1.0", " 1", ""}) {
    EXPECT_FALSE(ParseSigned(text).ok()) << text;
    EXPECT_FALSE(ParseUnsigned(text).ok()) << text;
  }
  EXPECT_EQ(*ParseSigned("-12"), -12);
  EXPECT_EQ(*ParseUnsigned("0"), 0u);
}

TEST(Scalars, ParseWhole_BeyondItsType_SaysHowFarItReaches) {
  EXPECT_EQ(ParseUnsigned("-1").status().message(), "\"-1\" is not from 0 to 18446744073709551615");
  EXPECT_THAT(std::string(ParseSigned("9223372036854775808").status().message()),
              HasSubstr("to 9223372036854775807"));
  EXPECT_EQ(*ParseSigned("-9223372036854775808"), std::numeric_limits<int64_t>::min());
}

TEST(Scalars, ParseNumberAndParseBool_TakeOneFormEach) {
  EXPECT_EQ(*ParseNumber("0.2"), 0.2);
  EXPECT_EQ(*ParseNumber("-1e3"), -1000);
  for (const char* text : {"", "nan", "inf", "-.inf", ".5", "0x1p3", "1e999", "x"}) {
    EXPECT_FALSE(ParseNumber(text).ok()) << text;
  }
  EXPECT_TRUE(*ParseBool("true"));
  EXPECT_FALSE(*ParseBool("false"));
  for (const char* text : {"", "True", "yes", "no", "on", "off", "1"}) {
    EXPECT_FALSE(ParseBool(text).ok()) << text;
  }
}

TEST(Scalars, IsTakenForAnotherType_ForWhatSomeReaderTakesSo) {
  for (const char* text : {"no",  "No",  "YES", "on",   "y",     "true",  "null",      "~",
                           "12",  "-12", "+1",  "0o17", "0x1F",  "1_000", "1:30",      "190:20:30",
                           "1.5", ".5",  "1e3", ".inf", "-.INF", ".NaN",  "2026-01-02"}) {
    EXPECT_TRUE(IsTakenForAnotherType(text)) << text;
  }
  for (const char* text : {"clock", "127.0.0.1:50052", "0.0.0.0:1", "1.2.3", "a", "12ab", "unix:x",
                           "Europe/Berlin", "nobody", "", "-", "2026-01", "localhost:1"}) {
    EXPECT_FALSE(IsTakenForAnotherType(text)) << text;
  }
}

}  // namespace
}  // namespace mainspring
