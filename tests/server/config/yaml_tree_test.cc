#include "mainspring/server/config/yaml_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace mainspring {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class YamlTreeTest : public ::testing::Test {
 protected:
  YamlTree Parse(const std::string& text) { return YamlTree::Parse(text, problems_); }
  // "line:column: what" of each.
  std::vector<std::string> Told() const {
    std::vector<std::string> told;
    for (const Problem& each : problems_.all()) {
      told.push_back(absl::StrCat(each.at.line, ":", each.at.column, ": ", each.what));
    }
    return told;
  }

  Problems problems_;
};

TEST_F(YamlTreeTest, Parse_OfAMap_HasItsKeysValuesAndPlaces) {
  const YamlTree tree = Parse("a: 1\nb:\n  - x\n  - \"1\"\nc:\n");
  ASSERT_TRUE(tree.whole);
  ASSERT_THAT(Told(), IsEmpty());
  ASSERT_THAT(tree.root->entries, SizeIs(3));
  const YamlNode::Entry& list = tree.root->entries[1];
  EXPECT_EQ(list.key, "b");
  EXPECT_EQ(list.key_at, (Position{2, 1}));
  ASSERT_THAT(list.value->items, SizeIs(2));
  EXPECT_EQ(list.value->items[0]->text, "x");
  EXPECT_FALSE(list.value->items[0]->quoted);
  EXPECT_EQ(list.value->items[0]->at, (Position{3, 5}));
  EXPECT_TRUE(list.value->items[1]->quoted);
  EXPECT_EQ(tree.root->entries[2].value->kind, YamlNode::Kind::kNothing);
}

TEST_F(YamlTreeTest, Parse_OfNothing_HasNoRoot) {
  for (const char* text : {"", "# a remark\n", "\n\n"}) {
    const YamlTree tree = Parse(text);
    EXPECT_TRUE(tree.whole);
    EXPECT_EQ(tree.root, nullptr) << text;
  }
  EXPECT_THAT(Told(), IsEmpty());
}

TEST_F(YamlTreeTest, Parse_OfAKeyGivenTwice_KeepsWhereTheFirstWas) {
  const YamlTree tree = Parse("a: 1\nb: 2\na: 3\n");
  ASSERT_THAT(tree.root->entries, SizeIs(3));
  EXPECT_EQ(tree.root->entries[0].first_at.line, 0);
  EXPECT_EQ(tree.root->entries[2].first_at, (Position{1, 1}));
}

TEST_F(YamlTreeTest, Parse_OfWhatIsNotYaml_TellsWhereAndKeepsWhatCameBefore) {
  const YamlTree tree = Parse("a: 1\nb: [1, 2\nc: 3\n");
  EXPECT_FALSE(tree.whole);
  ASSERT_THAT(Told(), SizeIs(1));
  EXPECT_THAT(Told()[0], HasSubstr("is not YAML: "));
  ASSERT_NE(tree.root, nullptr);
  EXPECT_EQ(tree.root->entries[0].value->text, "1");
}

TEST_F(YamlTreeTest, Parse_OfWhatIsNoText_TellsTheByteAndItsPlace) {
  EXPECT_EQ(Parse("a: 1\nb: \xE9\n").root, nullptr);
  EXPECT_EQ(Parse(std::string("a: \0", 4)).root, nullptr);
  EXPECT_EQ(Parse("\xFF\xFE"
                  "a")
                .root,
            nullptr);
  EXPECT_EQ(Parse("a: \xED\xA0\x80").root, nullptr) << "a surrogate";
  EXPECT_EQ(Parse("a: \xC0\xAF").root, nullptr) << "overlong";
  EXPECT_THAT(Told(), ElementsAre(HasSubstr("2:4: is not UTF-8: the byte \"\\xe9\""),
                                  HasSubstr("1:4: a control character, \"\\x00\""),
                                  HasSubstr("1:1: is not UTF-8: the byte \"\\xff\""),
                                  HasSubstr("1:4: is not UTF-8"), HasSubstr("1:4: is not UTF-8")));
  EXPECT_EQ(Parse("a: \xE2\x82\xAC \xF0\x9F\x95\xB0").root->entries[0].value->text,
            "\xE2\x82\xAC \xF0\x9F\x95\xB0");
}

TEST_F(YamlTreeTest, Parse_OfAByteOrderMark_TellsItAndGoesOn) {
  EXPECT_EQ(Parse("\xEF\xBB\xBF"
                  "a: 1\n")
                .root->entries[0]
                .key,
            "a");
  EXPECT_THAT(Told(), ElementsAre(HasSubstr("1:1: begins with a byte order mark")));
}

TEST_F(YamlTreeTest, Parse_OfTabsInAnIndentation_TellsEachAndNothingElse) {
  Parse("a:\n\tb: 1\n  c:\n  \td: 2\n# \tremark\n\n");
  EXPECT_THAT(Told(), ElementsAre(HasSubstr("2:1: a tab in the indentation"),
                                  HasSubstr("4:3: a tab in the indentation")));
}

TEST_F(YamlTreeTest, Parse_OfTabsInABlockOfText_KeepsThem) {
  const YamlTree tree = Parse("a: |\n  one\n  \ttwo\nb: 1\n");
  EXPECT_THAT(Told(), IsEmpty());
  EXPECT_EQ(tree.root->entries[0].value->text, "one\n\ttwo\n");
}

TEST_F(YamlTreeTest, Parse_OfASecondDocument_TellsIt) {
  Parse("a: 1\n---\nb: 2\n");
  EXPECT_THAT(Told(), ElementsAre(HasSubstr("3:1: a second document begins")));
}

TEST_F(YamlTreeTest, Parse_OfTagsAndKeysThatAreNoText_TellsThem) {
  Parse("a: !!binary x\n[1]: 2\n? {b: 1}\n: 3\n");
  EXPECT_THAT(Told(), ElementsAre(HasSubstr("1:4: a tag, tag:yaml.org,2002:binary"),
                                  HasSubstr("2:1: a key that is no text"),
                                  HasSubstr("3:3: a key that is no text")));
}

TEST_F(YamlTreeTest, Parse_OfAnAlias_IsWhatItStandsFor) {
  const YamlTree tree = Parse("a: &x [1, 2]\nb: *x\n");
  EXPECT_EQ(tree.root->entries[1].value->items[1]->text, "2");
}

TEST_F(YamlTreeTest, Parse_OfAliasesThatGrow_EndsSoon) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 30; ++i) {
    const std::string before = absl::StrCat("*a", i - 1, ", ");
    absl::StrAppend(&text, "a", i, ": &a", i, " [", before, before, before, before, "x]\n");
  }
  EXPECT_FALSE(Parse(text).whole);
  EXPECT_THAT(Told(), ElementsAre(HasSubstr("more than 50000 values, aliases resolved")));
}

TEST_F(YamlTreeTest, Parse_OfAnAliasInItself_TellsIt) {
  EXPECT_FALSE(Parse("a: &x [1, *x]\n").whole);
  EXPECT_THAT(Told(), ElementsAre(HasSubstr("1:11: is not YAML: an alias")));
}

TEST_F(YamlTreeTest, Parse_OfTooMuch_EndsSoon) {
  EXPECT_FALSE(Parse(std::string(100'000, '[')).whole);
  std::string many = "[";
  for (int i = 0; i < 60'000; ++i) many += "1,";
  EXPECT_FALSE(Parse(many + "1]").whole);
  EXPECT_THAT(Told(), ElementsAre(HasSubstr("more than 64 values in each other"),
                                  HasSubstr("more than 50000 values")));
}

}  // namespace
}  // namespace mainspring
