#include "mainspring/server/config/substitution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <string>

#include "tests/server/trial_client.h"

namespace mainspring {
namespace {

using ::testing::HasSubstr;

class SubstitutionTest : public ::testing::Test {
 protected:
  SubstitutionTest() { setenv("SUBSTITUTION_TEST", "va${l}ue", 1); }
  ~SubstitutionTest() override { unsetenv("SUBSTITUTION_TEST"); }

  std::string FileWith(const std::string& text) {
    std::ofstream(directory_.File("secret")) << text;
    return directory_.File("secret");
  }
  static std::string ErrorOf(const std::string& text) {
    return std::string(Substitute(text).status().message());
  }

  testing::TemporaryDirectory directory_;
};

TEST_F(SubstitutionTest, Substitute_PutsInVariablesAndFilesOnce) {
  EXPECT_EQ(*Substitute("a ${SUBSTITUTION_TEST} b ${SUBSTITUTION_TEST}"), "a va${l}ue b va${l}ue");
  EXPECT_EQ(*Substitute("${file:" + FileWith("pass\nword\n") + "}!"), "pass\nword!");
}

TEST_F(SubstitutionTest, Substitute_LeavesEverythingElse) {
  for (const char* text : {"", "$", "$5", "{x}", "a$b", "}"}) EXPECT_EQ(*Substitute(text), text);
  EXPECT_EQ(*Substitute("$${HOME}"), "${HOME}");
  for (const char* text : {"${HOME}", "$${x}", "a${"}) {
    EXPECT_EQ(*Substitute(Unsubstituted(text)), text);
  }
}

TEST_F(SubstitutionTest, Substitute_OfWhatIsNotThere_SaysWhat) {
  EXPECT_EQ(ErrorOf("x ${NOT_SET_ANYWHERE}"), "${NOT_SET_ANYWHERE}: is not set in the environment");
  EXPECT_EQ(ErrorOf("${file:/not/there}"),
            "${file:/not/there}: cannot be read: No such file or directory");
  EXPECT_THAT(ErrorOf("${file:" + directory_.path() + "}"), HasSubstr("Is a directory"));
  EXPECT_THAT(ErrorOf("${file:relative}"), HasSubstr("does not begin with a slash"));
  EXPECT_THAT(ErrorOf("${a b}"), HasSubstr("is neither ${VARIABLE} nor ${file:/PATH}"));
  EXPECT_THAT(ErrorOf("${}"), HasSubstr("is neither"));
  EXPECT_THAT(ErrorOf("${HOME"), HasSubstr("a ${ without its }"));
}

TEST_F(SubstitutionTest, Substitute_OfAFileThatIsNoTextOrTooLong_DoesNotTellItsText) {
  EXPECT_THAT(ErrorOf("${file:" + FileWith("secret\xE9") + "}"), HasSubstr("}: is not UTF-8"));
  EXPECT_THAT(ErrorOf("${file:" + FileWith(std::string(70'000, 'x')) + "}"),
              HasSubstr("has more than 64 KiB"));
  EXPECT_THAT(ErrorOf("${file:/dev/zero}"), HasSubstr("has more than 64 KiB"));
}

}  // namespace
}  // namespace mainspring
