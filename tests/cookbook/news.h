#include <string>
#include <utility>
#include <vector>

#include "cookbook/v1/cookbook.component.pb.h"

namespace cookbook {

// Poll waits for news that its caller has not seen.
class News final : public v1::NewsComponent {
 public:
  using NewsComponent::NewsComponent;

  absl::Status Start() override {
    context().SetServing(false, "no news yet");  // health tells it; calls come all the same
    return absl::OkStatus();
  }

  void Publish(v1::PublishRequest request, mainspring::Reply<v1::PublishResponse> reply) override {
    last_.set_headline(request.headline());
    last_.set_number(last_.number() + 1);
    context().SetServing(true);
    AnswerAll();
    reply.Send(v1::PublishResponse());
  }

  void Poll(v1::PollRequest request, mainspring::Reply<v1::PollResponse> reply) override {
    if (last_.number() > request.seen()) return reply.Send(last_);
    // It would be answered at once, and come again as fast as it can.
    if (context().draining()) return reply.Fail(absl::UnavailableError("nothing new comes here"));
    waiting_.push_back(std::move(reply));
  }

  // Nothing new will come here: who waits hears what he knows already, and is sent elsewhere when
  // he asks again.
  void Draining() override { AnswerAll(); }

 private:
  void AnswerAll() {
    for (auto& reply : std::exchange(waiting_, {})) reply.Send(last_);
  }

  v1::PollResponse last_;
  std::vector<mainspring::Reply<v1::PollResponse>> waiting_;
};

}  // namespace cookbook
