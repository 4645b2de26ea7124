#include "mainspring/blocking.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/components/mainspring/fakes.h"

namespace mainspring::testing {
namespace {

// Keeps work until it is told to do it, or is full.
class Kept final : public Blocking {
 public:
  absl::Status Run(Work work) override {
    if (full) return absl::ResourceExhaustedError("full");
    works.push_back(std::move(work));
    return absl::OkStatus();
  }
  bool full = false;
  std::vector<Work> works;
};

template <class Function>
auto ResultOf(Function function) {
  return RunBlockingOn(Blocking::AtOnce(), std::move(function)).Await(kNoWait);
}

TEST(RunBlocking, OfEachKindOfResult_GivesIt) {
  EXPECT_EQ(*ResultOf([] { return 7; }), 7);
  EXPECT_EQ(*ResultOf([] { return absl::StatusOr<std::string>("x"); }), "x");
  EXPECT_EQ(ResultOf([] { return absl::StatusOr<int>(absl::NotFoundError("no")); }).status(),
            absl::NotFoundError("no"));
  EXPECT_TRUE(ResultOf([] {}).ok());
  EXPECT_TRUE(ResultOf([] { return absl::OkStatus(); }).ok());
  EXPECT_EQ(ResultOf([] { return absl::DataLossError("x"); }).status(), absl::DataLossError("x"));
  EXPECT_EQ(*ResultOf([p = std::make_unique<int>(3)] { return *p; }), 3);
}

TEST(RunBlocking, WithArguments_GivesThemAsAThreadWould) {
  struct Shelf {
    int Count(const std::string& item) const { return item == "apples" ? 3 : 0; }
  };
  Blocking& at_once = Blocking::AtOnce();
  const auto shelf = std::make_shared<Shelf>();
  EXPECT_EQ(*RunBlockingOn(at_once, &Shelf::Count, shelf, std::string("apples")).Await(kNoWait), 3);
  EXPECT_EQ(*RunBlockingOn(
                 at_once, [](std::unique_ptr<int> p) { return *p; }, std::make_unique<int>(4))
                 .Await(kNoWait),
            4);
}

TEST(RunBlocking, OfWhatThrows_IsInternal) {
  EXPECT_EQ(ResultOf([]() -> int { throw std::runtime_error("no disk"); }).status(),
            absl::InternalError("blocking work: no disk"));
  EXPECT_EQ(ResultOf([]() -> int { throw 7; }).status().code(), absl::StatusCode::kInternal);
}

TEST(RunBlocking, WhereThereIsNoRoom_SaysSo) {
  Kept kept;
  kept.full = true;
  EXPECT_EQ(RunBlockingOn(kept, [] { return 1; }).Await(kNoWait).status(),
            absl::ResourceExhaustedError("full"));
}

TEST(RunBlocking, WhereNobodyWaitsAnyMore_IsLeftOut) {
  Kept kept;
  bool done = false;
  (void)RunBlockingOn(kept, [&] { done = true; });
  kept.works.front()();
  EXPECT_FALSE(done);
}

TEST(RunBlocking, ThatIsDropped_IsAnswered) {
  Kept kept;
  Answer<int> answer = RunBlockingOn(kept, [] { return 1; });
  kept.works.clear();
  EXPECT_EQ(answer.Await(kNoWait).status().code(), absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace mainspring::testing
