#include "mainspring/server/config/config_text.h"

#include <gtest/gtest.h>

#include <string>

#include "mainspring/from_text.h"
#include "sample.pb.h"

namespace mainspring {
namespace {

using google::protobuf::FieldDescriptor;
using sample::v1::Item;
using sample::v1::Sample;
using testing::FromText;

TEST(ConfigText, OfAMessage_HasItsFieldsAndRemarks) {
  const Item item = FromText("name: 'a' value: 7");
  Remarks remarks;
  remarks.above = [](const FieldDescriptor& field) {
    return std::vector<std::string>{"The " + field.name() + "."};
  };
  remarks.behind = [](const std::string& path) { return path == "value" ? "default" : ""; };
  EXPECT_EQ(ConfigText(item, remarks), "# The name.\nname: a\n# The value.\nvalue: 7  # default\n");
}

TEST(ConfigText, OfSecrets_ShowsNone) {
  const std::string text =
      ConfigText(FromText("password: 'hunter2' pin: 4711").operator Sample(), Remarks());
  EXPECT_NE(text.find("password: \"<redacted>\"\n"), std::string::npos) << text;
  EXPECT_NE(text.find("pin: \"<redacted>\"\n"), std::string::npos);
  EXPECT_EQ(text.find("hunter2"), std::string::npos);
  EXPECT_EQ(text.find("4711"), std::string::npos);
}

TEST(ConfigText, OfItems_BeginsEachWithADash) {
  Sample sample = FromText("items { name: 'a' value: 1 } items { value: 2 }");
  EXPECT_NE(ConfigText(sample, Remarks())
                .find("items:\n  - name: a\n    value: 1\n  - name: \"\"\n"
                      "    value: 2\n"),
            std::string::npos)
      << ConfigText(sample, Remarks());
}

TEST(ConfigText, OfAny_ShowsWhatIsInIt) {
  Sample sample;
  Item item = FromText("name: 'x'");
  sample.mutable_any()->PackFrom(item);
  EXPECT_NE(ConfigText(sample, Remarks()).find("any:\n  name: x\n"), std::string::npos);
}

TEST(ConfigText, WithAllFields_HasThoseWithoutAValueBehindAMark) {
  Remarks remarks;
  remarks.all_fields = true;
  const std::string text = ConfigText(Item(), remarks);
  EXPECT_EQ(text, "name: \"\"\nvalue: 0\n# fixed:\n");
}

}  // namespace
}  // namespace mainspring
