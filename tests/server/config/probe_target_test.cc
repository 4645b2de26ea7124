#include "mainspring/server/config/probe_target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "mainspring/server/rpc/listener.h"

namespace mainspring {
namespace {

using ::testing::HasSubstr;

// "ADDRESS NAME".
std::string Parsed(const std::string& text) {
  const absl::StatusOr<ProbeTarget> target = ProbeTarget::Parse(text);
  return target.ok() ? target->address + " " + target->name : target.status().ToString();
}

TEST(ProbeTarget, WhenParsed_NamesWhatIsDialledAndWhatIsAskedFor) {
  EXPECT_EQ("localhost:50051 ", Parsed("localhost:50051"));
  EXPECT_EQ("localhost:50051 readiness", Parsed("localhost:50051/readiness"));
  EXPECT_EQ("[::1]:50051 x.v1.X", Parsed("[::1]:50051/x.v1.X"));
  EXPECT_EQ("localhost:50051 ", Parsed("*:50051")) << "every address is not one to dial";
}

TEST(ProbeTarget, WhenItIsAUnixSocket_ThePathEndsAtTheSocket) {
  const std::string path = ::testing::TempDir() + "probe_target.sock";
  const auto listener = rpc::Listener::Listen("unix:" + path).value();
  EXPECT_EQ("unix:" + path + " ", Parsed("unix:" + path));
  EXPECT_EQ("unix:" + path + " startup", Parsed("unix:" + path + "/startup"));
  EXPECT_EQ("unix:" + path + "/no/socket ", Parsed("unix:" + path + "/no/socket"));
}

TEST(ProbeTarget, WhenItIsNone_SaysHowToWriteOne) {
  for (const char* text : {"", "localhost", ":50051", "localhost:", "localhost:http", "/liveness",
                           "unix:", "unix:relative", "localhost:/liveness", "localhost:0"}) {
    const absl::StatusOr<ProbeTarget> target = ProbeTarget::Parse(text);
    EXPECT_EQ(absl::StatusCode::kInvalidArgument, target.status().code()) << text;
    EXPECT_THAT(std::string(target.status().message()), HasSubstr("HOST:PORT/NAME")) << text;
  }
}

}  // namespace
}  // namespace mainspring
