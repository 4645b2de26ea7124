#include "mainspring/server/rpc/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace mainspring::rpc {
namespace {

using ::testing::HasSubstr;

Address Parsed(const std::string& text) {
  absl::StatusOr<Address> address = Address::Parse(text);
  EXPECT_TRUE(address.ok()) << address.status();
  return address.value_or(Address());
}

TEST(Address, OfTcp_HasHostAndPort) {
  const Address address = Parsed("127.0.0.1:50051");
  EXPECT_EQ("127.0.0.1", address.host);
  EXPECT_EQ(50051, address.port);
  EXPECT_FALSE(address.IsUnix());
  EXPECT_EQ("127.0.0.1:50051", address.ToString());
}

TEST(Address, OfAUnixSocket_HasAPath) {
  const Address address = Parsed("unix:/run/x.sock");
  EXPECT_EQ("/run/x.sock", address.path);
  EXPECT_TRUE(address.IsUnix());
  EXPECT_FALSE(address.IsRelative());
  EXPECT_TRUE(Parsed("unix:x.sock").IsRelative());
  EXPECT_EQ("unix:x.sock", Parsed("unix:x.sock").ToString());
}

TEST(Address, OfEachKind_IsWrittenAsItIsRead) {
  for (const char* text : {"localhost:0", "example.com:65535", "0.0.0.0:1", "*:50051", "[::]:50051",
                           "[::1]:0", "[fe80::1%eth0]:80", "my_host-1:7", "unix:/a b/c:1,d"}) {
    EXPECT_EQ(text, Parsed(text).ToString());
    EXPECT_EQ(Parsed(text), Parsed(Parsed(text).ToString()));
  }
}

TEST(Address, HoweverItIsSpelled_IsTheSame) {
  EXPECT_EQ(Parsed("[::1]:5"), Parsed("[0:0:0:0:0:0:0:1]:5"));
  EXPECT_EQ(Parsed("[fe80::a]:5"), Parsed("[FE80::A]:5"));
  EXPECT_EQ(Parsed("localhost:5"), Parsed("LocalHost:5"));
  EXPECT_EQ(Parsed("127.0.0.1:5"), Parsed("127.0.0.1:005"));
  EXPECT_NE(Parsed("127.0.0.1:5"), Parsed("127.0.0.1:6"));
  EXPECT_NE(Parsed("127.0.0.1:5"), Parsed("localhost:5"));
}

TEST(Address, WhenItIsNone_SaysWhyAndWhatToWrite) {
  const struct {
    const char* text;
    const char* why;
  } wrong[] = {{"", "no port"},
               {"50051", "no port"},
               {"127.0.0.1", "no port"},
               {":50051", "no host"},
               {"127.0.0.1:", "its port is no number from 0 to 65535"},
               {"127.0.0.1:http", "its port is no number"},
               {"127.0.0.1:65536", "its port is no number"},
               {"127.0.0.1:0000000001", "its port is no number"},
               {"127.0.0.1:-1", "its port is no number"},
               {"127.0.0.1:+0", "its port is no number"},
               {"127.0.0.1: 0", "its port is no number"},
               {"127.0.0.1:0 ", "its port is no number"},
               {" 127.0.0.1:0", "neither a name nor an address"},
               {"http://x:1", "begins with a scheme"},
               {"dns:///localhost:50051", "begins with a scheme"},
               {"127.0.0.1:/x", "its port is no number"},
               {"::1:50051", "an IPv6 address stands in brackets"},
               {"[::1:50051", "a bracket is not closed"},
               {"[::1]", "its port is no number"},
               {"[]:1", "no IPv6 address in the brackets"},
               {"[127.0.0.1]:1", "no IPv6 address in the brackets"},
               {"[::g]:1", "no IPv6 address in the brackets"},
               {"a/b:1", "neither a name nor an address"},
               {"unix:", "names no file"},
               {"unix:/run/", "names a folder"},
               {"unix:@name", "open to every user"},
               {"unix-abstract:name", "open to every user"}};
  for (const auto& [text, why] : wrong) {
    const absl::Status status = Address::Parse(text).status();
    EXPECT_EQ(absl::StatusCode::kInvalidArgument, status.code()) << text;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr(absl::StrCat("\"", text, "\" is not an address: ")));
    EXPECT_THAT(std::string(status.message()), HasSubstr(why)) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr("HOST:PORT"));
  }
}

TEST(Address, WhenOnlyThisMachineReachesIt_IsLocal) {
  for (const char* text : {"unix:/x", "127.0.0.1:1", "127.1.2.3:1", "[::1]:1", "localhost:1",
                           "LOCALHOST:1", "[::ffff:127.0.0.1]:1", "[0::1]:1"}) {
    EXPECT_TRUE(Parsed(text).IsLocal()) << text;
  }
  for (const char* text : {"0.0.0.0:1", "*:1", "[::]:1", "10.0.0.1:1", "example.com:1",
                           "127.example.com:1", "128.0.0.1:1", "localhost.example.com:1",
                           "127.0.0.1.2:1", "[::ffff:10.0.0.1]:1", "127.1:1"}) {
    EXPECT_FALSE(Parsed(text).IsLocal()) << text;
  }
}

TEST(Address, InAList_MayHaveBlanksAround) {
  const auto addresses = Address::ParseList("127.0.0.1:1, unix:/x ,\t[::1]:2");
  ASSERT_TRUE(addresses.ok()) << addresses.status();
  EXPECT_EQ((std::vector<Address>{Parsed("127.0.0.1:1"), Parsed("unix:/x"), Parsed("[::1]:2")}),
            *addresses);
  EXPECT_TRUE(Address::ParseList("")->empty());
  EXPECT_TRUE(Address::ParseList(" ")->empty());
}

TEST(Address, InAListWithNothingBetweenCommas_IsMissed) {
  for (const char* text : {",", "127.0.0.1:1,", ",127.0.0.1:1", "127.0.0.1:1,,127.0.0.1:2"}) {
    EXPECT_EQ("an address is missing before or after a comma",
              Address::ParseList(text).status().message())
        << text;
  }
  EXPECT_THAT(std::string(Address::ParseList("127.0.0.1:1,x").status().message()),
              HasSubstr("\"x\" is not an address"));
}

TEST(Address, OfAnyCharacters_IsWrittenAsItIsRead_OrRefusedReadably) {
  const std::string characters("[]:.*@/%-_ ,018afguinx\0\xE9", 24);
  std::mt19937 random(20'270'102);
  for (int i = 0; i < 50'000; ++i) {
    std::string text = random() % 3 == 0 ? "unix:" : "";
    for (size_t left = random() % 12; left > 0; --left) {
      text += characters[random() % characters.size()];
    }
    const absl::StatusOr<Address> address = Address::Parse(text);
    if (address.ok()) {
      EXPECT_EQ(*address, Parsed(address->ToString())) << text;
    } else {
      EXPECT_LE(address.status().message().size(), 1024u);
    }
  }
}

}  // namespace
}  // namespace mainspring::rpc
