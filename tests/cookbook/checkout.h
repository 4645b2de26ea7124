#include <string>

#include "absl/strings/str_cat.h"
#include "cookbook/v1/cookbook.component.pb.h"

namespace cookbook {

class Checkout final : public v1::CheckoutComponent {
 public:
  using CheckoutComponent::CheckoutComponent;

  void Pay(v1::PayRequest request, mainspring::Reply<v1::PayResponse> reply) override {
    if (request.cents() > kMost) {
      // The text is for people; what a program decides by is in the details.
      return reply.Fail(
          mainspring::WithErrorInfo(absl::FailedPreconditionError("more than the till takes"),
                                    {.reason = "TOO_MUCH",
                                     .domain = "shop.example",
                                     .metadata = {{"most_cents", absl::StrCat(kMost)}}}));
    }
    if (context().Now() < free_again_) {
      return reply.Fail(
          mainspring::WithRetryDelay(absl::ResourceExhaustedError("the till is busy"),
                                     mainspring::Between(context().Now(), free_again_)));
    }
    free_again_ = mainspring::After(context().Now(), absl::Seconds(1));
    reply.AddHeader("shop-till", context().name());           // before the answer
    reply.AddTrailer("shop-receipt", absl::StrCat(++paid_));  // after it
    reply.Send(v1::PayResponse());
  }

 private:
  static constexpr int64_t kMost = 100'00;
  mainspring::SteadyTime free_again_;
  int64_t paid_ = 0;
};

}  // namespace cookbook
