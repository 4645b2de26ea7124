#include "mainspring/server/config/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "absl/time/time.h"

ABSL_FLAG(std::string, a_text, "nothing", "A text.");
ABSL_FLAG(bool, a_switch, false, "A switch.");
ABSL_FLAG(int, number, 7, "A number.");
ABSL_FLAG(absl::Duration, a_time, absl::Seconds(1), "A time.");

namespace mainspring {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class FlagsTest : public ::testing::Test {
 protected:
  static absl::Status Parse(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "program");
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    return ParseFlags(static_cast<int>(argv.size()), argv.data()).status();
  }

  static void ExpectError(const std::vector<std::string>& arguments, const std::string& text) {
    const absl::Status status = Parse(arguments);
    EXPECT_EQ(absl::StatusCode::kInvalidArgument, status.code()) << text;
    EXPECT_THAT(std::string(status.message()), StartsWith(text));
  }

  // Puts the flags back.
  absl::FlagSaver saver_;
};

TEST_F(FlagsTest, WhenGivenWithEquals_SetsTheValue) {
  ASSERT_TRUE(Parse({"--a-text=some text", "--number=3"}).ok());
  EXPECT_EQ("some text", absl::GetFlag(FLAGS_a_text));
  EXPECT_EQ(3, absl::GetFlag(FLAGS_number));
}

TEST_F(FlagsTest, WhenTheValueFollows_SetsIt) {
  ASSERT_TRUE(Parse({"--a-text", "some text", "--a-time", "1m30s"}).ok());
  EXPECT_EQ("some text", absl::GetFlag(FLAGS_a_text));
  EXPECT_EQ(absl::Seconds(90), absl::GetFlag(FLAGS_a_time));
}

TEST_F(FlagsTest, WhenWrittenWithUnderscores_IsTheSameFlag) {
  ASSERT_TRUE(Parse({"--a_text=x"}).ok());
  EXPECT_EQ("x", absl::GetFlag(FLAGS_a_text));
}

TEST_F(FlagsTest, WhenThereAreNone_LeavesTheDefaults) {
  ASSERT_TRUE(Parse({}).ok());
  EXPECT_EQ("nothing", absl::GetFlag(FLAGS_a_text));
}

TEST_F(FlagsTest, WhenGivenTwice_TakesTheLast) {
  ASSERT_TRUE(Parse({"--number=1", "--number=2"}).ok());
  EXPECT_EQ(2, absl::GetFlag(FLAGS_number));
}

TEST_F(FlagsTest, ForABoolean_TakesEachForm) {
  const struct {
    const char* argument;
    bool value;
  } forms[] = {{"--a-switch", true},
               {"--noa-switch", false},
               {"--a_switch=true", true},
               {"--a-switch=false", false},
               {"--a-switch=1", true}};
  for (const auto& [argument, value] : forms) {
    absl::SetFlag(&FLAGS_a_switch, !value);
    ASSERT_TRUE(Parse({argument}).ok()) << argument;
    EXPECT_EQ(value, absl::GetFlag(FLAGS_a_switch)) << argument;
  }
}

TEST_F(FlagsTest, WhenABooleanStandsBeforeAnArgument_DoesNotTakeIt) {
  ExpectError({"--a-switch", "false"}, "argument \"false\": not a flag; see --help");
}

TEST_F(FlagsTest, WhenTheValueHasAnEqualsSign_KeepsIt) {
  ASSERT_TRUE(Parse({"--a-text=a=b"}).ok());
  EXPECT_EQ("a=b", absl::GetFlag(FLAGS_a_text));
}

TEST_F(FlagsTest, WhenTheValueIsEmpty_SetsIt) {
  ASSERT_TRUE(Parse({"--a-text="}).ok());
  EXPECT_EQ("", absl::GetFlag(FLAGS_a_text));
}

TEST_F(FlagsTest, WhenNotKnown_NamesTheFlag) {
  ExpectError({"--unheard-of=1"}, "flag --unheard-of: not known; see --help");
  ExpectError({"--unheard\n"}, "flag --unheard\\n: not known; see --help");
  ExpectError({"--nounheard-of"}, "flag --nounheard-of: not known; see --help");
}

TEST_F(FlagsTest, WhenNoStandsBeforeWhatIsNoBoolean_IsNotKnown) {
  ExpectError({"--nonumber"}, "flag --nonumber: not known; see --help");
  ExpectError({"--noa-switch=true"}, "flag --noa-switch: not known; see --help");
}

TEST_F(FlagsTest, WhenTheValueIsMissing_SaysWhose) {
  ExpectError({"--number"}, "flag --number: its value is missing");
  ExpectError({"--a_text"}, "flag --a-text: its value is missing");
}

TEST_F(FlagsTest, WhenTheValueIsNotValid_TellsItEscaped) {
  ExpectError({"--number=many"}, "flag --number: \"many\" is not a valid value");
  ExpectError({"--a-time", "5\n"}, "flag --a-time: \"5\\n\" is not a valid value");
  ExpectError({"--a-switch=perhaps"}, "flag --a-switch: \"perhaps\" is not a valid value");
}

TEST_F(FlagsTest, WhenTheValueIsNotValid_SaysItOnce) {
  EXPECT_EQ("flag --a-time: \"5\" is not a valid value", Parse({"--a-time=5"}).message());
  EXPECT_EQ("flag --number: \"many\" is not a valid value", Parse({"--number=many"}).message());
}

TEST_F(FlagsTest, WhenAnArgumentIsLeftOver_NamesIt) {
  for (const char* argument : {"left-over", "-number=1", "-", "--", ""}) {
    ExpectError({argument}, std::string("argument \"") + argument + "\": not a flag; see --help");
  }
}

TEST_F(FlagsTest, WhenOneOfAbseilsOwnIsAskedFor_IsNotKnown) {
  ExpectError({"--flagfile=/etc/passwd"}, "flag --flagfile: not known");
}

TEST_F(FlagsTest, WhenHelpIsAsked_ListsFlagsSortedWithTheirDefaults) {
  const std::string help = FlagsHelp();
  EXPECT_THAT(help, HasSubstr("  --a-text\n      A text. Default: nothing.\n"));
  EXPECT_THAT(help, HasSubstr("  --a-switch\n      A switch.\n"));
  EXPECT_LT(help.find("--a-switch"), help.find("--a-text"));
  EXPECT_LT(help.find("--a-text"), help.find("--number"));
  EXPECT_THAT(help, Not(HasSubstr("flagfile")));
}

}  // namespace
}  // namespace mainspring
