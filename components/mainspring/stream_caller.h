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
    return LocalCaller::AddHeader(std::move(header));
  }
  bool AddTrailer(Metadatum trailer) override {
    MutexLock lock(mutex_);
    return LocalCaller::AddTrailer(std::move(trailer));
  }
  // The writer has begun.
  void EndHeaders() { headers_ended_ = true; }
  // All that was added.
  AnswerMetadata Sent() const {
    MutexLock lock(mutex_);
    return answer_metadata();
  }

 private:
  mutable Mutex mutex_;
  bool headers_ended_ = false;  // the writer's alone
};

}  // namespace mainspring

#endif  // MAINSPRING_STREAM_CALLER_H_
