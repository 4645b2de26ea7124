#include <cstdint>
#include <utility>

#include "hello/v1/greeter.component.pb.h"

class Greeter final : public hello::v1::GreeterComponent {
 public:
  using GreeterComponent::GreeterComponent;

  void SayHello(hello::v1::SayHelloRequest request,
                mainspring::Reply<hello::v1::SayHelloResponse> reply) override {
    hello::v1::SayHelloResponse response;
    response.set_text("Hello, " + request.name() + "!");
    response.set_greeted(++greeted_);  // one thread: no lock
    reply.Send(std::move(response));
  }

 private:
  int64_t greeted_ = 0;
};
