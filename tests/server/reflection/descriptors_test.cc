#include "mainspring/server/reflection/descriptors.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "extended.pb.h"
#include "extension.pb.h"
#include "mainspring/lifecycle/v1/lifecycle.pb.h"
#include "mainspring/trial/v1/trial.pb.h"

namespace mainspring {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

constexpr char kTrialFile[] = "mainspring/trial/v1/trial.proto";
constexpr char kDurationFile[] = "google/protobuf/duration.proto";

std::vector<std::string> NamesOf(const absl::StatusOr<std::vector<std::string>>& files) {
  if (!files.ok()) return {files.status().ToString()};
  std::vector<std::string> names;
  for (const std::string& file : *files) {
    google::protobuf::FileDescriptorProto proto;
    EXPECT_TRUE(proto.ParseFromString(file));
    names.push_back(proto.name());
  }
  return names;
}

class DescriptorWalkTest : public ::testing::Test {
 protected:
  DescriptorWalkTest() {
    // Or the linker would leave the files out.
    trial::v1::EchoRequest::descriptor();
    extended::Extended::descriptor();
    extended::Outside::descriptor();
    lifecycle::v1::ListComponentsRequest::descriptor();
  }

  // The file of the one service, what it imports, and what extends these.
  const ServedFiles served_{{"mainspring.trial.v1.Trial", "mainspring.extended.Keeper"}};
  DescriptorWalk walk_{served_};
};

TEST_F(DescriptorWalkTest, WhenAskedForAFile_GivesItAndThenItsImports) {
  EXPECT_THAT(NamesOf(walk_.FileNamed(kTrialFile)), ElementsAre(kTrialFile, kDurationFile));
}

TEST_F(DescriptorWalkTest, WhenAskedAgain_LeavesTheImportsOut) {
  ASSERT_TRUE(walk_.FileNamed(kTrialFile).ok());
  EXPECT_THAT(NamesOf(walk_.FileNamed(kTrialFile)), ElementsAre(kTrialFile));
  EXPECT_THAT(NamesOf(walk_.FileNamed(kDurationFile)), ElementsAre(kDurationFile))
      << "what is asked for is always given";
}

TEST_F(DescriptorWalkTest, WhenAnotherWalkAsks_StartsAnew) {
  ASSERT_TRUE(walk_.FileNamed(kTrialFile).ok());
  DescriptorWalk other(served_);
  EXPECT_THAT(NamesOf(other.FileNamed(kTrialFile)), ElementsAre(kTrialFile, kDurationFile));
}

TEST_F(DescriptorWalkTest, ForEachKindOfSymbol_FindsItsFile) {
  for (const char* symbol :
       {"mainspring.trial.v1.Trial", "mainspring.trial.v1.Trial.Echo",
        "mainspring.trial.v1.EchoRequest", "mainspring.trial.v1.EchoRequest.text",
        "mainspring.trial.v1.CountDispatchedResponse.CallsEntry"}) {
    DescriptorWalk walk(served_);
    EXPECT_THAT(NamesOf(walk.FileOfSymbol(symbol)), ElementsAre(kTrialFile, kDurationFile))
        << symbol;
  }
  EXPECT_THAT(NamesOf(walk_.FileOfSymbol("mainspring.extended.Extended.Inner")),
              ElementsAre("extended.proto"));
}

TEST_F(DescriptorWalkTest, WhenNothingHasThatName_IsNotFound) {
  const absl::Status file = walk_.FileNamed("none.proto").status();
  EXPECT_EQ(absl::StatusCode::kNotFound, file.code());
  EXPECT_EQ("no file \"none.proto\"", file.message());
  for (const char* symbol : {"", ".", "mainspring.trial.v1.None", ".mainspring.trial.v1.Trial"}) {
    EXPECT_EQ(absl::StatusCode::kNotFound, walk_.FileOfSymbol(symbol).status().code()) << symbol;
  }
}

TEST_F(DescriptorWalkTest, WhenTheNameIsLongOrWild_TellsAPieceOfItEscaped) {
  const absl::Status status = walk_.FileNamed("\n" + std::string(10000, 'x')).status();
  EXPECT_LT(status.message().size(), 300u);
  EXPECT_THAT(std::string(status.message()), HasSubstr("\\nxxx"));
}

TEST_F(DescriptorWalkTest, WhenAskedForAnExtension_FindsWhereItIsDefined) {
  EXPECT_THAT(NamesOf(walk_.FileOfExtension("mainspring.extended.Extended", 150)),
              ElementsAre("extended.proto"));
  EXPECT_EQ("message mainspring.extended.Extended has no extension 101",
            walk_.FileOfExtension("mainspring.extended.Extended", 101).status().message());
  EXPECT_EQ(absl::StatusCode::kNotFound, walk_.FileOfExtension("none", 1).status().code());
}

TEST_F(DescriptorWalkTest, WhenAskedForExtensionNumbers_GivesThemAll) {
  const auto numbers = walk_.ExtensionNumbers("mainspring.extended.Extended");
  ASSERT_TRUE(numbers.ok());
  EXPECT_THAT(*numbers, UnorderedElementsAre(100, 150, 199)) << "from files that import it, too";
  EXPECT_THAT(*walk_.ExtensionNumbers("mainspring.trial.v1.EchoRequest"), ElementsAre());
  EXPECT_EQ(absl::StatusCode::kNotFound, walk_.ExtensionNumbers("none").status().code());
}

TEST_F(DescriptorWalkTest, WhenTheFileIsNotServed_IsNotFound) {
  const ServedFiles trial_alone({"mainspring.trial.v1.Trial"});
  DescriptorWalk walk(trial_alone);
  const std::vector<absl::Status> answers = {
      walk.FileNamed("extended.proto").status(),
      walk.FileNamed("mainspring/lifecycle/v1/lifecycle.proto").status(),
      walk.FileOfSymbol("mainspring.extended.Extended").status(),
      walk.FileOfSymbol("mainspring.lifecycle.v1.Lifecycle").status(),
      walk.FileOfExtension("mainspring.extended.Extended", 150).status(),
      walk.ExtensionNumbers("mainspring.extended.Extended").status()};
  for (const absl::Status& answer : answers) {
    EXPECT_EQ(absl::StatusCode::kNotFound, answer.code()) << answer;
  }
  EXPECT_EQ("no symbol \"mainspring.lifecycle.v1.Lifecycle\"", answers[3].message())
      << "the same words as for what nobody has heard of";
}

}  // namespace
}  // namespace mainspring
