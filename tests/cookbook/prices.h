#include <utility>
#include <vector>

#include "cookbook/v1/cookbook.component.pb.h"

namespace cookbook {

// A new price each second, for all who watch.
class Prices final : public v1::PricesComponent {
 public:
  using PricesComponent::PricesComponent;

  absl::Status Start() override {
    context().Every(absl::Seconds(1), [this] { Tick(); });
    return absl::OkStatus();
  }

  void Watch(v1::WatchRequest, mainspring::ReplyStream<v1::WatchResponse> replies) override {
    watchers_.push_back(std::move(replies));
  }

 private:
  void Tick() {
    v1::WatchResponse price;
    price.set_cents(++cents_);
    // One that is behind is kFull: it misses this price, and gets a later one. kClosed has gone.
    std::erase_if(watchers_, [&](auto& watcher) {
      return watcher.Write(price) == mainspring::WriteResult::kClosed;
    });
  }

  int64_t cents_ = 100;
  std::vector<mainspring::ReplyStream<v1::WatchResponse>> watchers_;
};

}  // namespace cookbook
