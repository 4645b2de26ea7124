// CallOptions, and what a call has of the one on whose behalf it is made.
#include "mainspring/call_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "mainspring/caller_side.h"
#include "mainspring/local_call.h"
#include "tests/components/mainspring/fakes.h"
#include "tests/components/mainspring/speaker.h"

namespace mainspring::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

// A call that came from outside.
class Incoming final : public CallContext {
 public:
  explicit Incoming(SteadyTime deadline = kNever) {
    BeginCall(deadline, "/test.Speaker/Say", alice_);
  }

 private:
  struct Alice final : CallerSide {
    std::string Principal() const override { return "alice"; }
    std::vector<Metadatum> AllMetadata() const override {
      return {{"traceparent", "00-1"}, {"x-tenant", "a"}, {"x-tenant", "b"}, {"cookie", "secret"}};
    }
  };
  Alice alice_;
};

SharedPtr<LocalCall<Word>> CallOf(const CallOptions& options) {
  SharedPtr<LocalCall<Word>> call(new LocalCall<Word>(options));
  call->Unref();  // nobody answers
  return call;
}

TEST(CallOptions, From_HandsOnPrincipalTraceContextAndWhatIsForwarded) {
  const Incoming incoming;
  const absl::string_view forward[] = {"x-tenant", "x-none"};
  const auto call = CallOf({.from = incoming, .forward = forward});
  EXPECT_EQ(call->Principal(), "alice");
  EXPECT_EQ(call->TraceParent(), "00-1");
  EXPECT_THAT(call->MetadataValues("x-tenant"), ElementsAre("a", "b"));
  EXPECT_EQ(call->Metadata("cookie"), "");
}

TEST(CallOptions, From_HandsOnTheEarlierDeadline) {
  const SteadyTime now = std::chrono::steady_clock::now();
  const SteadyTime later = now + std::chrono::seconds(1);
  const Incoming incoming(now);
  EXPECT_EQ(CallOf({.from = incoming})->deadline(), now);
  EXPECT_EQ(CallOf({.deadline = later, .from = incoming})->deadline(), now);
  EXPECT_EQ(CallOf({.deadline = now - std::chrono::seconds(1), .from = incoming})->deadline(),
            now - std::chrono::seconds(1));
}

TEST(CallOptions, Metadata_GoesAlongWhereItCanBeSent) {
  const std::vector<Metadatum> metadata = {{"x-a", "1"}, {"X-B", "2"}, {"x-c-bin", "\xff"}};
  const auto call = CallOf({.metadata = metadata});
  EXPECT_THAT(call->AllMetadata(),
              UnorderedElementsAre(Metadatum("x-a", "1"), Metadatum("x-c-bin", "\xff")));
}

TEST(CallOptions, Metadata_ComesBeforeWhatIsHandedOn) {
  const Incoming incoming;
  const std::vector<Metadatum> metadata = {{"traceparent", "00-2"}};
  const absl::string_view forward[] = {"traceparent"};
  const auto call = CallOf({.from = incoming, .forward = forward, .metadata = metadata});
  EXPECT_THAT(call->MetadataValues("traceparent"), ElementsAre("00-2"));
}

TEST(CallFamily, WhenACallIsCancelled_IsCancelledWithIt) {
  Incoming incoming;
  const auto child = CallOf({.from = incoming});
  const auto grandchild = CallOf({.from = *child});
  EXPECT_FALSE(grandchild->cancelled());
  incoming.MarkCancelled();
  EXPECT_TRUE(child->cancelled());
  EXPECT_TRUE(grandchild->cancelled());
}

TEST(CallFamily, OfACallThatWasCancelledBefore_IsCancelledAtOnce) {
  Incoming incoming;
  incoming.MarkCancelled();
  EXPECT_TRUE(CallOf({.from = incoming})->cancelled());
}

TEST(CallFamily, WhenAMemberHasGone_IsCancelledWithoutIt) {
  Incoming incoming;
  (void)CallOf({.from = incoming});
  const auto other = CallOf({.from = incoming});
  incoming.MarkCancelled();
  EXPECT_TRUE(other->cancelled());
}

TEST(CallFamily, WhenTheCallHasGone_IsNotCancelledAnyMore) {
  auto incoming = std::make_unique<Incoming>();
  const auto child = CallOf({.from = *incoming});
  incoming.reset();
  EXPECT_FALSE(child->cancelled());
}

TEST(CallOptions, FromAnAnsweredCall_IsFromNone) {
  const auto call = CallOf({.from = CallContext::None()});
  EXPECT_FALSE(call->cancelled());
  EXPECT_EQ(call->deadline(), kNever);
}

}  // namespace
}  // namespace mainspring::testing
