#include <deque>
#include <utility>

#include "cookbook/v1/cookbook.component.pb.h"

namespace cookbook {

// Guests wait for a table in the order in which they came.
class Tables final : public v1::TablesComponent {
 public:
  using TablesComponent::TablesComponent;

  void Sit(v1::SitRequest, mainspring::Reply<v1::SitResponse> reply) override {
    waiting_.push_back(std::move(reply));  // the call is open for as long as this is kept
    Seat();
  }

  void Leave(v1::LeaveRequest, mainspring::Reply<v1::LeaveResponse> reply) override {
    ++free_;
    Seat();
    reply.Send(v1::LeaveResponse());
  }

 private:
  void Seat() {
    while (free_ > 0 && !waiting_.empty()) {
      mainspring::Reply<v1::SitResponse> next = std::move(waiting_.front());
      waiting_.pop_front();
      if (next.cancelled()) continue;  // gone home, or out of time
      --free_;
      next.Send(v1::SitResponse());
    }
  }

  int free_ = 1;
  std::deque<mainspring::Reply<v1::SitResponse>> waiting_;
};

}  // namespace cookbook
