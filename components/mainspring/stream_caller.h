// StreamCaller: the caller's side of a call in process that is answered by a stream.
#ifndef MAINSPRING_STREAM_CALLER_H_
#define MAINSPRING_STREAM_CALLER_H_

#include <utility>

#include "mainspring/local_call.h"
#include "mainspring/mutex.h"

namespace mainspring {

// Whoever reads may look at what the writer adds meanwhile.
class StreamCaller final : public LocalCaller {
 public:
  using LocalCaller::LocalCaller;

  bool AddHeader(Metadatum header) override {
    if (headers_ended_) return false;
    MutexLock lock(mutex_);
    return !closed_ && LocalCaller::AddHeader(std::move(header));
  }
  bool AddTrailer(Metadatum trailer) override {
    MutexLock lock(mutex_);
    return !closed_ && LocalCaller::AddTrailer(std::move(trailer));
  }
  // The writer has begun.
  void EndHeaders() { headers_ended_ = true; }
  // What is added from now on comes too late.
  void Close() {
    MutexLock lock(mutex_);
    closed_ = true;
  }
  // All that was added.
  AnswerMetadata Sent() const {
    MutexLock lock(mutex_);
    return answer_metadata();
  }

 private:
  mutable Mutex mutex_;
  bool headers_ended_ = false;  // the writer's alone
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace mainspring

#endif  // MAINSPRING_STREAM_CALLER_H_
