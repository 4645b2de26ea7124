#include "tests/cookbook/sensor.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "mainspring/testing.h"

namespace cookbook {
namespace {

TEST(Sensor, WhenDatagramsCome_GetReadingTellsTheLast) {
  std::array<int, 2> sockets;
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, sockets.data()), 0);
  {
    mainspring::testing::Stage stage;
    stage.Add<Sensor>("sensor", sockets[0]);
    ASSERT_TRUE(stage.Start().ok());
    ASSERT_EQ(send(sockets[1], "20.5", 4, 0), 4);
    ASSERT_EQ(send(sockets[1], "21", 2, 0), 2);
    stage.Settle();
    const auto reading = stage.Await(stage.Ref<v1::SensorRef>("sensor").GetReading({}));
    EXPECT_EQ(reading->text(), "21");
    EXPECT_EQ(reading->readings(), 2);
  }
  for (const int socket : sockets) close(socket);
}

}  // namespace
}  // namespace cookbook
