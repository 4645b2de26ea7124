// Handler<Request>: whatever answers a request enum. The generated classes of methods are handlers;
// a mailbox hands its requests to one.
#ifndef MAINSPRING_HANDLER_H_
#define MAINSPRING_HANDLER_H_

namespace mainspring {

// What every handler is, whatever it answers.
class AnyHandler {
 public:
  virtual ~AnyHandler() = default;
};

template <class RequestEnum>
class Handler : public AnyHandler {
 public:
  // Answers the request, or keeps its reply to answer later. What it throws fails the call.
  virtual void Handle(RequestEnum&& request) = 0;
};

}  // namespace mainspring

#endif  // MAINSPRING_HANDLER_H_
