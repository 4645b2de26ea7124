#include "tests/cookbook/names.h"

#include <gtest/gtest.h>

#include <string>

#include "mainspring/testing.h"

namespace cookbook {
namespace {

absl::StatusOr<v1::ResolveResponse> Resolve(const std::string& host) {
  mainspring::testing::Stage stage;
  stage.Add<Names>("names");
  EXPECT_TRUE(stage.Start().ok());
  v1::ResolveRequest request;
  request.set_host(host);
  return stage.Await(stage.Ref<v1::NamesRef>("names").Resolve(request));
}

TEST(Names, WhenTheHostIsKnown_ResolveTellsItsAddress) {
  EXPECT_EQ(Resolve("127.0.0.1")->address(), "127.0.0.1");
}

TEST(Names, WhenItCanBeNoHost_ResolveIsNotFound) {
  EXPECT_EQ(Resolve(std::string(300, 'x')).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace cookbook
