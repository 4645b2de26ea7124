#include "mainspring/server/config/message_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "google/protobuf/util/message_differencer.h"
#include "mainspring/from_text.h"
#include "mainspring/server/config/config_text.h"
#include "sample.pb.h"

namespace mainspring {
namespace {

using google::protobuf::Message;
using google::protobuf::util::MessageDifferencer;
using sample::v1::Item;
using sample::v1::Sample;
using ::testing::ElementsAre;
using testing::FromText;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class MessageReaderTest : public ::testing::Test {
 protected:
  Sample Read(const std::string& yaml) {
    Sample sample;
    const YamlTree tree = YamlTree::Parse(yaml, problems_);
    if (tree.root != nullptr)
      MessageReader(hooks_, problems_, origins_).Read(*tree.root, "", sample);
    return sample;
  }
  void ExpectRead(const std::string& yaml, const Sample& expected) {
    const Sample sample = Read(yaml);
    EXPECT_TRUE(MessageDifferencer::Equals(sample, expected)) << sample.DebugString();
    EXPECT_THAT(Told(), IsEmpty());
  }
  std::vector<std::string> Told() {
    std::vector<std::string> told;
    for (const Problem& each : problems_.all()) {
      told.push_back(
          absl::StrCat(each.at.line, ":", each.at.column, ": ", each.path, ": ", each.what));
    }
    problems_ = {};
    return told;
  }

  MessageReader::Hooks hooks_{[](const Message& parent) -> absl::StatusOr<const Message*> {
                                const std::string& text = static_cast<const Sample&>(parent).text();
                                if (text == "item") return &Item::default_instance();
                                if (text == "none") return nullptr;
                                return absl::NotFoundError("no such type");
                              },
                              [](absl::string_view text) -> absl::StatusOr<std::string> {
                                if (text == "${x}") return std::string("12");
                                if (text == "${y}")
                                  return absl::InvalidArgumentError("${y} is not set");
                                return std::string(text);
                              }};
  Problems problems_;
  Origins origins_;
};

TEST_F(MessageReaderTest, Read_OfEachKindOfField_SetsIt) {
  ExpectRead(
      "flag: true\nsmall: -3\nlarge: 18446744073709551615\nsize: 4KiB\nratio: 0.5\ntext: some\n"
      "blob: aGk=\ncolour: dark_blue\ntime: 1m30s\nsince: 2026-01-02T03:04:05Z\nmaybe: 0\n"
      "narrow: 0.5\n",
      FromText("flag: true small: -3 large: 18446744073709551615 size: 4096 ratio: 0.5 "
               "text: 'some' blob: 'hi' colour: COLOUR_DARK_BLUE time { seconds: 90 } "
               "since { seconds: 1767323045 } maybe: 0 narrow: 0.5"));
}

TEST_F(MessageReaderTest, Read_OfListsMapsAndMessages_SetsThem) {
  ExpectRead(
      "inner: {small: 1, inner: {text: deep}}\nnames: [a, \"12\"]\nnumbers: [1, 2]\n"
      "items:\n  - name: one\n    value: 1\n  - {value: 2}\ncounts: {a: 1, \"2\": 3}\n"
      "by_name:\n  x: {value: 7}\nthat: yes-indeed\nfree: {a: [1, true, \"2\", null], b: {c: x}}\n"
      "wrapped: 5\n",
      FromText(
          "inner { small: 1 inner { text: 'deep' } } names: 'a' names: '12' numbers: 1 numbers: 2 "
          "items { name: 'one' value: 1 } items { value: 2 } counts { key: 'a' value: 1 } "
          "counts { key: '2' value: 3 } by_name { key: 'x' value { value: 7 } } "
          "that: 'yes-indeed' wrapped { value: 5 } free { fields { key: 'a' value { list_value { "
          "values { number_value: 1 } values { bool_value: true } values { string_value: '2' } "
          "values { null_value: NULL_VALUE } } } } fields { key: 'b' value { struct_value { fields "
          "{ key: 'c' value { string_value: 'x' } } } } } }"));
}

TEST_F(MessageReaderTest, Read_OfMessagesAndListsWithoutAValue_LeavesThemOut) {
  ExpectRead("inner:\nnames:\ncounts:\n", Sample());
}

TEST_F(MessageReaderTest, Read_OfAnyInAnyOrder_HasTheTypeThatItsMessageSays) {
  const Sample sample = Read("any: {name: x}\ntext: item\n");
  Item item;
  ASSERT_TRUE(sample.any().UnpackTo(&item));
  EXPECT_EQ(item.name(), "x");
  Read("any: {name: x}\ntext: none\n");
  Read("any: {name: x}\ntext: unknown\n");
  EXPECT_THAT(Told(), ElementsAre("1:6: any: its type takes none; leave it out"));
}

TEST_F(MessageReaderTest, Read_OfUnknownKeys_TellsTheNearest) {
  Read("smal: 1\ninner:\n  ratoi: 1\n  xxxxxxxx: 2\n");
  EXPECT_THAT(Told(), ElementsAre("1:1: smal: is not known; did you mean \"small\"?",
                                  "3:3: inner.ratoi: is not known; did you mean \"ratio\"?",
                                  "4:3: inner.xxxxxxxx: is not known"));
}

TEST_F(MessageReaderTest, Read_OfKeysGivenTwice_TellsWhereTheFirstIs) {
  EXPECT_EQ(Read("small: 1\ncounts:\n  a: 1\n  a: 2\nsmall: 2\n").small(), 1);
  EXPECT_THAT(Told(), ElementsAre("4:3: counts[a]: is given twice; first in line 3",
                                  "5:1: small: is given twice; first in line 1"));
}

TEST_F(MessageReaderTest, Read_OfWrongValues_TellsEachAndSetsTheOthers) {
  const Sample sample = Read(
      "flag: yes\nsmall: 3000000000\nlarge: -1\nsize: 4\nratio: half\nblob: \"*\"\n"
      "colour: rde\ntime: 5\nsince: today\ntext: no\nmaybe:\nnarrow: 1\n");
  EXPECT_THAT(Told(), ElementsAre("1:7: flag: \"yes\" is neither true nor false; write true",
                                  HasSubstr("2:8: small: \"3000000000\" is not from -2147483648"),
                                  HasSubstr("3:8: large: \"-1\" is not from 0"),
                                  HasSubstr("4:7: size: \"4\" lacks its unit"),
                                  HasSubstr("5:8: ratio: \"half\" is not a number"),
                                  HasSubstr("6:7: blob: is not base64"),
                                  "7:9: colour: \"rde\" is none of red, dark_blue; did you mean "
                                  "\"red\"?",
                                  HasSubstr("8:7: time: \"5\" lacks its unit"),
                                  HasSubstr("9:8: since: \"today\" is not a time"),
                                  HasSubstr("10:7: text: \"no\" is text here"),
                                  HasSubstr("maybe: has no value")));
  EXPECT_EQ(sample.narrow(), 1);
  EXPECT_FALSE(sample.has_time());
}

TEST_F(MessageReaderTest, Read_OfWrongShapes_SaysWhatIsExpected) {
  Read(
      "inner: 1\nnames: x\nsmall: [1]\ncounts: [1]\nitems: [1, {}]\nwrapped: x\n"
      "free: 1\nnumbers: [~]\n");
  EXPECT_THAT(Told(),
              ElementsAre("1:8: inner: has fields, and not a single value",
                          "2:8: names: is a list, and not a single value; write [x]",
                          "3:8: small: is a single value, and not a list",
                          "4:9: counts: has keys and values, and not a list",
                          "5:9: items[0]: has fields, and not a single value; write {name: ...}",
                          "6:10: wrapped: is no Int32Value", "7:7: free: is no Struct",
                          "8:11: numbers[0]: an item without a value"));
  Read("- 1\n");
  EXPECT_THAT(Told(), ElementsAre("1:1: : has fields, and not a list"));
}

TEST_F(MessageReaderTest, Read_OfTwoOfAOneof_TellsTheOther) {
  Read("this: x\nthat: z\n");
  EXPECT_THAT(Told(), ElementsAre("2:7: that: excludes \"this\", which is given too"));
}

TEST_F(MessageReaderTest, Read_OfWhatStandsForAValue_TakesThat) {
  ExpectRead("small: ${x}\ntext: ${x}\n", FromText("small: 12 text: '12'"));
  Read("text: ${y}\nflag: ${x}\n");
  EXPECT_THAT(Told(), ElementsAre("1:7: text: ${y} is not set",
                                  "2:7: flag: \"${x}\" stands for what is not a valid value"));
}

TEST_F(MessageReaderTest, Read_OfASecretThatIsWrong_DoesNotTellIt) {
  Read("pin: 12x4\npassword: 12345\n");
  EXPECT_THAT(Told(), ElementsAre("1:6: pin: is not a valid value",
                                  "2:11: password: it is text here, and not for every reader of "
                                  "YAML; write it in quotes"));
}

TEST_F(MessageReaderTest, Read_OfANul_IsRefused) {
  Read("text: \"a\\0b\"\n");
  EXPECT_THAT(Told(), ElementsAre("1:7: text: has a NUL character"));
}

TEST_F(MessageReaderTest, Read_OfWhatConfigTextMakesOfOddCharacters_IsTheSame) {
  for (const char* odd : {"\xF3\xA0\x81\x81x", "\xF0\x9D\x85\xB3", "\xC2\x85", "\xE2\x80\xA8",
                          "\xEF\xBB\xBF", "\x7F\x01", "\\\"'", "caf\xC3\xA9: \xE2\x82\xAC"}) {
    Sample sample;
    sample.set_text(odd);
    EXPECT_EQ(Read(ConfigText(sample, Remarks())).text(), odd);
    EXPECT_THAT(Told(), IsEmpty());
  }
}

TEST_F(MessageReaderTest, Read_KeepsWhereEachValueIs) {
  Read("inner:\n  small: 1\nitems:\n  - name: a\n    value: 1\n  - name: a\ncounts: {x: 1}\n");
  EXPECT_EQ(origins_["inner.small"], (Position{2, 3}));
  EXPECT_EQ(origins_["items[a].value"], (Position{5, 5}));
  EXPECT_EQ(origins_["items[1].name"], (Position{6, 5}));
  EXPECT_EQ(origins_["counts[x]"], (Position{7, 10}));
}

TEST_F(MessageReaderTest, Read_OfConfigText_IsTheSameMessage) {
  const Sample sample = FromText(
      "flag: true small: -3 large: 7 size: 4096 ratio: 0.5 text: 'no: ${x} # \\n\\t\"' blob: 'hi' "
      "colour: COLOUR_RED time { seconds: 90 nanos: 5 } since { seconds: 5 } "
      "inner { names: '12' } inners { text: '~' } items { name: 'b' } counts { key: 'a b' } "
      "by_name { key: 'x' value { value: 7 } } this: '' maybe: 0 names: '127.0.0.1:1' names: ''");
  hooks_.substitute = [](absl::string_view text) {
    return absl::StrReplaceAll(text, {{"$${", "${"}});
  };
  const std::string text = ConfigText(sample, Remarks());
  const Sample again = Read(text);
  EXPECT_THAT(Told(), IsEmpty()) << text;
  EXPECT_TRUE(MessageDifferencer::Equals(again, sample)) << text << again.DebugString();
}

}  // namespace
}  // namespace mainspring
