#include "mainspring/server/config/redaction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "google/protobuf/util/message_differencer.h"
#include "mainspring/from_text.h"
#include "sample.pb.h"

namespace mainspring {
namespace {

using google::protobuf::util::MessageDifferencer;
using sample::v1::Sample;
using testing::FromText;

TEST(Redaction, Redact_TakesSecretsOutWhereverTheyAre) {
  Sample sample = FromText(
      "password: 'a' pin: 1234 text: 'b' inner { password: 'c' } inners { pin: 5 text: 'd' }");
  const Sample inside = FromText("password: 'e'");
  sample.mutable_any()->PackFrom(inside);
  Redact(sample);
  const Sample expected = FromText(
      "password: '<redacted>' text: 'b' inner { password: '<redacted>' } inners { text: 'd' }");
  Sample shown = sample;
  shown.clear_any();
  EXPECT_TRUE(MessageDifferencer::Equals(shown, expected)) << shown.DebugString();
  Sample in_any;
  ASSERT_TRUE(sample.any().UnpackTo(&in_any));
  EXPECT_EQ(in_any.password(), kRedacted);
}

TEST(Redaction, Unredact_PutsBackWhatCameBackAsItWasShown) {
  const Sample before = FromText("password: 'a' inner { password: 'c' } text: 'old'");
  Sample sent = before;
  Redact(sent);
  sent.set_text("new");
  Unredact(before, sent);
  EXPECT_EQ(sent.password(), "a");
  EXPECT_EQ(sent.inner().password(), "c");
  sent.set_password("other");
  EXPECT_TRUE(Unredact(before, sent));
  EXPECT_EQ(sent.password(), "other");
}

TEST(Redaction, Unredact_OfListsAndOfWhatIsNoText_PutsBackWhatIsKnown) {
  const Sample before =
      FromText("pin: 1234 secrets { name: 'a' key: 'x' } secrets { name: 'b' key: 'y' }");
  Sample sent = before;
  Redact(sent);
  EXPECT_EQ(sent.pin(), 0);
  EXPECT_EQ(sent.secrets(1).key(), kRedacted);
  EXPECT_TRUE(Unredact(before, sent));
  EXPECT_TRUE(MessageDifferencer::Equals(sent, before)) << sent.DebugString();
  // By their names, wherever they stand.
  Redact(sent);
  sent.mutable_secrets()->SwapElements(0, 1);
  EXPECT_TRUE(Unredact(before, sent));
  EXPECT_EQ(sent.secrets(0).key(), "y");
  EXPECT_EQ(sent.secrets(1).key(), "x");
  Redact(sent);
  sent.mutable_secrets()->RemoveLast();
  EXPECT_TRUE(Unredact(before, sent));
  EXPECT_EQ(sent.secrets(0).key(), "y");
  Redact(sent);
  sent.mutable_secrets(0)->set_name("c");
  EXPECT_FALSE(Unredact(before, sent)) << "whose it is is not known";
}

TEST(Redaction, SecretsOf_TellsAllThatAreTexts) {
  const Sample sample =
      FromText("password: 'a' text: 'open' inner { password: 'c' } pin: 1 secrets { key: 'x' }");
  EXPECT_THAT(SecretsOf(sample), ::testing::UnorderedElementsAre("a", "c", "x"));
}

}  // namespace
}  // namespace mainspring
