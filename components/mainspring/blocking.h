// Blocking: where work is done that must block: a few threads of the host, for all of its
// components.
#ifndef MAINSPRING_BLOCKING_H_
#define MAINSPRING_BLOCKING_H_

#include <exception>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "mainspring/answer.h"
#include "mainspring/local_call.h"
#include "mainspring/text.h"

namespace mainspring {

using Work = absl::AnyInvocable<void()>;

// Any thread.
class Blocking {
 public:
  virtual ~Blocking() = default;
  // Has `work`, which must not throw, done soon, on a thread of its own choice. What is not begun
  // when it is destroyed is destroyed and not done. RESOURCE_EXHAUSTED: too much waits already,
  // or the system gives no thread. UNAVAILABLE: the host ends. `work` is destroyed then.
  virtual absl::Status Run(Work work) = 0;

  // Does all at once, on the calling thread: for tests, and where there are no threads.
  static Blocking& AtOnce();
};

// What a function without a result has.
struct Nothing {};

// What Context::RunBlocking makes of what a function returns: T of T and of StatusOr<T>, Nothing of
// void and of Status.
template <class Returned>
struct BlockingResult {
  using Type = Returned;
};
template <class T>
struct BlockingResult<absl::StatusOr<T>> {
  using Type = T;
};
template <>
struct BlockingResult<absl::Status> {
  using Type = Nothing;
};
template <>
struct BlockingResult<void> {
  using Type = Nothing;
};

template <class Function, class... Arguments>
using BlockingResultOf =
    typename BlockingResult<std::invoke_result_t<Function&, Arguments...>>::Type;

// Calls `function`; what it throws is INTERNAL.
template <class Function>
absl::StatusOr<BlockingResultOf<Function>> CallBlocking(Function& function) {
  using Returned = std::invoke_result_t<Function&>;
  try {
    if constexpr (std::is_void_v<Returned>) {
      function();
      return Nothing();
    } else if constexpr (std::is_same_v<Returned, absl::Status>) {
      absl::Status status = function();
      if (!status.ok()) return status;
      return Nothing();
    } else {
      return function();
    }
  } catch (const std::exception& exception) {
    return absl::InternalError(absl::StrCat("blocking work: ", BoundedText(exception.what())));
  } catch (...) {
    return absl::InternalError("blocking work: threw what is not a std::exception");
  }
}

// Has `function` called by `blocking`, with its result as the answer.
template <class Function, class... Arguments>
Answer<BlockingResultOf<Function, Arguments...>> RunBlockingOn(Blocking& blocking,
                                                               Function function,
                                                               Arguments... arguments) {
  using Result = BlockingResultOf<Function, Arguments...>;
  SharedPtr<LocalCall<Result>> call(new LocalCall<Result>(CallOptions(), "RunBlocking"));
  // Shared, so that work that was refused is answered with the reason.
  auto reply = std::make_shared<Reply<Result>>(call.get());
  const absl::Status accepted =
      blocking.Run([function = std::move(function), arguments = std::tuple(std::move(arguments)...),
                    reply]() mutable {
        // Nobody waits for it any more.
        if (reply->cancelled()) return reply->Fail(absl::CancelledError());
        auto call = [&] { return std::apply(function, std::move(arguments)); };
        reply->Send(CallBlocking(call));
      });
  if (!accepted.ok()) reply->Fail(accepted);
  return Answer<Result>(std::move(call));
}

}  // namespace mainspring

#endif  // MAINSPRING_BLOCKING_H_
