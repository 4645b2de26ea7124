#include "tests/cookbook/scanner.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <thread>

#include "mainspring/testing.h"

namespace cookbook {
namespace {

TEST(Scanner, WhenACodeIsScannedOnAnotherThread_AnswersWhoWaitsForIt) {
  std::function<void(std::string)> on_code;
  mainspring::testing::Stage stage;
  stage.Add<Scanner>("scanner", Subscribe([&](auto given) { on_code = std::move(given); }));
  ASSERT_TRUE(stage.Start().ok());
  auto next = stage.Ref<v1::ScannerRef>("scanner").NextCode({});
  stage.Settle();
  std::thread([&] { on_code("4711"); }).join();
  EXPECT_EQ(stage.Await(std::move(next))->code(), "4711");
}

TEST(Scanner, WhenTheInstanceHasGone_ACodeIsLost) {
  std::function<void(std::string)> on_code;
  mainspring::testing::Stage stage;
  stage.Add<Scanner>("scanner", Subscribe([&](auto given) { on_code = std::move(given); }));
  ASSERT_TRUE(stage.Start().ok());
  const auto of_the_first = on_code;
  stage.Crash("scanner");
  ASSERT_TRUE(stage.Restart("scanner").ok());
  auto next = stage.Ref<v1::ScannerRef>("scanner").NextCode({});
  stage.Settle();
  std::thread([&] { of_the_first("4711"); }).join();
  stage.Settle();
  std::thread([&] { on_code("4712"); }).join();
  EXPECT_EQ(stage.Await(std::move(next))->code(), "4712");
}

}  // namespace
}  // namespace cookbook
