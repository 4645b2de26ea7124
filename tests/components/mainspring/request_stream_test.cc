#include "mainspring/request_stream.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "tests/components/mainspring/fakes.h"

namespace mainspring::testing {
namespace {

// Gives the reader one message for each read, then the end.
struct Source final : StreamSource<std::string> {
  void Read(ReadCallback<std::string> callback) override {
    callback(reads++ == 0 ? std::optional<std::string>("hello") : std::nullopt);
  }
  void Release() override { ++releases; }
  int reads = 0;
  int releases = 0;
};

TEST(RequestStream, Read_GivesEachMessageAndThenTheEnd) {
  Source source;
  RequestStream<std::string> requests(&source);
  std::optional<std::string> got;
  requests.Read([&](std::optional<std::string> message) { got = std::move(message); });
  EXPECT_EQ(got, "hello");
  requests.Read([&](std::optional<std::string> message) { got = std::move(message); });
  EXPECT_EQ(got, std::nullopt);
}

TEST(RequestStream, Destroyed_ReleasesItsSourceOnce) {
  Source source;
  {
    RequestStream<std::string> first(&source);
    RequestStream<std::string> second(std::move(first));
    EXPECT_EQ(source.releases, 0);
  }
  EXPECT_EQ(source.releases, 1);
}

TEST(RequestStream, MoveAssigned_ReleasesTheOneThatIsOverwritten) {
  Source overwritten, kept;
  {
    RequestStream<std::string> requests(&overwritten);
    requests = RequestStream<std::string>(&kept);
    EXPECT_EQ(overwritten.releases, 1);
    RequestStream<std::string>& itself = requests;
    requests = std::move(itself);
    EXPECT_EQ(kept.releases, 0);
  }
  EXPECT_EQ(overwritten.releases, 1);
  EXPECT_EQ(kept.releases, 1);
}

TEST(RequestStream, ByDefault_HasNothingToRelease) {
  RequestStream<std::string> requests;
  requests = RequestStream<std::string>();
  EXPECT_FALSE(std::is_copy_constructible_v<RequestStream<std::string>>);
}

TEST(RequestStream, Read_OfOneAtItsEnd_CallsBackLaterWithNothing) {
  const auto lane = std::make_shared<CallbackLane>();
  const ReturnAddress address(lane, 1);
  ReturnAddressScope scope(address);
  Source source;
  RequestStream<std::string> by_default;
  RequestStream<std::string> moved(&source);
  const RequestStream<std::string> owner(std::move(moved));
  int ends = 0;
  for (RequestStream<std::string>* requests : {&by_default, &moved}) {
    requests->Read(
        [&](std::optional<std::string> message) { ends += message.has_value() ? 0 : 1; });
  }
  EXPECT_EQ(ends, 0);
  lane->RunAll();
  EXPECT_EQ(ends, 2);
  EXPECT_EQ(source.reads, 0);
}

}  // namespace
}  // namespace mainspring::testing
