// ComponentDrains: who waits for the drain of a component to be over, and how far it is.
#ifndef MAINSPRING_SERVER_LIFECYCLE_COMPONENT_DRAINS_H_
#define MAINSPRING_SERVER_LIFECYCLE_COMPONENT_DRAINS_H_

#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "mainspring/context.h"
#include "mainspring/lifecycle/v1/lifecycle.pb.h"
#include "mainspring/reply.h"
#include "mainspring/server/lifecycle/command_log.h"
#include "mainspring/server/supervisor/supervisor.h"

namespace mainspring {

// The supervisor's thread only.
class ComponentDrains {
 public:
  static constexpr char kCommand[] = "DrainComponent";

  using DrainReply = Reply<lifecycle::v1::DrainComponentResponse>;
  using DescribeOne = std::function<lifecycle::v1::Component(size_t component)>;

  // The context, the supervisor and the table must outlive it.
  ComponentDrains(Context& context, const Supervisor& supervisor, const ComponentTable& table,
                  CommandLog log, DescribeOne describe);

  // OK, or RESOURCE_EXHAUSTED: too many wait for this one.
  absl::Status Admit(size_t component);
  // Is answered once no call is queued or in flight, after OnClosed.
  void Add(size_t component, DrainReply reply);
  bool IsAwaited(size_t component) { return !waits_[component].replies.empty(); }
  // The component takes no more calls.
  void OnClosed(size_t component);
  // Fails all who wait with ABORTED; `why` goes on from the component's name.
  void Abort(size_t component, const char* why);

 private:
  struct Wait {
    std::vector<DrainReply> replies;
    uint64_t asking = 0;  // who asks for them whether it is drained; zero: nobody
  };

  // Asks until it is drained or nobody waits any more; stops where another has begun to ask, whose
  // number is not `asking`.
  void AskWhetherDrained(size_t component, uint64_t asking);
  void OnAsked(size_t component, uint64_t asking, bool drained);

  Context& context_;
  const Supervisor& supervisor_;
  const ComponentTable& table_;
  const CommandLog log_;
  const DescribeOne describe_;
  std::unordered_map<size_t, Wait> waits_;  // by component
  uint64_t last_asking_ = 0;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_LIFECYCLE_COMPONENT_DRAINS_H_
