#include "mainspring/server/config/host_config_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "google/protobuf/util/message_differencer.h"
#include "mainspring/from_text.h"

namespace mainspring {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::util::MessageDifferencer;
using ::testing::ElementsAre;
using testing::FromText;
using ::testing::IsEmpty;

// Sets each field of the message to something that is nobody's default.
void SetAll(Message& message) {
  const auto& reflection = *message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* const field = message.GetDescriptor()->field(i);
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_BOOL:
        reflection.SetBool(&message, field, field->name() == "insecure");
        break;
      case FieldDescriptor::CPPTYPE_INT32:
        reflection.SetInt32(&message, field, 12345 + i);
        break;
      case FieldDescriptor::CPPTYPE_UINT64:
        reflection.SetUInt64(&message, field, 12345 + i);
        break;
      case FieldDescriptor::CPPTYPE_DOUBLE:
        reflection.SetDouble(&message, field, 0.0625);
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        reflection.SetEnumValue(&message, field, 2);
        break;
      case FieldDescriptor::CPPTYPE_STRING:
        if (field->is_repeated()) {
          reflection.AddString(&message, field, "a:1");
        } else {
          reflection.SetString(&message, field, "some");
        }
        break;
      default:
        if (field->message_type()->name() == "Any") break;
        if (field->message_type()->name() == "Duration") {
          google::protobuf::Duration time;
          time.set_seconds(1000 + i);
          reflection.MutableMessage(&message, field)->CopyFrom(time);
        } else if (field->is_repeated()) {
          SetAll(*reflection.AddMessage(&message, field));
        } else {
          SetAll(*reflection.MutableMessage(&message, field));
        }
    }
  }
}

TEST(HostConfigMessage, Apply_OfEachField_SetsWhatToMessageTells) {
  host::v1::HostConfig said;
  SetAll(said);
  HostConfig config;
  Apply(said, {}, config);
  const host::v1::HostConfig told = ToMessage(config);
  EXPECT_TRUE(MessageDifferencer::Equals(told, said))
      << "a field that host_config_message.cc does not know?\n"
      << told.DebugString() << "\nand not\n"
      << said.DebugString();
}

TEST(HostConfigMessage, Apply_OfLittle_LeavesTheRest) {
  HostConfig config;
  config.Add("clock").restart.max_failures = 7;
  config.data.addresses = {"a:1"};
  Apply(FromText("drain { timeout { seconds: 9 } } planes { data { limits { max_calls: 3 } } }"),
        {}, config);
  EXPECT_EQ(config.drain_timeout, absl::Seconds(9));
  EXPECT_EQ(config.lame_duck, HostConfig().lame_duck);
  EXPECT_EQ(config.data.limits.max_calls, 3u);
  EXPECT_THAT(config.data.addresses, ElementsAre("a:1"));
  EXPECT_EQ(config.components.size(), 1u);
}

TEST(HostConfigMessage, Apply_OfComponents_TakesTheFirstOfTheirTypeAsDefault) {
  HostConfig config;
  config.Add("clock").restart.max_failures = 7;
  config.components[0].depends_on = {{"store"}};
  Apply(FromText("components { name: 'clock' } components { name: 'b' type: 'clock' "
                 "depends_on { component: 'clock' } depends_on { component: 'x' hard: false } } "
                 "components { name: 'c' type: 'other' }"),
        {}, config);
  ASSERT_EQ(config.components.size(), 3u);
  EXPECT_EQ(config.components[0].type, "clock");
  EXPECT_EQ(config.components[0].depends_on[0].component, "store");
  EXPECT_EQ(config.components[1].restart.max_failures, 7);
  EXPECT_TRUE(config.components[1].depends_on[0].hard);
  EXPECT_FALSE(config.components[1].depends_on[1].hard);
  EXPECT_EQ(config.components[2].restart.max_failures, 5);
}

TEST(HostConfigMessage, Apply_OfEmptyListsThatWereSaid_EmptiesThem) {
  HostConfig config;
  config.Add("clock").depends_on = {{"store"}};
  config.admin.addresses = {"a:1"};
  const host::v1::HostConfig said = FromText("components { name: 'clock' }");
  Apply(said, {{"planes.admin.addresses", {1, 1}}, {"components[clock].depends_on", {2, 1}}},
        config);
  EXPECT_THAT(config.admin.addresses, IsEmpty());
  EXPECT_THAT(config.components[0].depends_on, IsEmpty());
  Apply(host::v1::HostConfig(), {{"components", {1, 1}}}, config);
  EXPECT_THAT(config.components, IsEmpty());
}

}  // namespace
}  // namespace mainspring
