#include "mainspring/server/config/proto_comments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "mainspring/config/v1/setting.pb.h"
#include "mainspring/host/v1/host.pb.h"
#include "mainspring/server/config/config_text.h"
#include "mainspring/server/config/host_config_message.h"
#include "mainspring/server/config/host_flags.h"

namespace mainspring {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using ::testing::ElementsAre;

TEST(ProtoComments, HasTheCommentAboveEachField) {
  const auto comments = ProtoComments(
      "syntax = \"proto3\";\npackage p;\nmessage A {\n  // One,\n  // two.\n  int32 x = 1;\n"
      "  message B {\n    // Three.\n    string y = 2;\n  }\n  int32 bare = 3;\n}\n");
  EXPECT_EQ(comments.size(), 2u);
  EXPECT_THAT(comments.at("p.A.x"), ElementsAre("One,", "two."));
  EXPECT_THAT(comments.at("p.A.B.y"), ElementsAre("Three."));
}

// A message of another's field, as host.proto has them.
bool IsOurs(const FieldDescriptor& field) {
  return field.message_type() != nullptr &&
         field.message_type()->file()->package() == "mainspring.host.v1";
}

void ForEachField(const Descriptor& type, const auto& visit) {
  for (int i = 0; i < type.field_count(); ++i) {
    visit(*type.field(i));
    if (IsOurs(*type.field(i))) ForEachField(*type.field(i)->message_type(), visit);
  }
}

TEST(ProtoComments, OfEachFieldOfAHost_TellDefaultAndEffect) {
  const auto comments = ProtoComments(HostProto());
  int fields = 0;
  ForEachField(*host::v1::HostConfig::descriptor(), [&](const FieldDescriptor& field) {
    ++fields;
    ASSERT_EQ(comments.count(field.full_name()), 1u) << field.full_name() << " has no comment";
    if (IsOurs(field)) return;
    const std::string comment = absl::StrJoin(comments.at(field.full_name()), " ");
    EXPECT_TRUE(comment.find("Default: ") != std::string::npos ||
                comment.find("Always given.") != std::string::npos)
        << field.full_name() << ": " << comment;
    EXPECT_NE(field.options().GetExtension(config::v1::setting).effect(),
              config::v1::EFFECT_UNSPECIFIED)
        << field.full_name();
  });
  EXPECT_GT(fields, 80);
}

TEST(ProtoComments, OfEachFieldOfAHost_TellTheDefaultThatItHas) {
  HostConfig config;
  SetDefaults(config);
  config.lame_duck = HostConfig().lame_duck;  // not what a terminal makes of it
  config.Add("clock");
  const auto comments = ProtoComments(HostProto());
  Remarks remarks;
  std::string comment;
  remarks.above = [&](const FieldDescriptor& field) {
    const auto found = comments.find(field.full_name());
    return std::vector<std::string>{found == comments.end() || IsOurs(field) ||
                                            absl::StrJoin(found->second, " ").find("Default: ") ==
                                                std::string::npos
                                        ? ""
                                        : "= " + absl::StrJoin(found->second, " ")};
  };
  // Line by line: a comment, and the value of the first message of that type.
  for (absl::string_view line : absl::StrSplit(ConfigText(ToMessage(config), remarks), '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (absl::ConsumePrefix(&line, "# = ")) {
      comment = std::string(line);
    } else if (!absl::StartsWith(line, "#") && !comment.empty()) {
      const size_t colon = line.find(": ");
      std::string value(colon == absl::string_view::npos ? "" : line.substr(colon + 2));
      absl::StrReplaceAll({{"[", ""}, {"]", ""}}, &value);
      if (value == "1m") value = "60s";
      const bool is_name = absl::StartsWith(line, "type:");
      EXPECT_TRUE(is_name || value.empty() ||
                  comment.find("Default: " + value) != std::string::npos)
          << line << "  # " << comment;
      comment.clear();
    }
  }
}

}  // namespace
}  // namespace mainspring
