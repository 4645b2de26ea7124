// Reconfiguration: runs the component that answers Config, on a thread of its own, over the
// components of a supervision.
#ifndef MAINSPRING_SERVER_RECONFIGURE_RECONFIGURATION_H_
#define MAINSPRING_SERVER_RECONFIGURE_RECONFIGURATION_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "mainspring/runner.h"
#include "mainspring/server/reconfigure/config.h"

namespace mainspring {

// What the host calls it in its log.
inline constexpr char kReconfigurationName[] = "config";

// Made and destroyed by one thread.
class Reconfiguration final {
 public:
  // RESOURCE_EXHAUSTED: no more threads. `surroundings` outlives it.
  static absl::StatusOr<std::unique_ptr<Reconfiguration>> Launch(Config::Options options,
                                                                 const Surroundings& surroundings,
                                                                 const mainspring::Launch& launch);
  // Blocks until its thread has ended.
  ~Reconfiguration();
  Reconfiguration(const Reconfiguration&) = delete;
  Reconfiguration& operator=(const Reconfiguration&) = delete;

  // See Config. Any thread; where Config itself has failed, nothing is done.
  void Watch();
  void Reload(std::string author, std::shared_ptr<void> done);

  // Where Config is asked.
  const std::shared_ptr<MailboxBase>& mailbox() const { return mailbox_; }

 private:
  class Observer final : public LifecycleObserver {
   public:
    explicit Observer(EventLog& log) : log_(log) {}
    void OnFailed(const std::string& component, uint64_t, const Failure& failure) override;
    void OnCallFailed(const std::string& component, uint64_t, const Failure& failure) override;

   private:
    EventLog& log_;
  };

  Reconfiguration(EventLog& log, const TimeSource& time);

  Observer observer_;
  const std::shared_ptr<MailboxBase> mailbox_;
  Config* config_ = nullptr;  // its thread only
  std::unique_ptr<Runner> runner_;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_RECONFIGURE_RECONFIGURATION_H_
