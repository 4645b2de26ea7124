#include "mainspring/server/config/host_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "mainspring/server/config/scalars.h"
#include "tests/server/trial_client.h"

namespace mainspring {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ComponentConfig Component(const std::string& name) {
  ComponentConfig component;
  component.name = name;
  component.type = "clock";
  return component;
}

HostConfig GoodConfig() {
  HostConfig config;
  config.components = {Component("clock")};
  config.data.addresses = {"0.0.0.0:50051"};
  config.admin.addresses = {"unix:/run/x/admin.sock", "127.0.0.1:50052", "[::1]:1", "localhost:1"};
  return config;
}

absl::Status Validate(const HostConfig& config) {
  Problems problems;
  FindProblems(config, problems);
  CheckPaths(config, problems);
  return problems.status();
}

std::vector<std::string> Warnings(const HostConfig& config) {
  std::vector<std::string> warnings;
  for (const Contradiction& each : FindContradictions(config)) {
    warnings.push_back(absl::StrCat(each.paths.front(), ": ", each.what));
  }
  return warnings;
}

void ExpectError(const HostConfig& config, const std::string& text) {
  const absl::Status status = Validate(config);
  EXPECT_EQ(absl::StatusCode::kInvalidArgument, status.code()) << text;
  EXPECT_EQ(text, status.message());
}

TEST(Validate, WhenNothingIsWrong_IsOk) { EXPECT_TRUE(Validate(GoodConfig()).ok()); }

TEST(Validate, WhenThereIsNoComponent_IsOk) {
  HostConfig config = GoodConfig();
  config.components.clear();
  EXPECT_TRUE(Validate(config).ok());
}

TEST(Validate, WhenAComponentHasNoName_SaysWhoseType) {
  HostConfig config = GoodConfig();
  config.components.push_back(Component(""));
  ExpectError(config, "components[1].name: is missing, of a component of type \"clock\"");
}

TEST(Validate, WhenANameIsUsedTwice_NamesIt) {
  HostConfig config = GoodConfig();
  config.components.push_back(Component("clock"));
  ExpectError(config, "components[1].name: two components are called \"clock\"");
}

TEST(Validate, ForEachNameThatIsNotAllowed_NamesIt) {
  HostConfig config = GoodConfig();
  const std::string longest(63, 'x');
  for (const std::string& name : {longest, std::string("a"), std::string("0.a-b_c")}) {
    config.components = {Component(name)};
    EXPECT_TRUE(Validate(config).ok()) << name;
  }
  config.components = {Component("Clock"), Component("fine"), Component("a b"),
                       Component("caf\xE9"), Component(longest + "x")};
  const auto refusal = [](const std::string& name) {
    return absl::StrCat("components[", name, "].name: \"", name,
                        "\" is not 1 to 63 of a-z, 0-9, \".\", \"_\" and \"-\"");
  };
  ExpectError(config, refusal("Clock") + "; " + refusal("a b") + "; " + refusal("caf\\xe9") + "; " +
                          refusal(longest + "x"));
  for (const char* name : {"host", "liveness", "readiness", "startup", "supervisor"}) {
    config.components = {Component(name)};
    ExpectError(config, absl::StrCat("components[", name, "].name: \"", name,
                                     "\" is a name of the host's own"));
  }
}

TEST(Validate, WhenAReplicaIsCalledAsAnotherComponent_SaysWhich) {
  HostConfig config = GoodConfig();
  config.components = {Component("worker"), Component("worker-1")};
  config.components[0].replicas = 2;
  ExpectError(config,
              "components[worker].replicas: one of them is called \"worker-1\", which "
              "another component is");
  config.components[0].replicas = 1;
  EXPECT_TRUE(Validate(config).ok());
  config.components = {Component("worker")};
  config.components[0].replicas = 257;
  ExpectError(config, "components[worker].replicas: 257 is more than 256");
  config.components[0].replicas = 0;
  ExpectError(config, "components[worker].replicas: 0 is less than 1");
  config.components = {Component(std::string(62, 'a'))};
  config.components[0].replicas = 1;
  const std::string& name = config.components[0].name;
  ExpectError(config, absl::StrCat("components[", name, "].replicas: one of them is called \"",
                                   name, "-0\", which is too long for a name"));
}

TEST(Replicated, MakesEachReplicaAComponent) {
  HostConfig config;
  config.components = {Component("clock"), Component("worker"), Component("web")};
  config.components[1].replicas = 2;
  config.components[2].depends_on = {{"worker"}, {"clock"}};
  const std::vector<ComponentConfig> all = Replicated(config.components);
  ASSERT_EQ(4u, all.size());
  EXPECT_EQ("clock", all[0].name);
  EXPECT_EQ("worker-0", all[1].name);
  EXPECT_EQ("worker-1", all[2].name);
  EXPECT_EQ("worker", ConfiguredName(all[2]));
  EXPECT_EQ("web", ConfiguredName(all[3]));
  ASSERT_EQ(3u, all[3].depends_on.size());
  EXPECT_EQ("worker-1", all[3].depends_on[1].component);
  EXPECT_FALSE(all[3].depends_on[1].hard) << "the other goes on";
  EXPECT_TRUE(all[3].depends_on[2].hard);
}

TEST(Replicated, OfMoreThanThereMayBe_MakesNoMore) {
  HostConfig config;
  config.components = {Component("worker"), Component("web")};
  config.components[0].replicas = std::numeric_limits<int>::max();
  config.components[1].depends_on = {{"worker"}};
  EXPECT_EQ(257u, Replicated(config.components).size());
}

TEST(Replicated, OfOneReplica_KeepsWhoNeedsItHard) {
  HostConfig config;
  config.components = {Component("worker"), Component("web")};
  config.components[0].replicas = 1;
  config.components[1].depends_on = {{"worker"}};
  const std::vector<ComponentConfig> all = Replicated(config.components);
  EXPECT_EQ("worker-0", all[1].depends_on[0].component);
  EXPECT_TRUE(all[1].depends_on[0].hard);
}

TEST(Validate, WhenAPlaneHasNoAddress_NamesThePlane) {
  HostConfig config = GoodConfig();
  config.data.addresses.clear();
  ExpectError(config,
              "planes.data.addresses: no address; give it at least one, such as 0.0.0.0:50051");
  config = GoodConfig();
  config.admin.addresses.clear();
  ExpectError(config,
              "planes.admin.addresses: no address; give it at least one, such as unix:admin.sock");
}

TEST(Validate, WhenTheAdminPlaneIsOpenToOthers_RefusesTheAddress) {
  for (const char* address : {"0.0.0.0:50052", "[::]:50052", "10.0.0.1:50052", "example.com:1"}) {
    HostConfig config = GoodConfig();
    config.admin.addresses.push_back(address);
    const absl::Status status = Validate(config);
    EXPECT_EQ(absl::StatusCode::kInvalidArgument, status.code()) << address;
    EXPECT_THAT(std::string(status.message()), HasSubstr(address));
    EXPECT_THAT(std::string(status.message()), HasSubstr("use a unix socket or 127.0.0.1"));
    config.admin.insecure = true;
    EXPECT_TRUE(Validate(config).ok()) << "asked for, spelled out";
  }
}

TEST(Validate, ForEachPlane_RefusesWhatIsNoAddress) {
  PlaneConfig HostConfig::*const planes[] = {&HostConfig::data, &HostConfig::admin,
                                             &HostConfig::probe};
  for (PlaneConfig HostConfig::*plane : planes) {
    for (const char* address : {"", "nonsense", "127.0.0.1:99999", "unix:", "unix:@x"}) {
      HostConfig config = GoodConfig();
      (config.*plane).addresses.push_back(address);
      const absl::Status status = Validate(config);
      EXPECT_EQ(absl::StatusCode::kInvalidArgument, status.code()) << address;
      EXPECT_THAT(std::string(status.message()),
                  HasSubstr(absl::StrCat(": \"", address, "\" is not an address: ")));
    }
    HostConfig config = GoodConfig();
    (config.*plane).addresses.push_back("unix:relative");
    EXPECT_THAT(std::string(Validate(config).message()),
                HasSubstr(".addresses: unix:relative: the path does not begin with a slash"));
  }
}

TEST(Validate, WhenAnAddressIsGivenTwice_SaysWhereTheSecondIs) {
  HostConfig config = GoodConfig();
  config.data.addresses = {"127.0.0.1:0", "127.0.0.1:0", "[::1]:7", "[0::1]:7"};
  ExpectError(config, "planes.data.addresses[3]: [0::1]:7 is given twice");
  config = GoodConfig();
  config.data.addresses = {"localhost:1"};
  ExpectError(config, "planes.admin.addresses[3]: localhost:1 is given twice");
  config = GoodConfig();
  config.probe.addresses = {"unix:/run/x/admin.sock"};
  ExpectError(config, "planes.probe.addresses[0]: unix:/run/x/admin.sock is given twice");
}

TEST(Validate, WhenAHostNameOnlyLooksLikeLoopback_RefusesIt) {
  HostConfig config = GoodConfig();
  config.admin.addresses = {"127.example.com:50052"};
  EXPECT_EQ(absl::StatusCode::kInvalidArgument, Validate(config).code());
}

TEST(Validate, ForEachDurationOfTheHost_RefusesNegativeAndInfinite) {
  const struct {
    const char* name;
    absl::Duration& (*field)(HostConfig&);
  } durations[] = {
      {"drain.lame_duck", [](HostConfig& c) -> absl::Duration& { return c.lame_duck; }},
      {"drain.timeout", [](HostConfig& c) -> absl::Duration& { return c.drain_timeout; }},
      {"drain.exit_margin", [](HostConfig& c) -> absl::Duration& { return c.exit_margin; }},
      {"planes.data.limits.max_connection_age",
       [](HostConfig& c) -> absl::Duration& { return c.data.limits.max_connection_age; }},
  };
  for (const auto& [name, field] : durations) {
    HostConfig config = GoodConfig();
    field(config) = absl::Seconds(-1);
    ExpectError(config, std::string(name) + ": -1s is less than 0s");
    field(config) = absl::InfiniteDuration();
    ExpectError(config, std::string(name) + ": inf is not a time that can be waited for");
    field(config) = absl::ZeroDuration();
    EXPECT_TRUE(Validate(config).ok()) << name;
  }
}

TEST(Validate, ForEachDurationOfAComponent_RefusesNegative) {
  absl::Duration ComponentConfig::*const durations[] = {&ComponentConfig::start_timeout,
                                                        &ComponentConfig::stop_timeout,
                                                        &ComponentConfig::stall_limit};
  for (absl::Duration ComponentConfig::*duration : durations) {
    HostConfig config = GoodConfig();
    config.components[0].*duration = absl::Seconds(-1);
    EXPECT_EQ(absl::StatusCode::kInvalidArgument, Validate(config).code());
  }
}

template <class Number>
void ExpectLeastIsOne(const std::string& name, const std::function<Number&(HostConfig&)>& field) {
  HostConfig config = GoodConfig();
  field(config) = 0;
  const bool is_size = absl::EndsWith(name, "_bytes");
  ExpectError(config, name + (is_size ? ": 0B is less than 1B" : ": 0 is less than 1"));
  if constexpr (std::is_signed_v<Number>) {
    field(config) = std::numeric_limits<Number>::min();
    EXPECT_EQ(absl::StatusCode::kInvalidArgument, Validate(config).code()) << name;
  }
  const bool is_bounded = name == "limits.event_history";
  for (const Number allowed :
       {Number{1}, is_bounded ? Number{10'000'000} : std::numeric_limits<Number>::max()}) {
    field(config) = allowed;
    EXPECT_TRUE(Validate(config).ok()) << name << " " << allowed;
  }
}

TEST(Validate, ForEachLimit_RefusesLessThanOne) {
  ExpectLeastIsOne<size_t>("limits.event_history",
                           [](HostConfig& c) -> size_t& { return c.event_history; });
  ExpectLeastIsOne<size_t>("components[clock].mailbox.max_calls", [](HostConfig& c) -> size_t& {
    return c.components[0].mailbox.max_calls;
  });
  ExpectLeastIsOne<size_t>("components[clock].mailbox.max_bytes", [](HostConfig& c) -> size_t& {
    return c.components[0].mailbox.max_bytes;
  });
  ExpectLeastIsOne<int>("components[clock].restart.max_failures",
                        [](HostConfig& c) -> int& { return c.components[0].restart.max_failures; });
  const std::pair<const char*, PlaneConfig HostConfig::*> planes[] = {
      {"data", &HostConfig::data}, {"admin", &HostConfig::admin}, {"probe", &HostConfig::probe}};
  for (const auto& [name, plane] : planes) {
    const std::string of = absl::StrCat("planes.", name, ".limits.");
    const std::pair<const char*, int rpc::PlaneLimits::*> ints[] = {
        {"max_message_bytes", &rpc::PlaneLimits::max_message_bytes},
        {"max_metadata_bytes", &rpc::PlaneLimits::max_metadata_bytes},
        {"max_streams", &rpc::PlaneLimits::max_streams}};
    for (const auto& [field, member] : ints) {
      ExpectLeastIsOne<int>(of + field, [plane = plane, member = member](HostConfig& c) -> int& {
        return (c.*plane).limits.*member;
      });
    }
    const std::pair<const char*, size_t rpc::PlaneLimits::*> sizes[] = {
        {"max_connections", &rpc::PlaneLimits::max_connections},
        {"max_calls", &rpc::PlaneLimits::max_calls}};
    for (const auto& [field, member] : sizes) {
      ExpectLeastIsOne<size_t>(of + field,
                               [plane = plane, member = member](HostConfig& c) -> size_t& {
                                 return (c.*plane).limits.*member;
                               });
    }
  }
}

TEST(Validate, ForEachTimeOfAPlane_RefusesWhatGrpcCannotKeep) {
  const struct {
    const char* name;
    absl::Duration rpc::PlaneLimits::*field;
    bool may_be_zero;
  } times[] = {{"keepalive_time", &rpc::PlaneLimits::keepalive_time, false},
               {"keepalive_timeout", &rpc::PlaneLimits::keepalive_timeout, false},
               {"handshake_timeout", &rpc::PlaneLimits::handshake_timeout, false},
               {"least_ping_interval", &rpc::PlaneLimits::least_ping_interval, true},
               {"max_connection_age", &rpc::PlaneLimits::max_connection_age, true}};
  for (PlaneConfig HostConfig::*plane : {&HostConfig::data, &HostConfig::admin}) {
    for (const auto& each : times) {
      HostConfig config = GoodConfig();
      absl::Duration& field = (config.*plane).limits.*each.field;
      field = absl::ZeroDuration();
      EXPECT_EQ(each.may_be_zero, Validate(config).ok()) << each.name;
      for (const absl::Duration wrong : {-absl::Nanoseconds(1), -absl::InfiniteDuration()}) {
        field = wrong;
        EXPECT_THAT(std::string(Validate(config).message()), HasSubstr(each.name));
      }
      for (const absl::Duration right : {absl::Nanoseconds(1), absl::Hours(24 * 365 * 1000)}) {
        field = right;
        EXPECT_TRUE(Validate(config).ok()) << each.name << " " << right;
      }
    }
  }
}

TEST(Validate, WhenTheLeastBackoffIsMoreThanTheMost_SaysSo) {
  HostConfig config = GoodConfig();
  config.components[0].restart.least_backoff = absl::Seconds(2);
  config.components[0].restart.most_backoff = absl::Seconds(1);
  ExpectError(config, "components[clock].restart.least_backoff: 2s is more than most_backoff, 1s");
}

TEST(Validate, WhenACallMayNotWaitAtAll_SaysSo) {
  HostConfig config = GoodConfig();
  for (const absl::Duration age : {absl::ZeroDuration(), -absl::Seconds(1)}) {
    config.components[0].mailbox.max_queue_age = age;
    ExpectError(config, absl::StrCat("components[clock].mailbox.max_queue_age: ", FormatTime(age),
                                     " is not more than 0s"));
  }
}

TEST(Validate, WhenAStopTimeoutIsInfinite_RefusesIt) {
  // The exit guard waits for the sum of all: it would never act.
  HostConfig config = GoodConfig();
  config.components[0].stop_timeout = absl::InfiniteDuration();
  EXPECT_EQ(absl::StatusCode::kInvalidArgument, Validate(config).code());
}

TEST(Validate, WhenSeveralThingsAreWrong_TellsThemAllAtOnce) {
  HostConfig config = GoodConfig();
  config.components = {Component(""), Component("a"), Component("a")};
  config.data.addresses.clear();
  config.lame_duck = absl::Seconds(-5);
  ExpectError(config,
              "components[0].name: is missing, of a component of type \"clock\"; "
              "components[2].name: two components are called \"a\"; planes.data.addresses: no "
              "address; give it at least one, such as 0.0.0.0:50051; drain.lame_duck: -5s is less "
              "than 0s");
}

TEST(Warnings, OfTheDefaults_AreNone) { EXPECT_THAT(Warnings(GoodConfig()), IsEmpty()); }

TEST(Warnings, WhenConnectionsMayOutliveADrain_SaysWhatThatCosts) {
  HostConfig config = GoodConfig();
  config.data.limits.max_connection_age = absl::Seconds(32);
  EXPECT_THAT(Warnings(config),
              ElementsAre("planes.data.limits.max_connection_age: max_connection_age, 32s give or "
                          "take a tenth, is not below "
                          "drain.timeout, 35s: a drain cuts the calls of clients that stay "
                          "connected"));
  config.data.limits.max_connection_age = absl::ZeroDuration();
  EXPECT_THAT(Warnings(config), ElementsAre(HasSubstr("max_connection_age is 0, never: ")));
  config.data.limits.max_connection_age = absl::Seconds(31);
  EXPECT_THAT(Warnings(config), IsEmpty());
}

TEST(Warnings, WhenALimitComesBeforeItsWarning_SaysWhoseAndWhatThatMeans) {
  HostConfig config = GoodConfig();
  config.components = {Component("good"), Component("odd")};
  config.components[1].stall_warning = absl::Seconds(61);
  EXPECT_THAT(
      Warnings(config),
      ElementsAre(
          "components[odd].stall_warning: stall_warning, 1m1s, is above stall_limit, 1m: it "
          "fails liveness before anybody is warned"));
  config.components[1].stall_warning = absl::Seconds(60);
  EXPECT_THAT(Warnings(config), IsEmpty());
}

// Sets variables of the environment, and puts back what was there.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (const char* before = getenv(name)) before_ = before;
    setenv(name, value.c_str(), 1);
  }
  ~Variable() {
    if (before_.has_value()) {
      setenv(name_, before_->c_str(), 1);
    } else {
      unsetenv(name_);
    }
  }

 private:
  const char* const name_;
  std::optional<std::string> before_;
};

class RunDirectoryTest : public ::testing::Test {
 protected:
  testing::TemporaryDirectory directory_;
  std::string path_;
};

TEST_F(RunDirectoryTest, WhenSystemdGivesOne_MakesItForTheUserAlone) {
  Variable variable("RUNTIME_DIRECTORY", directory_.File("run"));
  ASSERT_TRUE(MakeRunDirectory(path_).ok());
  EXPECT_EQ(directory_.File("run"), path_);
  struct stat made;
  ASSERT_EQ(0, stat(path_.c_str(), &made));
  EXPECT_EQ(0700u, made.st_mode & 07777);
  EXPECT_TRUE(MakeRunDirectory(path_).ok()) << "it may be there already";
}

TEST_F(RunDirectoryTest, WhenSystemdGivesSeveral_TakesTheFirst) {
  Variable variable("RUNTIME_DIRECTORY", directory_.File("one") + ":" + directory_.File("two"));
  ASSERT_TRUE(MakeRunDirectory(path_).ok());
  EXPECT_EQ(directory_.File("one"), path_);
}

TEST_F(RunDirectoryTest, WhenOnlyTheUserHasOne_IsInThere) {
  Variable systemd("RUNTIME_DIRECTORY", "");
  Variable user("XDG_RUNTIME_DIR", directory_.path());
  ASSERT_TRUE(MakeRunDirectory(path_).ok());
  EXPECT_EQ(directory_.File("mainspring"), path_);
}

TEST_F(RunDirectoryTest, WhenItCannotBeMade_SaysWhy) {
  Variable variable("RUNTIME_DIRECTORY", directory_.File("none/run"));
  const absl::Status status = MakeRunDirectory(path_);
  EXPECT_EQ(absl::StatusCode::kUnavailable, status.code());
  EXPECT_EQ("run directory " + directory_.File("none/run") + ": No such file or directory",
            status.message());
}

TEST_F(RunDirectoryTest, WhenOthersMayWriteThere_Refuses) {
  Variable variable("RUNTIME_DIRECTORY", directory_.File("run"));
  ASSERT_TRUE(MakeRunDirectory(path_).ok());
  for (const mode_t mode : {0777, 0702, 0720, 01777}) {
    ASSERT_EQ(0, chmod(path_.c_str(), mode));
    const absl::Status status = MakeRunDirectory(path_);
    EXPECT_EQ(absl::StatusCode::kUnavailable, status.code());
    EXPECT_EQ(absl::StrCat("run directory ", path_, ": others may write there, mode ",
                           absl::StrFormat("%04o", mode), "; chmod go-w it"),
              status.message());
  }
  ASSERT_EQ(0, chmod(path_.c_str(), 0755));
  EXPECT_TRUE(MakeRunDirectory(path_).ok()) << "as systemd makes it";
}

TEST_F(RunDirectoryTest, WhenAFileOrALinkStandsThere_Refuses) {
  std::ofstream(directory_.File("file")) << "x";
  std::filesystem::create_symlink(directory_.path(), directory_.File("link"));
  for (const char* name : {"file", "link"}) {
    Variable variable("RUNTIME_DIRECTORY", directory_.File(name));
    const absl::Status status = MakeRunDirectory(path_);
    EXPECT_EQ(absl::StatusCode::kUnavailable, status.code()) << name;
    EXPECT_THAT(std::string(status.message()), HasSubstr("is not a directory of this user's"));
  }
}

}  // namespace
}  // namespace mainspring
