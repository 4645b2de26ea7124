#include "greeter.h"

#include <gtest/gtest.h>

#include "mainspring/testing.h"

TEST(Greeter, SayHello_CountsWhomItGreets) {
  mainspring::testing::Stage stage;
  stage.Add<Greeter>("greeter");
  ASSERT_TRUE(stage.Start().ok());
  const auto greeter = stage.Ref<hello::v1::GreeterRef>("greeter");
  hello::v1::SayHelloRequest request;
  request.set_name("Ada");
  EXPECT_EQ(stage.Await(greeter.SayHello(request))->text(), "Hello, Ada!");
  EXPECT_EQ(stage.Await(greeter.SayHello(request))->greeted(), 2);
}
