#include "server/rpc/room_for_grpc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <string>

#include "tests/server/process_view.h"

namespace mainspring::rpc {
namespace {

using ::testing::HasSubstr;

TEST(RoomForGrpc, WhenThereIsRoom_GivesItBack) {
  const size_t descriptors = testing::CountDescriptors();
  EXPECT_TRUE(RoomForGrpc().ok());
  EXPECT_EQ(descriptors, testing::CountDescriptors());
  EXPECT_EQ(0u, testing::ThreadNames().count("room"));
}

TEST(RoomForGrpc, WhenDescriptorsAreShort_SaysHowManyAndWhatToDo) {
  rlimit before;
  getrlimit(RLIMIT_NOFILE, &before);
  const rlimit few = {testing::CountDescriptors() + 4, before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &few);
  const absl::Status room = RoomForGrpc();
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(absl::StatusCode::kResourceExhausted, room.code());
  EXPECT_THAT(std::string(room.message()), HasSubstr("descriptors"));
  EXPECT_THAT(std::string(room.message()), HasSubstr("ulimit -n"));
}

}  // namespace
}  // namespace mainspring::rpc
