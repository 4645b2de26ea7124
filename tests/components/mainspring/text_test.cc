#include "mainspring/text.h"

#include <gmock/gmock.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/wrappers.pb.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "absl/strings/cord.h"

namespace mainspring {
namespace {

using ::testing::EndsWith;

// Whether a client can read it: as protobuf sees a string.
bool IsReadable(const std::string& text) {
  const google::protobuf::LogSilencer quiet;
  google::protobuf::BytesValue sent;
  sent.set_value(text);
  google::protobuf::StringValue received;
  return received.ParseFromString(sent.SerializeAsString());
}

TEST(BoundedText, WhenItIsShortAndUtf8_IsAsItWas) {
  for (const std::string text :
       {"", "plain", "caf\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_EQ(text, BoundedText(text));
  }
  const std::string with_zero("a\0b", 3);
  EXPECT_EQ(with_zero, BoundedText(with_zero));
}

TEST(BoundedText, WhenAByteIsNoCharacter_WritesItOut) {
  EXPECT_EQ("caf\\xe9", BoundedText("caf\xE9"));
  EXPECT_EQ("\\xe9t\\xe9", BoundedText("\xE9t\xE9"));
  EXPECT_EQ("\\x80", BoundedText("\x80")) << "continues nothing";
  EXPECT_EQ("\\xe2\\x82", BoundedText("\xE2\x82")) << "ends too early";
  EXPECT_EQ("\\xe2(\\xa1", BoundedText("\xE2(\xA1"));
  EXPECT_EQ("\\xc0\\xaf", BoundedText("\xC0\xAF")) << "longer than it has to be";
  EXPECT_EQ("\\xe0\\x80\\x80", BoundedText("\xE0\x80\x80"));
  EXPECT_EQ("\\xf0\\x8f\\xbf\\xbf", BoundedText("\xF0\x8F\xBF\xBF"));
  EXPECT_EQ("\\xed\\xa0\\x80", BoundedText("\xED\xA0\x80")) << "a surrogate";
  EXPECT_EQ("\\xf4\\x90\\x80\\x80", BoundedText("\xF4\x90\x80\x80")) << "beyond the last";
  EXPECT_EQ("\\xff\\xfe", BoundedText("\xFF\xFE"));
}

TEST(BoundedText, WhenItJustFits_IsAsItWas) {
  const std::string text(kMaxText, 'x');
  EXPECT_EQ(text, BoundedText(text));
}

TEST(BoundedText, WhenItIsOneByteTooLong_IsCutAndSaysSo) {
  EXPECT_EQ(std::string(kMaxText - 3, 'x') + "...", BoundedText(std::string(kMaxText + 1, 'x')));
  EXPECT_EQ("12345...", BoundedText("123456789", 8));
  EXPECT_EQ("12345678", BoundedText("12345678", 8));
  EXPECT_EQ("...", BoundedText("1234", 3));
}

TEST(BoundedText, WhereverItIsCut_IsCutBetweenCharacters) {
  const std::string euro = "\xE2\x82\xAC";
  for (size_t shift = 0; shift < euro.size(); ++shift) {
    std::string text(shift, 'x');
    while (text.size() <= 2 * kMaxText) text += euro;
    const std::string cut = BoundedText(text);
    EXPECT_LE(cut.size(), kMaxText);
    EXPECT_GT(cut.size(), kMaxText - 3 - euro.size());
    EXPECT_THAT(cut, EndsWith(euro + "..."));
  }
  EXPECT_EQ("\\xe9...", BoundedText("\xE9\xE9\xE9", 8)) << "nor within what is written out";
}

TEST(BoundedText, OfManyMegabytes_IsAsBounded) {
  EXPECT_EQ(kMaxText, BoundedText(std::string(size_t{5} << 20, 'x')).size());
  EXPECT_LE(BoundedText(std::string(size_t{5} << 20, '\xE9')).size(), kMaxText);
}

// Of bytes that are likely to be taken for characters.
TEST(BoundedText, OfAnyBytes_IsReadableAndBounded) {
  const std::string bytes(
      "\0aZ\x7F\x80\x8F\x90\x9F\xA0\xBF\xC0\xC2\xDF\xE0\xE1\xED\xEF\xF0\xF4\xF5\xFF", 21);
  std::mt19937 random(20'270'101);
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (size_t left = random() % 24; left > 0; --left) text += bytes[random() % bytes.size()];
    const std::string bounded = BoundedText(text, 16);
    ASSERT_LE(bounded.size(), 16u);
    ASSERT_TRUE(IsReadable(bounded)) << ::testing::PrintToString(text);
    if (IsReadable(text) && text.size() <= 16) {
      ASSERT_EQ(text, bounded);
    }
  }
}

TEST(Bounded, WhenNothingIsWrong_IsTheSameStatus) {
  EXPECT_EQ(absl::OkStatus(), Bounded(absl::OkStatus()));
  EXPECT_EQ(absl::NotFoundError("no file"), Bounded(absl::NotFoundError("no file")));
}

TEST(Bounded, WhenTheTextIsWrong_KeepsCodeAndPayloads) {
  absl::Status status = absl::AbortedError("caf\xE9");
  status.SetPayload("type", absl::Cord("what"));
  const absl::Status bounded = Bounded(status);
  EXPECT_EQ(absl::StatusCode::kAborted, bounded.code());
  EXPECT_EQ("caf\\xe9", bounded.message());
  EXPECT_EQ(absl::Cord("what"), bounded.GetPayload("type"));
}

}  // namespace
}  // namespace mainspring
