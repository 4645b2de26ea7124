// Trial: a component that misbehaves on request; its interface is mainspring/trial/v1/trial.proto.
#ifndef MAINSPRING_TESTS_TESTING_TRIAL_H_
#define MAINSPRING_TESTS_TESTING_TRIAL_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "mainspring/trial/v1/trial.component.pb.h"

namespace mainspring::testing {

// Occupies the calling thread.
void BlockThisThread(absl::Duration time);

class Trial : public trial::v1::TrialComponent {
 public:
  using TrialComponent::TrialComponent;

  void Echo(trial::v1::EchoRequest request, Reply<trial::v1::EchoResponse> reply) override;
  void Block(trial::v1::BlockRequest request, Reply<trial::v1::BlockResponse> reply) override;
  void Delay(trial::v1::DelayRequest request, Reply<trial::v1::DelayResponse> reply) override;
  void Refuse(trial::v1::RefuseRequest request, Reply<trial::v1::RefuseResponse> reply) override;
  void Throw(trial::v1::ThrowRequest request, Reply<trial::v1::ThrowResponse> reply) override;
  void DropReply(trial::v1::DropReplyRequest request,
                 Reply<trial::v1::DropReplyResponse> reply) override;
  void Forget(trial::v1::ForgetRequest request, Reply<trial::v1::ForgetResponse> reply) override;
  void Relay(trial::v1::RelayRequest request, Reply<trial::v1::RelayResponse> reply) override;
  void Flood(trial::v1::FloodRequest request,
             ReplyStream<trial::v1::FloodResponse> replies) override;
  void Sum(RequestStream<trial::v1::SumRequest> requests,
           Reply<trial::v1::SumResponse> reply) override;
  void Parrot(RequestStream<trial::v1::ParrotRequest> requests,
              ReplyStream<trial::v1::ParrotResponse> replies) override;
  void CountDispatched(trial::v1::CountDispatchedRequest request,
                       Reply<trial::v1::CountDispatchedResponse> reply) override;

 private:
  struct FloodState;
  struct SumState;
  struct ParrotState;
  void GoOn(std::shared_ptr<FloodState> flood);
  void GoOn(std::shared_ptr<SumState> sum);
  void GoOn(std::shared_ptr<ParrotState> parrot);

  std::map<std::string, int64_t> calls_;
  int64_t flood_accepted_ = 0;
  std::vector<Reply<trial::v1::ForgetResponse>> forgotten_;
};

}  // namespace mainspring::testing

#endif  // MAINSPRING_TESTS_TESTING_TRIAL_H_
