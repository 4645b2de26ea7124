#include "mainspring/server/observe/protobuf_log.h"

#include <gmock/gmock.h>
#include <google/protobuf/struct.pb.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "tests/server/observe/captured_log.h"

namespace mainspring {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST(ProtobufLog, WhenClientsSendWhatIsNoUtf8_LogsAFewEventsOfIt) {
  const auto lines = testing::LinesLogged(LogFormat::kText, [](EventLog& log) {
    SendProtobufLogTo(log);
    for (int i = 0; i < 1000; ++i) {
      google::protobuf::Value value;
      // Field 3, string_value, of two bytes that are no UTF-8.
      value.ParseFromString("\x1a\x02\xff\xfe");
    }
    SendProtobufLogTo(EventLog::Silent());
  });
  EXPECT_THAT(lines, SizeIs(LineLimit::kLines));
  EXPECT_THAT(lines, Each(AllOf(HasSubstr("event=protobuf"), HasSubstr("UTF-8"))));
}

}  // namespace
}  // namespace mainspring
