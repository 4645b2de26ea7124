// Coroutines: a component's method that is void and says co_await is one, and nothing in its
// signature tells. It runs on the component's thread, from await to await, and other calls run in
// between; what it awaits resumes it there. Task<T> is for the functions that it awaits itself.
//
//   void PlaceOrder(PlaceOrderRequest request, Reply<PlaceOrderResponse> reply) override {
//     absl::StatusOr<ReserveResponse> stock =
//         co_await inventory_.Reserve(ReserveOf(request), {.from = reply.context()});
//     if (!stock.ok()) co_return reply.Fail(stock.status());
//     ...
//
// What it can await: an Answer, Read and Send of streams, Context's Sleep, WhenReadable,
// WhenWritable and RunBlocking, a Task. Arguments by value live as long as it does; take none by
// reference.
//
// g++ 12 miscompiles co_await where an aggregate with a destructor stands in the same
// expression, as in co_await Put(Pair{a, b}), or a lambda that has captured something with one:
// give such a thing a name first. ErrorInfo is one. Messages, strings and CallOptions are none;
// RunBlocking takes what its function needs as arguments. So it does while (co_await
// requests.Read()), where the condition is what Read gives and has no name; while (auto request =
// co_await requests.Read()) is right.
//
// An exception is that of the call in which it began, as if the method had thrown it; where it
// began in none, in a timer for one, the instance's. When the instance goes, so does it where it
// stands: its variables are destroyed, its replies thereby answered, and what it waits for is
// cancelled.
#ifndef MAINSPRING_COROUTINE_H_
#define MAINSPRING_COROUTINE_H_

#include <concepts>
#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "mainspring/return_address.h"

namespace mainspring {

class Component;

// One coroutine, suspended or running. Component thread only.
class Frame {
 public:
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;

  // For awaitables, on the component's thread: what was awaited is there.
  void Resume(std::coroutine_handle<> self) const;

 protected:
  Frame();
  ~Frame() = default;

  CallbackQueue* const queue_;
  const char* const call_;  // the rpc in whose call it began; null: in none
};

// The promise of a component's method. It belongs to the instance: see CallbackQueue.
class MethodPromise final : public Frame, public CallbackQueue::Guest {
 public:
  MethodPromise();
  ~MethodPromise();

  void get_return_object() const noexcept {}
  std::suspend_never initial_suspend() const noexcept { return {}; }
  auto final_suspend() noexcept {
    struct End {
      // Where all went well, the frame goes by itself.
      bool await_ready() const noexcept { return !threw; }
      void await_suspend(std::coroutine_handle<MethodPromise> self) const noexcept {
        DestroyThrown(self);
      }
      void await_resume() const noexcept {}
      bool threw;
    };
    return End{threw_};
  }
  void return_void() const noexcept {}
  void unhandled_exception() noexcept;

  // The instance goes.
  void Destroy() override { std::coroutine_handle<MethodPromise>::from_promise(*this).destroy(); }

 private:
  static void DestroyThrown(std::coroutine_handle<> self);

  bool threw_ = false;
};

// Goes back to whoever awaits it. Shared by the promises of tasks.
class TaskPromise : public Frame {
 public:
  std::suspend_always initial_suspend() const noexcept { return {}; }
  auto final_suspend() const noexcept {
    struct End {
      bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<>) const noexcept {
        return waiter;
      }
      void await_resume() const noexcept {}
      std::coroutine_handle<> waiter;
    };
    return End{waiter_};
  }
  void unhandled_exception() noexcept { thrown_ = std::current_exception(); }

  void SetWaiter(std::coroutine_handle<> waiter) { waiter_ = waiter; }
  void RethrowIfThrown() const {
    if (thrown_ != nullptr) std::rethrow_exception(thrown_);
  }

 private:
  std::coroutine_handle<> waiter_ = std::noop_coroutine();
  std::exception_ptr thrown_;
};

// A coroutine that returns a T to the one that awaits it, and begins then; what it throws is thrown
// there. Move-only; awaited once. Component thread only.
template <class T = void>
class [[nodiscard]] Task {
 public:
  struct Result : TaskPromise {
    template <class U>
    void return_value(U&& returned) {
      value.emplace(std::forward<U>(returned));
    }
    T Take() { return *std::move(value); }
    std::optional<T> value;
  };
  struct NoResult : TaskPromise {
    void return_void() const noexcept {}
    void Take() const {}
  };
  struct promise_type : std::conditional_t<std::is_void_v<T>, NoResult, Result> {
    Task get_return_object() {
      return Task(std::coroutine_handle<promise_type>::from_promise(*this));
    }
  };

  Task(Task&& other) noexcept : self_(std::exchange(other.self_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(self_, other.self_);
    return *this;
  }
  ~Task() {
    if (self_ != nullptr) self_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter) {
    self_.promise().SetWaiter(waiter);
    return self_;
  }
  T await_resume() {
    self_.promise().RethrowIfThrown();
    return self_.promise().Take();
  }

 private:
  explicit Task(std::coroutine_handle<promise_type> self) : self_(self) {}

  std::coroutine_handle<promise_type> self_;
};

}  // namespace mainspring

// clang-format 14 does not know constraints.
// clang-format off
template <class Class, class... Arguments>
  requires std::derived_from<std::remove_cvref_t<Class>, mainspring::Component>
struct std::coroutine_traits<void, Class, Arguments...> {
  using promise_type = mainspring::MethodPromise;
};
// clang-format on

#endif  // MAINSPRING_COROUTINE_H_
