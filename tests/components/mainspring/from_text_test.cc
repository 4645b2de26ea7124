#include "mainspring/from_text.h"

#include <google/protobuf/duration.pb.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace mainspring::testing {
namespace {

TEST(FromText, AsAnArgument_IsTheMessageThatIsAskedFor) {
  const auto seconds = [](google::protobuf::Duration duration) { return duration.seconds(); };
  EXPECT_EQ(seconds(FromText("seconds: 7 nanos: 8")), 7);
  EXPECT_EQ(google::protobuf::Duration(FromText("")).seconds(), 0);
}

TEST(FromText, ThatIsNoSuchMessage_SaysWhereAndWhy) {
  try {
    static_cast<void>(google::protobuf::Duration(FromText("seconds: 7\nnano: 8")));
    FAIL();
  } catch (const std::logic_error& error) {
    EXPECT_STREQ(error.what(),
                 "\"seconds: 7\nnano: 8\" is no google.protobuf.Duration: 2:5: Message type "
                 "\"google.protobuf.Duration\" has no field named \"nano\".");
  }
}

}  // namespace
}  // namespace mainspring::testing
