#include "mainspring/server/lifecycle/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/components/mainspring/fakes.h"
#include "tests/server/hooked_component.h"

namespace mainspring {
namespace {

namespace proto = lifecycle::v1;

proto::Component Sized(size_t bytes) {
  proto::Component component;
  component.set_reason(std::string(bytes, 'x'));
  return component;
}

TEST(Page, WhenSoManyAreGiven_HasRoomForSoMany) {
  Page page(2);
  EXPECT_TRUE(page.Takes(Sized(1)));
  EXPECT_TRUE(page.Takes(Sized(1)));
  EXPECT_FALSE(page.Takes(Sized(1)));
}

TEST(Page, WhenNoNumberIsGiven_HasRoomForTwoMebibytes) {
  Page page(0);
  size_t taken = 0;
  while (page.Takes(Sized(2000))) ++taken;
  EXPECT_EQ(Page::kMostBytes / 2011, taken);
}

TEST(Page, WhenOneIsLargerThanAPage_HasRoomForItAlone) {
  Page page(0);
  EXPECT_TRUE(page.Takes(Sized(2 * Page::kMostBytes)));
  EXPECT_FALSE(page.Takes(Sized(1)));
}

class FirstOfPageTest : public ::testing::Test {
 protected:
  FirstOfPageTest() {
    for (const char* name : {"a", "b/c", "\xc3\xa4"}) {
      ComponentConfig config;
      config.name = name;
      table_.Add(config, {"x.v1.X"},
                 std::make_shared<Mailbox<trial::v1::TrialRequest>>(name, config.mailbox, time_));
    }
  }
  absl::StatusOr<size_t> First(const std::string& token, int size = 0) {
    proto::ListComponentsRequest request;
    request.set_page_token(token);
    request.set_page_size(size);
    return FirstOfPage(request, table_);
  }

  testing::ManualTime time_;
  ComponentTable table_{time_};
};

TEST_F(FirstOfPageTest, ForEachToken_IsTheComponentThatItWasMadeFor) {
  EXPECT_EQ(0u, *First(""));
  for (size_t i = 0; i < table_.size(); ++i) {
    const std::string token = TokenOfPage(table_.name(i));
    EXPECT_EQ(i, *First(token)) << token;
    EXPECT_EQ(std::string::npos, token.find(table_.name(i))) << "nobody is to take it apart";
  }
}

TEST_F(FirstOfPageTest, WhenTheTokenOrTheSizeIsOdd_IsRefused) {
  for (const std::string& token : {TokenOfPage("gone"), std::string("a"), std::string("%"),
                                   std::string("YQ"), std::string(5000, 'x')}) {
    EXPECT_EQ(absl::StatusCode::kInvalidArgument, First(token).status().code()) << token;
  }
  EXPECT_EQ(absl::StatusCode::kInvalidArgument, First("", -1).status().code());
}

}  // namespace
}  // namespace mainspring
