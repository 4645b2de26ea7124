#include "server/supervisor/supervisor.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace mainspring {

Supervisor::~Supervisor() {
  // Asked all together first, so that they end side by side.
  for (auto& thread : threads_) thread->mailbox().PushControl(QuitRequest{});
}

absl::Status Supervisor::Add(const ComponentConfig& config, const ComponentType& type) {
  auto component = std::make_unique<Supervised>();
  component->config = config;
  component->type = type;
  component->mailbox = type.make_mailbox(config.name, config.mailbox, time_);
  components_.push_back(std::move(component));
  absl::StatusOr<std::unique_ptr<ComponentThread>> thread = ComponentThread::Start(
      components_.back()->mailbox, type.make, time_, /*directory=*/*this, /*observer=*/*this);
  if (!thread.ok()) return thread.status();
  threads_.push_back(*std::move(thread));
  return absl::OkStatus();
}

absl::Status Supervisor::Start() {
  for (auto& component : components_) {
    {
      Announcement announcement{*this};
      MutexLock lock(mutex_);
      Change(*component, LifecycleState::kStarting, "the host starts");
    }
    component->mailbox->Open();
    component->mailbox->PushControl(StartRequest{});
  }
  absl::Status first_error;
  for (auto& component : components_) first_error.Update(AwaitStart(*component));
  if (!first_error.ok()) Stop();
  return first_error;
}

absl::Status Supervisor::AwaitStart(Supervised& component) {
  const SteadyTime deadline = After(time_.Now(), component.config.start_timeout);
  Announcement announcement{*this};
  MutexLock lock(mutex_);
  while (component.state == LifecycleState::kStarting) {
    if (time_.Now() >= deadline) {
      Change(component, LifecycleState::kFailed,
             absl::StrCat("did not start within ",
                          absl::FormatDuration(component.config.start_timeout)));
      return absl::DeadlineExceededError(
          absl::StrCat("component \"", component.config.name, "\": ", component.reason));
    }
    changed_.WaitUntil(mutex_, deadline);
  }
  if (component.state == LifecycleState::kRunning) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("component \"", component.config.name, "\": ", component.reason));
}

StopReport Supervisor::Stop() {
  StopReport report;
  for (auto each = components_.rbegin(); each != components_.rend(); ++each) {
    StopOne(**each, report);
  }
  return report;
}

void Supervisor::StopOne(Supervised& component, StopReport& report) {
  const SteadyTime deadline = After(time_.Now(), component.config.stop_timeout);
  Announcement announcement{*this};
  MutexLock lock(mutex_);
  if (component.state == LifecycleState::kStopped) return;
  Change(component, LifecycleState::kStopping, "the host stops");
  component.mailbox->PushControl(StopRequest{deadline});
  while (component.state == LifecycleState::kStopping && time_.Now() < deadline) {
    changed_.WaitUntil(mutex_, deadline);
  }
  // At the deadline itself the control loop refuses the rest of its queue: that is not hanging.
  const SteadyTime grace = After(deadline, absl::Milliseconds(200));
  while (component.state == LifecycleState::kStopping && time_.Now() < grace) {
    changed_.WaitUntil(mutex_, grace);
  }
  report.refused_calls += component.refused;
  if (component.state != LifecycleState::kStopping) return;
  const char* method = component.mailbox->current_method();
  const absl::Duration age =
      method == nullptr ? component.config.stop_timeout
                        : Between(component.mailbox->current_since(), time_.Now());
  const std::string stuck = method == nullptr ? "Stop" : method;
  Change(component, LifecycleState::kFailed,
         absl::StrCat("stuck in ", stuck, " for ", absl::FormatDuration(age)));
  report.hung.push_back({component.config.name, stuck, age});
}

std::vector<ComponentView> Supervisor::Components() const {
  const SteadyTime now = time_.Now();
  std::vector<ComponentView> views;
  MutexLock lock(mutex_);
  for (const auto& component : components_) {
    const char* method = component->mailbox->current_method();
    const absl::Duration in_method = method == nullptr
                                         ? absl::ZeroDuration()
                                         : Between(component->mailbox->current_since(), now);
    views.push_back({component->config.name, component->type.name, component->type.service,
                     component->config.essential, component->state, component->reason,
                     component->has_been_running, component->mailbox->stats(),
                     method == nullptr ? "" : method, in_method,
                     in_method > component->config.stall_limit});
  }
  return views;
}

std::shared_ptr<MailboxBase> Supervisor::Find(absl::string_view name) const {
  for (const auto& component : components_) {
    if (component->mailbox->component() == name) return component->mailbox;
  }
  return nullptr;
}

std::vector<std::string> Supervisor::Names() const {
  std::vector<std::string> names;
  for (const auto& component : components_) names.push_back(component->mailbox->component());
  return names;
}

void Supervisor::OnStarted(const std::string& name, const absl::Status& status) {
  Announcement announcement{*this};
  MutexLock lock(mutex_);
  Supervised& component = At(name);
  // The host may have given up on it, or begun to stop it, since.
  if (component.state == LifecycleState::kFailed && status.ok()) {
    component.mailbox->PushControl(StopRequest{time_.Now()});
  }
  if (component.state != LifecycleState::kStarting) return;
  if (status.ok()) {
    component.has_been_running = true;
    Change(component, LifecycleState::kRunning, "started");
  } else {
    Change(component, LifecycleState::kFailed, status.ToString());
  }
}

void Supervisor::OnStopped(const std::string& name, size_t refused) {
  Announcement announcement{*this};
  MutexLock lock(mutex_);
  Supervised& component = At(name);
  component.refused = refused;
  Change(component, LifecycleState::kStopped, "stopped");
}

void Supervisor::OnFailed(const std::string& name, const Failure& failure) {
  Announcement announcement{*this};
  log_.Error("failure", {{"component", name},
                         {"during", failure.during},
                         {"request_id", failure.request_id},
                         {"what", std::string(failure.status.message())}});
  MutexLock lock(mutex_);
  Supervised& component = At(name);
  if (component.state == LifecycleState::kStopping) return;
  const std::string reason = absl::StrCat("threw in ", failure.during);
  if (!MayRestart(component)) {
    Change(component, LifecycleState::kFailed,
           absl::StrCat(reason, "; failed ", kMaxRestarts + 1, " times within ",
                        absl::FormatDuration(kRestartPeriod)));
    return;
  }
  Change(component, LifecycleState::kStarting, absl::StrCat(reason, "; restarted"));
  component.mailbox->PushControl(StartRequest{});
}

bool Supervisor::MayRestart(Supervised& component) {
  const SteadyTime now = time_.Now();
  component.failures.push_back(now);
  while (Between(component.failures.front(), now) > kRestartPeriod) component.failures.pop_front();
  return component.failures.size() <= kMaxRestarts;
}

Supervisor::Supervised& Supervisor::At(const std::string& name) {
  return **std::find_if(components_.begin(), components_.end(),
                        [&](const auto& component) { return component->config.name == name; });
}

// Nothing else writes a state: what follows from a change follows here.
void Supervisor::Change(Supervised& component, LifecycleState to, const std::string& reason) {
  const LifecycleState from = std::exchange(component.state, to);
  component.reason = reason;
  if (to == LifecycleState::kFailed) {
    const absl::Status why = absl::UnavailableError(
        absl::StrCat("component \"", component.config.name, "\": FAILED: ", reason));
    component.mailbox->Close(why);
    component.mailbox->PushControl(RefuseRequest{why});
  }
  log_.Write(to == LifecycleState::kFailed ? Severity::kError : Severity::kInfo, "state",
             {{"component", component.config.name},
              {"from", Name(from)},
              {"to", Name(to)},
              {"reason", reason}});
  changed_.NotifyAll();
}

}  // namespace mainspring
