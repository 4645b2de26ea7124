// RequestSide: the requests of a streaming call, as its component reads them; a part of the call.
#ifndef MAINSPRING_SERVER_RPC_REQUEST_SIDE_H_
#define MAINSPRING_SERVER_RPC_REQUEST_SIDE_H_

#include <optional>
#include <utility>

#include "mainspring/request_stream.h"
#include "mainspring/server/rpc/stream_call.h"
#include "mainspring/waiting.h"

namespace mainspring::rpc {

template <class Request>
class RequestSide final : public StreamSource<Request> {
 public:
  explicit RequestSide(StreamCall& call) : call_(call) {}

  // StreamSource. Any thread.

  void Read(ReadCallback<Request> callback) override {
    Waiting<std::optional<Request>> read(std::move(callback));
    Waiting<std::optional<Request>> replaced;
    {
      MutexLock lock(call_.mutex_);
      std::swap(on_read_, replaced);
      if (call_.WantRead()) std::swap(on_read_, read);
    }
    if (read) return read.Post(std::nullopt);
    call_.CallIngress();
  }

  void Release() override {
    Waiting<std::optional<Request>> dropped;
    {
      MutexLock lock(call_.mutex_);
      std::swap(on_read_, dropped);
    }
    call_.Unref();
  }

  // For the call, on the ingress thread.

  // What gRPC reads into.
  Request& next() { return next_; }
  // gRPC has read into next(); or, where not `ok`, there are no more requests.
  void Give(bool ok) {
    Waiting<std::optional<Request>> read;
    {
      MutexLock lock(call_.mutex_);
      std::swap(on_read_, read);
      call_.EndRead(ok);
    }
    if (read) read.Post(ok ? std::optional<Request>(std::move(next_)) : std::nullopt);
    next_.Clear();
  }

 private:
  StreamCall& call_;
  Request next_;
  Waiting<std::optional<Request>> on_read_ ABSL_GUARDED_BY(call_.mutex_);
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_REQUEST_SIDE_H_
