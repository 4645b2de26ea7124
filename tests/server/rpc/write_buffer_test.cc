#include "mainspring/server/rpc/write_buffer.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mainspring/trial/v1/trial.pb.h"

namespace mainspring::rpc {
namespace {

using trial::v1::FloodResponse;

Payload Numbered(int number, size_t bytes = 0) {
  FloodResponse message;
  message.set_number(number);
  message.set_filling(std::string(bytes, 'x'));
  return *Payload::Of(message);
}

int NumberIn(std::optional<Payload> payload) {
  FloodResponse message;
  return payload.has_value() && payload->ParseInto(message).ok() ? message.number() : -1;
}

// Keeps what is posted, for the test to run.
class KeptCallbacks final : public CallbackQueue {
 public:
  void Post(uint64_t, Callback callback) override { callbacks.push_back(std::move(callback)); }
  std::vector<Callback> callbacks;
};

class WriteBufferTest : public ::testing::Test {
 protected:
  void Fill() {
    for (size_t i = 0; i < kStreamBuffer; ++i) ASSERT_TRUE(Push(i));
  }
  bool Push(int number, size_t bytes = 0) {
    const bool has_room = buffer_.HasRoom();
    if (has_room) buffer_.Push(Numbered(number, bytes));
    return has_room;
  }

  WriteBuffer buffer_;
};

TEST_F(WriteBufferTest, WhenPopped_GivesMessagesInOrder) {
  EXPECT_TRUE(Push(1));
  EXPECT_TRUE(Push(2));
  EXPECT_EQ(1, NumberIn(buffer_.Pop()));
  EXPECT_EQ(2, NumberIn(buffer_.Pop()));
  EXPECT_FALSE(buffer_.Pop().has_value());
}

TEST_F(WriteBufferTest, WhenOneMessageIsLargerThanAllBytes_TakesItAndNoMore) {
  EXPECT_TRUE(Push(1, 2 * kStreamBufferBytes));
  EXPECT_FALSE(Push(2));
  EXPECT_TRUE(buffer_.Pop().has_value());
  EXPECT_TRUE(Push(2));
}

TEST_F(WriteBufferTest, WhenNobodyWasRefused_OwesNobodyRoom) {
  Fill();
  while (buffer_.Pop()) EXPECT_FALSE(buffer_.TakeRoom());
}

TEST_F(WriteBufferTest, WhenSomebodyWasRefused_HasRoomOnceItIsHalfEmpty) {
  Fill();
  ASSERT_FALSE(Push(99));
  size_t popped = 0;
  while (!buffer_.TakeRoom()) {
    ASSERT_TRUE(buffer_.Pop().has_value());
    ++popped;
  }
  EXPECT_EQ(kStreamBuffer / 2, popped);
  EXPECT_FALSE(buffer_.TakeRoom()) << "it is told once";
}

TEST_F(WriteBufferTest, WhenItsEndIsWaitedFor_CameToItOnceAllIsPopped) {
  Fill();
  ASSERT_FALSE(Push(99));
  buffer_.WantEnd();
  while (!buffer_.empty()) {
    EXPECT_FALSE(buffer_.TakeRoom()) << "who waits for the end does not come for half of it";
    EXPECT_FALSE(buffer_.TakeEnd());
    buffer_.Pop();
  }
  EXPECT_TRUE(buffer_.TakeEnd());
  EXPECT_FALSE(buffer_.TakeEnd()) << "it is told once";
  EXPECT_FALSE(buffer_.TakeRoom());
}

TEST_F(WriteBufferTest, WhenRoomIsWaitedForInPlaceOfTheEnd_HasIt) {
  Fill();
  buffer_.WantEnd();
  buffer_.WantRoom();
  while (buffer_.full() || !buffer_.TakeRoom()) ASSERT_TRUE(buffer_.Pop().has_value());
  EXPECT_FALSE(buffer_.empty());
}

TEST_F(WriteBufferTest, WhenCleared_IsEmptyInNumberAndBytes) {
  ASSERT_TRUE(Push(1, kStreamBufferBytes));
  buffer_.Clear();
  EXPECT_FALSE(buffer_.full());
  EXPECT_FALSE(buffer_.Pop().has_value());
}

TEST_F(WriteBufferTest, WhenReadyIsPosted_RunsTheLastCallbackOnce) {
  const auto queue = std::make_shared<KeptCallbacks>();
  int first = 0;
  int second = 0;
  const ReturnAddress address(queue, 0);
  ReturnAddressScope scope(address);
  buffer_.SetReady([&] { ++first; });
  buffer_.SetReady([&] { ++second; });
  buffer_.PostReady();
  buffer_.PostReady();
  ASSERT_EQ(1u, queue->callbacks.size());
  queue->callbacks.front()();
  EXPECT_EQ(0, first);
  EXPECT_EQ(1, second);
}

}  // namespace
}  // namespace mainspring::rpc
