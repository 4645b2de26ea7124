#include "server/observe/event_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_split.h"

namespace mainspring {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::SizeIs;

// What somebody may put into a name, a metadata value or the text of an exception.
const std::vector<std::string>& Attacks() {
  static const auto* attacks = new std::vector<std::string>{
      "two\nevent=forged component=clock",
      "carriage\rreturn",
      "a\" forged=\"b",
      "back\\slash \\\" quote",
      "\x1b[31mred\x1b[0m",
      std::string("nul\0byte", 8),
      "bell\a tab\t delete\x7f",
      "invalid \xff\xfe and cut \xe2\x82",
      "c1 control \xc2\x9b"
      "31m",
      "{\"event\":\"forged\"}",
      "100% {} %s %n",
      "",
  };
  return *attacks;
}

bool IsValidUtf8(const std::string& text) {
  try {
    nlohmann::json(text).dump();
    return true;
  } catch (const nlohmann::json::type_error&) {
    return false;
  }
}

TEST(EventLog, WhenWrittenAsText_IsKeysAndValues) {
  EXPECT_EQ("event=listening plane=data address=127.0.0.1:50051 connections=3",
            EventLog::Text("listening", {{"plane", "data"},
                                         {"address", std::string("127.0.0.1:50051")},
                                         {"connections", size_t{3}}}));
}

TEST(EventLog, WhenWrittenAsJson_KeepsTheOrderOfItsFields) {
  EXPECT_EQ(R"({"event":"listening","plane":"data","connections":3})",
            EventLog::Json("listening", {{"plane", "data"}, {"connections", 3}}));
}

TEST(EventLog, WhenAValueIsADuration_WritesMilliseconds) {
  EXPECT_EQ("event=drain lame_duck=1500",
            EventLog::Text("drain", {{"lame_duck", absl::Milliseconds(1500)}}));
}

TEST(EventLog, WhenAValueNeedsQuotes_HasThem) {
  EXPECT_EQ(R"(event=x a="two words" b="" c="k=v" d="say \"hi\"" e="back\\slash")",
            EventLog::Text("x", {{"a", "two words"},
                                 {"b", ""},
                                 {"c", "k=v"},
                                 {"d", "say \"hi\""},
                                 {"e", "back\\slash"}}));
}

TEST(EventLog, WhenAValueIsLargestOrLeast_WritesTheNumber) {
  EXPECT_EQ("event=x max=9223372036854775807 min=-9223372036854775808 flag=1",
            EventLog::Text("x", {{"max", std::numeric_limits<int64_t>::max()},
                                 {"min", std::numeric_limits<int64_t>::min()},
                                 {"flag", true}}));
}

TEST(EventLog, WhateverATextValueHolds_StaysInItsLineAndField) {
  for (const std::string& attack : Attacks()) {
    const std::string text = EventLog::Text("x", {{"value", attack}, {"after", 1}});
    EXPECT_THAT(text, ::testing::StartsWith("event=x value="));
    EXPECT_THAT(text, ::testing::EndsWith(" after=1"));
    EXPECT_TRUE(std::none_of(text.begin(), text.end(), [](unsigned char c) {
      return c < 0x20 || c == 0x7f;
    })) << text;
    // Quotes come in pairs, but for those that are escaped.
    int quotes = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\\') {
        ++i;
      } else if (text[i] == '"') {
        ++quotes;
      }
    }
    EXPECT_EQ(0, quotes % 2) << text;
  }
}

TEST(EventLog, WhateverATextValueHolds_IsValidUtf8) {
  for (const std::string& attack : Attacks()) {
    EXPECT_TRUE(IsValidUtf8(EventLog::Text("x", {{"value", attack}})));
  }
}

TEST(EventLog, WhenATextValueHasAC1Control_EscapesIt) {
  // A terminal takes U+009B for what ESC [ begins.
  EXPECT_THAT(EventLog::Text("x", {{"value",
                                    "\xc2\x9b"
                                    "31m"}}),
              Not(HasSubstr("\xc2\x9b")));
}

TEST(EventLog, WhateverAJsonValueHolds_ParsesBackInOneLine) {
  for (const std::string& attack : Attacks()) {
    const std::string text = EventLog::Json("x", {{"value", attack}, {"after", 1}});
    EXPECT_THAT(text, Not(HasSubstr("\n")));
    const auto json = nlohmann::json::parse(text);
    EXPECT_EQ("x", json["event"]);
    EXPECT_EQ(1, json["after"]);
    EXPECT_EQ(3u, json.size());
    if (IsValidUtf8(attack)) {
      EXPECT_EQ(attack, json["value"]);
    } else {
      EXPECT_THAT(json["value"].get<std::string>(), HasSubstr("\xef\xbf\xbd"));
    }
  }
}

std::vector<std::string> LinesWritten(LogFormat format,
                                      const std::function<void(EventLog&)>& write) {
  ::testing::internal::CaptureStderr();
  EventLog log(format);
  write(log);
  std::vector<std::string> lines =
      absl::StrSplit(::testing::internal::GetCapturedStderr(), '\n', absl::SkipEmpty());
  return lines;
}

TEST(EventLog, WhenWritingText_WritesTimeLevelAndEventToStandardError) {
  const auto lines = LinesWritten(LogFormat::kText, [](EventLog& log) {
    log.Info("one", {{"value", "{} %v"}});
    log.Warning("two", {});
    log.Error("three", {});
  });
  ASSERT_THAT(lines, SizeIs(3));
  const std::string time = "[0-9-]+T[0-9:]+\\.[0-9]+Z ";
  EXPECT_THAT(lines[0], MatchesRegex(time + "info event=one value=\"\\{\\} %v\""));
  EXPECT_THAT(lines[1], MatchesRegex(time + "warning event=two"));
  EXPECT_THAT(lines[2], MatchesRegex(time + "error event=three"));
}

TEST(EventLog, WhenWritingJson_EachLineParses) {
  const auto lines = LinesWritten(LogFormat::kJson, [](EventLog& log) {
    for (const std::string& attack : Attacks()) log.Info("x", {{"value", attack}});
    log.Error("no_fields", {});
  });
  ASSERT_THAT(lines, SizeIs(Attacks().size() + 1));
  for (const std::string& line : lines) {
    const auto json = nlohmann::json::parse(line);
    EXPECT_THAT(json["time"].get<std::string>(), MatchesRegex("[0-9-]+T[0-9:]+\\.[0-9]+Z"));
    EXPECT_TRUE(json["level"] == "info" || json["level"] == "error");
  }
}

TEST(EventLog, WhenManyThreadsWrite_EachLineIsWhole) {
  const auto lines = LinesWritten(LogFormat::kJson, [](EventLog& log) {
    std::vector<std::thread> writers;
    for (int writer = 0; writer < 4; ++writer) {
      writers.emplace_back([&log, writer] {
        for (int i = 0; i < 200; ++i) log.Info("x", {{"text", std::string(500, 'a' + writer)}});
      });
    }
    for (std::thread& writer : writers) writer.join();
  });
  ASSERT_THAT(lines, SizeIs(800));
  for (const std::string& line : lines) EXPECT_TRUE(nlohmann::json::accept(line)) << line;
}

TEST(EventLog, WhenMadeForTests_WritesNothing) {
  ::testing::internal::CaptureStderr();
  EventLog log;
  log.Error("x", {});
  EXPECT_EQ("", ::testing::internal::GetCapturedStderr());
}

}  // namespace
}  // namespace mainspring
