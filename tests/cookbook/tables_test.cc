#include "tests/cookbook/tables.h"

#include <gtest/gtest.h>

#include <optional>

#include "mainspring/testing.h"

namespace cookbook {
namespace {

TEST(Tables, WhenNoneIsFree_SitWaitsUntilSomebodyLeaves) {
  mainspring::testing::Stage stage;
  stage.Add<Tables>("tables");
  ASSERT_TRUE(stage.Start().ok());
  const auto tables = stage.Ref<v1::TablesRef>("tables");
  EXPECT_TRUE(stage.Await(tables.Sit({})).ok());
  std::optional second = tables.Sit({});
  auto third = tables.Sit({});
  stage.Settle();
  second.reset();  // has waited long enough
  EXPECT_TRUE(stage.Await(tables.Leave({})).ok());
  EXPECT_TRUE(stage.Await(std::move(third)).ok());
  EXPECT_TRUE(stage.misuses("tables").empty());
}

TEST(Tables, WhenNobodyLeaves_SitIsNotAnswered) {
  mainspring::testing::Stage stage;
  stage.Add<Tables>("tables");
  ASSERT_TRUE(stage.Start().ok());
  const auto tables = stage.Ref<v1::TablesRef>("tables");
  EXPECT_TRUE(stage.Await(tables.Sit({})).ok());
  EXPECT_EQ(stage.Await(tables.Sit({})).status().code(), absl::StatusCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace cookbook
