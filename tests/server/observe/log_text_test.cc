#include "mainspring/server/observe/log_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace mainspring {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(TextValue, WhenPlain_IsItself) { EXPECT_EQ("127.0.0.1:50051", TextValue("127.0.0.1:50051")); }

TEST(TextValue, WhenADigitFollowsAnEscape_IsEscapedToo) {
  EXPECT_EQ(R"("\xff\x61g")", TextValue("\xff"
                                        "ag"));
}

TEST(TextValue, WhenTooLong_IsCutAfterEscaping) {
  const std::string longest(kMaxLoggedValue, 'a');
  EXPECT_EQ(longest, TextValue(longest));
  EXPECT_EQ(longest.substr(3) + "...", TextValue(longest + "a"));
  const std::string escaped = TextValue(std::string(10'000, '\x01'));
  EXPECT_LE(escaped.size(), kMaxLoggedValue + 2) << "with its quotes";
  EXPECT_THAT(escaped, EndsWith("\\x01...\"")) << "no escape is cut";
}

TEST(JsonValue, WhateverItHolds_IsALiteral) {
  for (const char* text : {"plain", "say \"hi\"", "back\\slash", "line\nbreak", "\xc3\xa9", ""}) {
    EXPECT_EQ(text, nlohmann::json::parse(JsonValue(text)).get<std::string>());
  }
}

TEST(JsonValue, WhenItIsNoUtf8_HasTheReplacementCharacter) {
  for (const char* text : {"a\xff", "a\xe2\x82", "a\x80", "a\xc0\xaf", "a\xed\xa0\x80"}) {
    EXPECT_THAT(nlohmann::json::parse(JsonValue(text)).get<std::string>(),
                HasSubstr("a\xef\xbf\xbd"));
  }
}

TEST(JsonValue, WhenItWouldActOnATerminalOrTurnText_IsEscaped) {
  const std::pair<const char*, const char*> each[] = {
      {"\xc2\x9b", "\\u009b"},      // C1: the terminal's CSI
      {"\xc2\x80", "\\u0080"},      // the first of them
      {"\x7f", "\\u007f"},          // DEL
      {"\xe2\x80\xae", "\\u202e"},  // right-to-left override
      {"\xe2\x81\xa6", "\\u2066"},  // left-to-right isolate
      {"\xe2\x80\x8f", "\\u200f"},  // right-to-left mark
      {"\xd8\x9c", "\\u061c"},      // Arabic letter mark
      {"\xe2\x80\xa8", "\\u2028"},  // line separator
  };
  for (const auto& [raw, escape] : each) {
    const std::string literal = JsonValue(std::string("a") + raw + "b");
    EXPECT_EQ(std::string("\"a") + escape + "b\"", literal);
    EXPECT_EQ(std::string("a") + raw + "b", nlohmann::json::parse(literal).get<std::string>());
  }
  EXPECT_EQ("\"\xc2\xa0\xe2\x80\xa6\"", JsonValue("\xc2\xa0\xe2\x80\xa6")) << "their neighbours";
}

TEST(JsonValue, WhenTooLong_IsCutBetweenCharacters) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "\xe2\x82\xac";
  const std::string literal = JsonValue(text);
  EXPECT_LE(literal.size(), kMaxLoggedValue + 2);
  EXPECT_THAT(literal, EndsWith("\xe2\x82\xac...\""));
  EXPECT_THAT(literal, Not(HasSubstr("\xef\xbf\xbd")));
}

}  // namespace
}  // namespace mainspring
