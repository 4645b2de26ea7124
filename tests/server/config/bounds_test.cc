#include "mainspring/server/config/bounds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "mainspring/from_text.h"
#include "sample.pb.h"

namespace mainspring {
namespace {

using sample::v1::Item;
using sample::v1::Sample;
using testing::FromText;

std::string Told(const Sample& sample) {
  Problems problems;
  CheckBounds(sample, "", problems);
  return std::string(problems.status().message());
}

TEST(Bounds, CheckBounds_OfWhatIsWithin_AddsNothing) {
  EXPECT_EQ(Told(FromText("small: -5 size: 1048576 ratio: 0.5 time { seconds: 1 } numbers: 0")),
            "");
  EXPECT_EQ(Told(Sample()), "") << "what is not given is not held against bounds";
}

TEST(Bounds, CheckBounds_OfWhatIsBeyond_TellsValueAndBound) {
  EXPECT_EQ(Told(FromText("small: 6 size: 1048577 ratio: 1 time { seconds: 0 nanos: 5 }")),
            "small: 6 is more than 5; size: 1048577B is more than 1MiB; ratio: 1 is not less than "
            "1; time: 5ns is less than 1s");
  EXPECT_EQ(Told(FromText("ratio: -1 time { seconds: 315576000000 }")),
            "ratio: -1 is not more than 0; time: inf is not a time that can be waited for");
}

TEST(Bounds, CheckBounds_LooksIntoListsMessagesAndAny) {
  Sample sample = FromText(
      "inner { inner { small: 7 } } numbers: 1 numbers: -1 items { name: 'a' value: -2 } "
      "items { name: 'a' value: -2 }");
  Item item = FromText("value: -3");
  sample.mutable_any()->PackFrom(item);
  EXPECT_EQ(Told(sample),
            "inner.inner.small: 7 is more than 5; numbers[1]: -1 is less than 0; items[a].value: "
            "-2 is less than 1; items[1].value: -2 is less than 1; any.value: -3 is less than 1");
}

TEST(Bounds, CheckBounds_OfNoNumber_IsBeyondAnyBound) {
  EXPECT_EQ(Told(FromText("ratio: nan")), "ratio: nan is not more than 0");
}

TEST(Bounds, CheckBounds_OfASecret_DoesNotTellIt) {
  EXPECT_EQ(Told(FromText("pin: 123")), "pin: its value is less than 1000");
}

TEST(Bounds, Unpack_OfWhatTheProgramDoesNotHave_IsNothing) {
  google::protobuf::Any any;
  EXPECT_EQ(Unpack(any), nullptr);
  any.set_type_url("type.googleapis.com/no.such.Message");
  EXPECT_EQ(Unpack(any), nullptr);
  any.set_type_url("type.googleapis.com/mainspring.sample.v1.Item");
  any.set_value("\xFF\xFF");
  EXPECT_EQ(Unpack(any), nullptr);
}

}  // namespace
}  // namespace mainspring
