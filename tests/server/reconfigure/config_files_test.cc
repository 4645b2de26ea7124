#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "mainspring/file_tree.h"
#include "mainspring/server/reconfigure/config.h"
#include "tests/server/reconfigure/config_fixture.h"
#include "tests/server/trial_directory.h"

namespace mainspring::testing {
namespace {

using namespace config::v1;
using sample::v1::Secret;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// Has its name and key in two files, of which everybody may read the first.
class Printer final : public Component, public Handler<NoRequest>, public FileConfigurable<Secret> {
 public:
  Printer(Context& context, const std::string& directory, int* applied)
      : Component(context),
        FileConfigurable(absl::StrCat(directory, "/", context.name())),
        applied_(*applied) {}

  absl::Status GenerateFiles(const Secret& config, const std::string& directory) override {
    if (config.name() == "bad") return absl::InvalidArgumentError("printer: fatal: bad name");
    absl::Status written =
        WriteConfigFile(directory + "/name.cf",
                        absl::StrCat("name = ", config.name(), "\nkey = ", config.key(), "\n"));
    written.Update(WriteConfigFile(directory + "/key", config.key(), 0600));
    return written;
  }
  void Apply(Secret config) override {
    const auto files = ReadFileTree(config_directory().path());
    EXPECT_TRUE(files.ok() && files->count("name.cf") != 0) << "they are there";
    EXPECT_THAT(files->at("name.cf").content, HasSubstr("name = " + config.name() + "\n"));
    ++applied_;
  }
  void Handle(NoRequest&&) override {}

 private:
  int& applied_;
};

class ConfigFilesTest : public ConfigTest {
 protected:
  ConfigFilesTest() {
    types_["printer"] = &Secret::default_instance();
    Secret section;
    section.set_name("first");
    section.set_key("hush");
    host_.Add("printer", "printer").config = std::make_shared<Secret>(section);
  }
  ComponentFactory MakerOf(const std::string& type) override {
    if (type != "printer") return ConfigTest::MakerOf(type);
    return [this](Context& context) {
      return std::make_unique<Printer>(context, scratch_.path(), &applied_);
    };
  }

  absl::StatusOr<GenerateFilesResponse> Generate(const std::string& name) {
    GenerateFilesRequest request;
    request.set_name(name);
    return Await(config().GenerateFiles(request));
  }
  absl::StatusOr<GenerateFilesResponse> Generate(const std::string& name, const Secret& section) {
    GenerateFilesRequest request;
    request.set_name(name);
    request.mutable_config()->PackFrom(section);
    return Await(config().GenerateFiles(request));
  }
  absl::StatusOr<InstallFilesResponse> Install(const std::string& name) {
    InstallFilesRequest request;
    request.set_name(name);
    return Await(config().InstallFiles(request));
  }
  static Secret Named(const std::string& name, const std::string& key = "hush") {
    Secret section;
    section.set_name(name);
    section.set_key(key);
    return section;
  }
  std::string ContentOf(const std::string& path) const {
    std::ifstream file(scratch_.File(path));
    return {std::istreambuf_iterator<char>(file), {}};
  }

  const TemporaryDirectory scratch_;
  int applied_ = 0;
};

TEST_F(ConfigFilesTest, Generate_OfAnotherSection_TellsWhatDiffersAndInstallsNothing) {
  Launch();
  EXPECT_EQ(applied_, 1);
  const auto response = Generate("printer", Named("second"));
  ASSERT_TRUE(response.ok()) << response.status();
  ASSERT_EQ(response->sets_size(), 1);
  EXPECT_EQ(response->sets(0).component(), "printer");
  EXPECT_EQ(response->sets(0).directory(), scratch_.File("printer"));
  EXPECT_EQ(response->sets(0).diff(),
            "--- a/name.cf\n+++ b/name.cf\n@@ -1,2 +1,2 @@\n-name = first\n+name = second\n"
            " key = <redacted>\n");
  EXPECT_EQ(ContentOf("printer/name.cf"), "name = first\nkey = hush\n");
  EXPECT_EQ(ContentOf("printer.next/name.cf"), "name = second\nkey = hush\n");
  EXPECT_EQ(applied_, 1);
}

TEST_F(ConfigFilesTest, Generate_OfAnotherSecret_ShowsNeither) {
  Launch();
  const auto response = Generate("printer", Named("first", "loud"));
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->sets(0).diff(),
            "# key: what is in it differs, and is not for everybody to read\n"
            "# name.cf: what is secret in it differs\n");
}

TEST_F(ConfigFilesTest, Generate_OfWhatIsRefused_SaysSoInTheWordsOfItsReader) {
  Launch();
  EXPECT_EQ(Generate("printer", Named("bad")).status(),
            absl::InvalidArgumentError("components[printer].config: printer: fatal: bad name"));
}

TEST_F(ConfigFilesTest, Generate_WhereThereAreNoFiles_SaysSo) {
  Launch();
  EXPECT_EQ(Generate("a").status(),
            absl::FailedPreconditionError(
                "component \"a\" has no files: its class is not FileConfigurable"));
  EXPECT_EQ(Generate("plain").status(),
            absl::FailedPreconditionError("component \"plain\" takes no section"));
  EXPECT_EQ(Generate("printre").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Install("a").status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(ConfigFilesTest, Update_InstallsTheFilesBeforeApply) {
  Launch();
  Change change;
  change.set_name("printer");
  change.mutable_config()->PackFrom(Named("second"));
  ASSERT_TRUE(Update({change}).ok());
  EXPECT_EQ(ContentOf("printer/name.cf"), "name = second\nkey = hush\n");
  EXPECT_EQ(ContentOf("printer.previous/name.cf"), "name = first\nkey = hush\n");
  EXPECT_EQ(applied_, 2);
  RollbackConfigRequest back;
  back.set_revision(0);
  ASSERT_TRUE(Await(config().RollbackConfig(back)).ok());
  EXPECT_EQ(ContentOf("printer/name.cf"), "name = first\nkey = hush\n");
}

TEST_F(ConfigFilesTest, Update_OfWhatCannotBecomeFiles_LeavesAllAsItWas) {
  Launch();
  Change change;
  change.set_name("printer");
  change.mutable_config()->PackFrom(Named("bad"));
  EXPECT_EQ(Update({To("a", 5), change}).status(),
            absl::InvalidArgumentError("components[printer].config: printer: fatal: bad name"));
  EXPECT_EQ(InForce("a"), 0);
  EXPECT_EQ(ContentOf("printer/name.cf"), "name = first\nkey = hush\n");
}

TEST_F(ConfigFilesTest, Install_OverWhatWasChangedByHand_PutsItRight) {
  Launch();
  std::ofstream(scratch_.File("printer/name.cf")) << "name = mine\nkey = hush\n";
  const auto shown = Generate("printer");
  ASSERT_TRUE(shown.ok()) << shown.status();
  EXPECT_THAT(shown->sets(0).diff(), HasSubstr("-name = mine\n+name = first\n"));
  const auto installed = Install("printer");
  ASSERT_TRUE(installed.ok()) << installed.status();
  EXPECT_EQ(installed->sets(0).diff(), shown->sets(0).diff());
  EXPECT_EQ(ContentOf("printer/name.cf"), "name = first\nkey = hush\n");
  EXPECT_EQ(applied_, 2) << "whoever reads them is told";
  const auto again = Install("printer");
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->sets(0).diff(), "");
  EXPECT_EQ(applied_, 2) << "and is not told where nothing differs";
  EXPECT_EQ(LatestRevision(), 0u);
}

TEST_F(ConfigFilesTest, Install_OfReplicas_IsOfEach) {
  host_.Find("printer")->replicas = 2;
  Launch();
  std::filesystem::remove(scratch_.File("printer-1/key"));
  const auto installed = Install("printer");
  ASSERT_TRUE(installed.ok()) << installed.status();
  ASSERT_EQ(installed->sets_size(), 2);
  EXPECT_EQ(installed->sets(0).diff(), "");
  EXPECT_THAT(installed->sets(1).diff(),
              AllOf(HasSubstr("# key: is new: a file with 0600\n"), Not(HasSubstr("hush"))));
  EXPECT_EQ(ContentOf("printer-1/key"), "hush");
}

TEST_F(ConfigFilesTest, Generate_WhereItIsDown_SaysWhatToDo) {
  Launch();
  lifecycle::v1::StopComponentRequest stop;
  stop.set_name("printer");
  const lifecycle::v1::LifecycleRef lifecycle(
      std::dynamic_pointer_cast<Inbox<lifecycle::v1::LifecycleRequest>>(supervision_->mailbox()));
  auto stopped = lifecycle.StopComponent(stop);
  loops_.Advance(absl::Seconds(1));
  EXPECT_EQ(Generate("printer").status(),
            absl::FailedPreconditionError("component \"printer\" is STOPPED; start it first"));
}

}  // namespace
}  // namespace mainspring::testing
