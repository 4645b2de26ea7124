// Bound: a function of a component's instance that any thread may call, and that runs on the
// component's.
#ifndef MAINSPRING_BOUND_H_
#define MAINSPRING_BOUND_H_

#include <memory>
#include <tuple>
#include <utility>

#include "mainspring/return_address.h"

namespace mainspring {

// Cheap to copy. Made by Context::Bind, on the component's thread; any thread may call, copy and
// destroy it.
template <class Function>
class Bound {
 public:
  explicit Bound(Function function) : held_(std::make_shared<Held>(std::move(function))) {}

  // Has the function called with copies of the arguments, later, and as often as this is called;
  // not at all where the instance that made it has gone by then. Never blocks.
  template <class... Arguments>
  void operator()(Arguments&&... arguments) const {
    if (!held_->address) return;
    held_->address.Post(
        [function = held_->function,
         arguments = std::make_tuple(std::forward<Arguments>(arguments)...)]() mutable {
          const std::shared_ptr<Function> alive = function.lock();
          if (alive != nullptr) std::apply(*alive, std::move(arguments));
        });
  }

 private:
  // The function belongs to the instance, which goes with all that it captured.
  struct Held {
    explicit Held(Function given) : address(ReturnAddress::Current()) {
      auto kept = std::make_shared<Function>(std::move(given));
      function = kept;
      if (address) address.queue()->Keep(std::move(kept));
    }
    ~Held() {
      std::shared_ptr<Function> last = function.lock();
      if (last == nullptr || !address) return;
      // Behind what was called before, also on the component's own thread.
      address.Post(
          [queue = address.queue(), last = std::move(last)] { queue->Release(last.get()); });
    }

    const ReturnAddress address;
    std::weak_ptr<Function> function;
  };

  std::shared_ptr<const Held> held_;
};

}  // namespace mainspring

#endif  // MAINSPRING_BOUND_H_
