#include "mainspring/configurable.h"

#include <gmock/gmock.h>
#include <google/protobuf/wrappers.pb.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "mainspring/push_configure.h"
#include "mainspring/testing.h"
#include "tests/components/mainspring/hosting.h"
#include "tests/components/mainspring/speaker.h"

namespace mainspring::testing {
namespace {

using google::protobuf::Int32Value;
using google::protobuf::StringValue;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

StringValue Section(const std::string& text) {
  StringValue section;
  section.set_value(text);
  return section;
}

// Says the word that it is configured with. `log`: what is called on it, in order.
class Greeting final : public Component,
                       public Handler<SpeakerRequest>,
                       public Configurable<StringValue> {
 public:
  using Request = SpeakerRequest;
  Greeting(Context& context, std::vector<std::string>* log) : Component(context), log_(*log) {
    log_.push_back("constructed");
  }

  absl::Status Validate(const StringValue& config) override {
    log_.push_back("validate " + config.value());
    if (config.value() == "throw") throw std::runtime_error("thrown");
    if (config.value() == "bad") return absl::InvalidArgumentError("value: \"bad\" is bad");
    return absl::OkStatus();
  }
  void Apply(StringValue config) override {
    log_.push_back("apply " + config.value());
    if (config.value() == "explode") throw std::runtime_error("exploded");
    if (config.value() == "fail") context().Fail(absl::DataLossError("failed"));
    word_ = config.value();
  }
  absl::Status Start() override {
    log_.push_back("start " + word_);
    return absl::OkStatus();
  }
  void Handle(SpeakerRequest&& request) override {
    if (auto* say = std::get_if<SayCall>(&request)) say->reply.Send(Word{word_});
  }

 private:
  std::vector<std::string>& log_;
  std::string word_;
};

class ConfigurableTest : public ::testing::Test {
 protected:
  ConfigurableTest() { stage_.Add<Greeting>("greeting", &log_); }
  std::string Said() { return stage_.Await(stage_.Ref<SpeakerRef>("greeting").Say("?"))->text; }

  std::vector<std::string> log_;
  Stage stage_;
};

TEST_F(ConfigurableTest, Start_WithASection_GivesItFirst) {
  ASSERT_TRUE(stage_.Configure("greeting", Section("hi")).ok());
  ASSERT_TRUE(stage_.Start().ok());
  EXPECT_THAT(log_, ElementsAre("constructed", "validate hi", "apply hi", "start hi"));
  EXPECT_EQ(Said(), "hi");
}

TEST_F(ConfigurableTest, Start_WithoutASection_GivesOneInWhichNothingIsSet) {
  ASSERT_TRUE(stage_.Start().ok());
  EXPECT_THAT(log_, ElementsAre("constructed", "validate ", "apply ", "start "));
}

TEST_F(ConfigurableTest, Start_WithASectionThatIsRefused_FailsWithTheReason) {
  ASSERT_TRUE(stage_.Configure("greeting", Section("bad")).ok());
  EXPECT_EQ(stage_.Start(), absl::InvalidArgumentError("config: value: \"bad\" is bad"));
  EXPECT_THAT(log_, ElementsAre("constructed", "validate bad"));
  EXPECT_FALSE(stage_.is_up("greeting"));
}

TEST_F(ConfigurableTest, Start_WhereApplyFailsOrThrows_DoesNotServe) {
  stage_.Configure("greeting", Section("fail")).IgnoreError();
  EXPECT_EQ(stage_.Start(), absl::DataLossError("failed"));
  stage_.Configure("greeting", Section("explode")).IgnoreError();
  stage_.Start().IgnoreError();
  EXPECT_FALSE(stage_.is_up("greeting"));
  ASSERT_FALSE(stage_.failures("greeting").empty());
  EXPECT_EQ(stage_.failures("greeting").back().during, "Apply");
}

TEST_F(ConfigurableTest, Configure_WhileItServes_TakesEffectFromThenOn) {
  ASSERT_TRUE(stage_.Start().ok());
  EXPECT_TRUE(stage_.Configure("greeting", Section("new")).ok());
  EXPECT_EQ(Said(), "new");
  ASSERT_TRUE(stage_.Restart("greeting").ok());
  EXPECT_EQ(Said(), "new") << "the next instance has it too";
}

TEST_F(ConfigurableTest, Configure_WhereItIsRefused_ChangesNothing) {
  stage_.Configure("greeting", Section("old")).IgnoreError();
  ASSERT_TRUE(stage_.Start().ok());
  EXPECT_EQ(stage_.Configure("greeting", Section("bad")),
            absl::InvalidArgumentError("value: \"bad\" is bad"));
  EXPECT_EQ(stage_.Configure("greeting", Section("throw")),
            absl::InvalidArgumentError("Validate threw: thrown"));
  Int32Value other;
  EXPECT_EQ(stage_.Configure("greeting", other),
            absl::InvalidArgumentError("is a google.protobuf.Int32Value, and not a "
                                       "google.protobuf.StringValue"));
  EXPECT_EQ(Said(), "old");
  EXPECT_THAT(stage_.failures("greeting"), IsEmpty());
  ASSERT_TRUE(stage_.Restart("greeting").ok());
  EXPECT_EQ(Said(), "old");
}

TEST_F(ConfigurableTest, Configure_WhereApplyThrows_CostsTheInstance) {
  ASSERT_TRUE(stage_.Start().ok());
  EXPECT_EQ(stage_.Configure("greeting", Section("explode")).code(), absl::StatusCode::kAborted);
  EXPECT_FALSE(stage_.is_up("greeting"));
  EXPECT_EQ(stage_.failures("greeting").back().during, "Apply");
}

TEST_F(ConfigurableTest, Configure_OfOneThatTakesNone_SaysSo) {
  stage_.Script<Greeting>("plain");
  ASSERT_TRUE(stage_.Start().ok());
  EXPECT_EQ(stage_.Configure("plain", Section("x")).code(), absl::StatusCode::kFailedPrecondition);
}

TEST(ControlConfigure, ToLookOnly_DoesNotApply) {
  std::vector<std::string> log;
  Stepped<SpeakerRequest> host(
      [&](Context& context) { return std::make_unique<Greeting>(context, &log); });
  host.Start();
  log.clear();
  const auto section = std::make_shared<const StringValue>(Section("x"));
  const auto ask = [&](uint64_t generation, bool apply) {
    auto answer = PushConfigure(*host.mailbox, generation, section, apply);
    host.RunReady();
    return AnswerNow(std::move(answer)).status();
  };
  EXPECT_TRUE(ask(1, /*apply=*/false).ok());
  EXPECT_THAT(log, ElementsAre("validate x"));
  EXPECT_EQ(ask(7, /*apply=*/true).code(), absl::StatusCode::kUnavailable)
      << "it is for an instance that is not there";
  EXPECT_THAT(log, ElementsAre("validate x"));
}

}  // namespace
}  // namespace mainspring::testing
