// Caller: somebody from outside, whom a test plays.
#ifndef MAINSPRING_CALLER_H_
#define MAINSPRING_CALLER_H_

#include <string>
#include <utility>
#include <vector>

#include "mainspring/call_context.h"
#include "mainspring/call_options.h"
#include "mainspring/caller_side.h"
#include "mainspring/metadata.h"
#include "mainspring/steady_time.h"

namespace mainspring::testing {

// Somebody who calls from outside. Destroyed, he leaves.
class Caller final : public CallContext {
 public:
  struct Traits {
    std::string principal = "";
    std::vector<Metadatum> metadata = {};
    SteadyTime deadline = kNever;
    // As gRPC writes it.
    std::string peer = "process";
    std::string authority = "";
  };
  Caller() : Caller(Traits()) {}
  explicit Caller(Traits traits) : side_(std::move(traits)) {
    BeginCall(side_.traits.deadline, "", side_);
  }

  ~Caller() { Leave(); }

  // For a call of his own, with all that he has: ref.Say(request, caller.options()). One on his
  // behalf is {.from = caller}: see CallOptions.
  CallOptions options() const {
    return {.from = CallOrigin::Himself(*this), .metadata = side_.traits.metadata};
  }
  // He waits for no answer any more.
  void Leave() { MarkCancelled(); }

 private:
  struct Side final : CallerSide {
    explicit Side(Traits traits) : traits(std::move(traits)) {}
    std::string Peer() const override { return traits.peer; }
    std::string Principal() const override { return traits.principal; }
    std::string Authority() const override { return traits.authority; }
    std::vector<Metadatum> AllMetadata() const override { return traits.metadata; }
    const Traits traits;
  };

  Side side_;
};

}  // namespace mainspring::testing

#endif  // MAINSPRING_CALLER_H_
