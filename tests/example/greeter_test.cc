#include "greeter.h"

#include <gtest/gtest.h>

#include "mainspring/testing.h"

TEST(Greeter, SayHello_CountsWhomItGreets) {
  mainspring::testing::Stage stage;
  const hello::v1::GreeterRef greeter = stage.Add<Greeter>("greeter");
  ASSERT_TRUE(stage.Start().ok());
  const hello::v1::SayHelloRequest ada = mainspring::testing::FromText("name: 'Ada'");
  EXPECT_EQ(stage.Await(greeter.SayHello(ada))->text(), "Hello, Ada!");
  EXPECT_EQ(stage.Await(greeter.SayHello(ada))->greeted(), 2);
}
