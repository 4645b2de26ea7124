// ChainTest: four components that depend on each other, under a SteppedTest's supervision.
#ifndef MAINSPRING_TESTS_SERVER_LIFECYCLE_CHAIN_H_
#define MAINSPRING_TESTS_SERVER_LIFECYCLE_CHAIN_H_

#include <string>

#include "tests/server/lifecycle/stepped.h"

namespace mainspring::testing {

class ChainTest : public SteppedTest {
 protected:
  // web needs mail, mail needs store; web is told of cache.
  void StartChain() {
    Add("web", {"mail", "?cache"}, Noting("web"));
    Add("mail", {"store"}, Noting("mail"));
    Add("store", {}, Noting("store"));
    Add("cache", {}, Noting("cache"));
    ASSERT_TRUE(Start().ok());
    TakeNotes();
  }

  lifecycle::v1::Operation OperationOf(const std::string& request_id) {
    auto record =
        Ask<lifecycle::v1::LifecycleCall::GetOperation>("request_id: '" + request_id + "'");
    EXPECT_TRUE(record->status().ok()) << record->status();
    return record->answer().value_or(lifecycle::v1::GetOperationResponse()).operation();
  }
  template <class RecordOf>
  static std::string TextOf(const RecordOf& record) {
    return std::string(record->status().message());
  }
};

}  // namespace mainspring::testing

#endif  // MAINSPRING_TESTS_SERVER_LIFECYCLE_CHAIN_H_
