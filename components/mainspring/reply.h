// Reply<T>: the right to answer one call, once.
#ifndef MAINSPRING_REPLY_H_
#define MAINSPRING_REPLY_H_

#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mainspring/call.h"
#include "mainspring/text.h"

namespace mainspring {

// Where a Reply's answer goes: to a gRPC call, or to an Answer in this process. Exactly one of the
// two methods is called, exactly once; the sink may be gone when it returns.
template <class T>
class ReplySink : public CallContext {
 public:
  virtual void Succeed(T&& response) = 0;
  virtual void Fail(absl::Status status) = 0;

 protected:
  ~ReplySink() = default;
};

// Move-only. Answer from any thread, at once or later. The first answer counts; another does
// nothing but say so in the log. A Reply that is destroyed unanswered answers INTERNAL, so
// that no caller waits for ever; where a component's thread drops it, and its caller has not gone,
// the log says so. It must not outlive the host, nor the mailbox that it came through.
template <class T>
class Reply {
 public:
  using Message = T;

  // Answered already.
  Reply() = default;
  // Takes over the right to answer `sink`, which must live until it is answered.
  explicit Reply(ReplySink<T>* sink) : sink_(sink), method_(sink->method().data()) {}
  Reply(Reply&& other) noexcept
      : sink_(std::exchange(other.sink_, nullptr)), method_(other.method_) {}
  Reply& operator=(Reply&& other) noexcept {
    if (this != &other) {
      if (sink_ != nullptr) Fail(DroppedReplyStatus(*sink_));
      sink_ = std::exchange(other.sink_, nullptr);
      method_ = other.method_;
    }
    return *this;
  }
  ~Reply() {
    if (sink_ != nullptr) Fail(DroppedReplyStatus(*sink_));
  }

  // Answers.
  void Send(T response) {
    ReplySink<T>* sink = TakeSink();
    if (sink == nullptr) return;
    sink->CountAnswer();
    sink->Succeed(std::move(response));
  }

  // Answers with an error, which reaches the caller as it is but for its text: see Bounded. An OK
  // status is no answer and becomes INTERNAL.
  void Fail(absl::Status status) {
    ReplySink<T>* sink = TakeSink();
    if (sink == nullptr) return;
    if (status.ok()) status = absl::InternalError("the component failed the call with OK");
    sink->CountAnswer();
    sink->Fail(Bounded(std::move(status)));
  }

  // Either of the two. A template, so that Send({}) is an empty message.
  template <class Result, class = std::enable_if_t<std::is_same_v<Result, absl::StatusOr<T>>>>
  void Send(Result answer) {
    return answer.ok() ? Send(*std::move(answer)) : Fail(std::move(answer).status());
  }

  // Whether an answer was given, or this was moved from.
  bool answered() const { return sink_ == nullptr; }

  // Metadata for the caller: before the answer, and after it. False where `key`, in lower case, or
  // `value` cannot be sent (see IsSendable), or it is too late. Whoever may answer.
  bool AddHeader(absl::string_view key, absl::string_view value) {
    return AddHeaderTo(sink_, key, value, method_);
  }
  bool AddTrailer(absl::string_view key, absl::string_view value) {
    return AddTrailerTo(sink_, key, value, method_);
  }

  // The call's circumstances; once answered, those of CallContext::None().
  const CallContext& context() const {
    if (sink_ != nullptr) return *sink_;
    ReportMisuse("its context was used after it was answered, or moved", method_);
    return CallContext::None();
  }
  SteadyTime deadline() const { return sink_ == nullptr ? kNever : sink_->deadline(); }
  // Whether nobody waits any more; true as well once answered.
  bool cancelled() const { return sink_ == nullptr || sink_->cancelled(); }
  // See CallContext; once answered, it does nothing. Component thread only.
  void OnCancel(Callback callback) {
    if (sink_ != nullptr) sink_->OnCancel(std::move(callback));
  }

 private:
  ReplySink<T>* TakeSink() {
    if (sink_ == nullptr) ReportMisuse("answered after it was answered, or moved", method_);
    return std::exchange(sink_, nullptr);
  }

  ReplySink<T>* sink_ = nullptr;
  const char* method_ = "";
};

}  // namespace mainspring

#endif  // MAINSPRING_REPLY_H_
