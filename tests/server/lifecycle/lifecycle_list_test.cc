// ListComponents, page by page.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "mainspring/server/lifecycle/page.h"
#include "tests/server/lifecycle/stepped.h"

namespace mainspring {
namespace {

namespace proto = lifecycle::v1;
using lifecycle::v1::LifecycleCall;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ListTest : public testing::SteppedTest {
 protected:
  // The names of each page, "a b".
  std::vector<std::string> Pages(const std::string& request) {
    std::vector<std::string> pages;
    std::string token;
    do {
      auto record =
          Ask<LifecycleCall::ListComponents>(absl::StrCat(request, " page_token: '", token, "'"));
      EXPECT_TRUE(record->status().ok()) << record->status();
      const auto response = record->answer().value_or(proto::ListComponentsResponse());
      std::vector<std::string> names;
      for (const auto& each : response.components()) names.push_back(each.name());
      pages.push_back(absl::StrJoin(names, " "));
      token = response.next_page_token();
    } while (!token.empty() && pages.size() < 100);
    return pages;
  }
};

TEST_F(ListTest, WhenAPageSizeIsGiven_HasThemAllInOrderPageByPage) {
  for (const char* name : {"e", "d", "c", "b", "a"}) Add(name);
  ASSERT_TRUE(Start().ok());
  EXPECT_THAT(Pages(""), ElementsAre("e d c b a"));
  EXPECT_THAT(Pages("page_size: 2"), ElementsAre("e d", "c b", "a"));
  EXPECT_THAT(Pages("page_size: 5"), ElementsAre("e d c b a"));
  EXPECT_THAT(Pages("page_size: 2147483647"), ElementsAre("e d c b a"));
}

TEST_F(ListTest, WhenThereAreFilters_OnlyWhatTheyLetThroughIsCounted) {
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) {
    Add(name, {}, {},
        [&](ComponentConfig& config) { config.autostart = (name[0] - 'a') % 2 == 0; });
  }
  ASSERT_TRUE(Start().ok());
  EXPECT_THAT(Pages("states: RUNNING page_size: 2"), ElementsAre("a c", "e"));
  EXPECT_THAT(Pages("states: STOPPED page_size: 3"), ElementsAre("b d f"));
  EXPECT_THAT(Pages("states: FAILED page_size: 3"), ElementsAre(""));
}

TEST_F(ListTest, WhenThePageIsNotThere_IsRefused) {
  Add("one");
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(absl::StatusCode::kInvalidArgument,
            StatusOf<LifecycleCall::ListComponents>("page_token: 'x'").code());
  EXPECT_EQ(absl::StatusCode::kInvalidArgument,
            StatusOf<LifecycleCall::ListComponents>("page_size: -1").code());
}

TEST_F(ListTest, WhenAllHaveFailedWithLongTexts_EachPageIsSmallAndFailuresAreLeftToGet) {
  constexpr size_t kComponents = 3000;
  testing::Hooks hooks;
  hooks.start = [] { return absl::InternalError(std::string(900, 'x')); };
  for (size_t i = 0; i < kComponents; ++i) {
    Add(absl::StrCat("component", i), {}, hooks, [](ComponentConfig& config) {
      config.essential = false;
      config.restart.kind = RestartKind::kTemporary;
    });
  }
  ASSERT_TRUE(Start().ok());
  size_t listed = 0, pages = 0;
  std::string token;
  do {
    const auto response =
        *Ask<LifecycleCall::ListComponents>(absl::StrCat("page_token: '", token, "'"))->answer();
    EXPECT_LE(response.ByteSizeLong(), Page::kMostBytes + 1000);
    EXPECT_THAT(response.components(0).recent_failures(), IsEmpty());
    EXPECT_EQ(proto::Component::FAILED, response.components(0).state());
    EXPECT_FALSE(response.components(0).last_error().empty());
    listed += static_cast<size_t>(response.components_size());
    ++pages;
    token = response.next_page_token();
  } while (!token.empty());
  EXPECT_EQ(kComponents, listed);
  EXPECT_GT(pages, 1u);
  EXPECT_EQ(1, Ask<LifecycleCall::GetComponent>("name: 'component7'")
                   ->answer()
                   ->component()
                   .recent_failures_size());
}

}  // namespace
}  // namespace mainspring
