#include "mainspring/server/observe/event_log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "tests/server/observe/captured_log.h"

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

TEST(EventLog, WhenWritingText_WritesTimeLevelAndEvent) {
  const auto lines = testing::LinesLogged(LogFormat::kText, [](EventLog& log) {
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
  const auto lines = testing::LinesLogged(LogFormat::kJson, [](EventLog& log) {
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
  const auto lines = testing::LinesLogged(LogFormat::kJson, [](EventLog& log) {
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

TEST(EventLog, WhenAClientCausesManyLines_WritesAFewOfEachKind) {
  const auto lines = testing::LinesLogged(LogFormat::kText, [](EventLog& log) {
    for (int i = 0; i < 1000; ++i) log.WriteLimited("a", Severity::kWarning, "x", {{"number", i}});
    log.WriteLimited("b", Severity::kWarning, "y", {});
  });
  EXPECT_THAT(lines, SizeIs(LineLimit::kLines + 1));
  EXPECT_THAT(lines.back(), HasSubstr("event=y"));
}

TEST(EventLog, WhenItsReaderIsSlow_BlocksNobodyAndTellsWhatItDropped) {
  int fds[2];
  ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
  constexpr int kLines = 100'000;
  std::unique_ptr<EventLog> log = *EventLog::Start(LogFormat::kText, fds[1]);
  for (int i = 0; i < kLines; ++i) log->Info("x", {{"text", std::string(100, 'x')}});
  std::string text;
  char bytes[65536];
  while (text.find("event=log dropped=") == std::string::npos || text.back() != '\n') {
    const ssize_t count = read(fds[0], bytes, sizeof(bytes));
    ASSERT_GT(count, 0);
    text.append(bytes, static_cast<size_t>(count));
  }
  const size_t told = text.find("event=log dropped=");
  const auto written = std::count(text.begin(), text.begin() + told, '\n');
  EXPECT_EQ(kLines - written, std::atoi(text.c_str() + told + strlen("event=log dropped=")));
  log.reset();
  for (const int fd : fds) close(fd);
}

TEST(EventLog, WhenSilent_WritesNothing) {
  ::testing::internal::CaptureStderr();
  EventLog::Silent().Error("x", {});
  EventLog::Silent().WriteLimited("kind", Severity::kError, "x", {});
  EventLog::Silent().Flush(kNever);
  EXPECT_EQ("", ::testing::internal::GetCapturedStderr());
}

}  // namespace
}  // namespace mainspring
