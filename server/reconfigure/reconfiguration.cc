#include "mainspring/server/reconfigure/reconfiguration.h"

#include <utility>

namespace mainspring {
namespace {

constexpr uint64_t kGeneration = 1;

}  // namespace

absl::StatusOr<std::unique_ptr<Reconfiguration>> Reconfiguration::Launch(
    Config::Options options, const Surroundings& surroundings, const mainspring::Launch& launch) {
  std::unique_ptr<Reconfiguration> made(new Reconfiguration(options.log, surroundings.time));
  auto runner = launch(
      made->mailbox_,
      [options = std::move(options), made = made.get()](Context& context) {
        auto config = std::make_unique<Config>(context, options);
        made->config_ = config.get();
        return config;
      },
      surroundings, made->observer_);
  if (!runner.ok()) return runner.status();
  made->runner_ = *std::move(runner);
  made->mailbox_->Open();
  made->mailbox_->PushControl(control::Start{kGeneration});
  return made;
}

Reconfiguration::Reconfiguration(EventLog& log, const TimeSource& time)
    : observer_(log),
      mailbox_(std::make_shared<Mailbox<config::v1::ConfigRequest>>(kReconfigurationName,
                                                                    MailboxOptions(), time)) {}

void Reconfiguration::Watch() {
  mailbox_->Post(kGeneration, [this] { config_->Watch(); });
}

void Reconfiguration::Reload(std::string author, std::shared_ptr<void> done) {
  mailbox_->Post(kGeneration, [this, author = std::move(author), done = std::move(done)]() mutable {
    config_->Reload(std::move(author), std::move(done));
  });
}

Reconfiguration::~Reconfiguration() { mailbox_->PushControl(control::Quit{}); }

// It cannot go on as if nothing were: the host must be started anew, and its sections are those of
// the latest revision then.
void Reconfiguration::Observer::OnFailed(const std::string& component, uint64_t,
                                         const Failure& failure) {
  log_.Error("failure", {{"component", component},
                         {"during", failure.during},
                         {"cost", "instance"},
                         {"request_id", failure.request_id},
                         {"what", failure.error}});
}

void Reconfiguration::Observer::OnCallFailed(const std::string& component, uint64_t,
                                             const Failure& failure) {
  log_.Error("failure", {{"component", component},
                         {"during", failure.during},
                         {"cost", "call"},
                         {"request_id", failure.request_id},
                         {"what", failure.error}});
}

}  // namespace mainspring
