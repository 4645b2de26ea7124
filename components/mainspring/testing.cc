#include "mainspring/testing.h"

#include <algorithm>

#include "mainspring/push_configure.h"
#include "mainspring/return_address.h"
#include "mainspring/status_details.h"

namespace mainspring::testing {
namespace {

// Without time passing: whoever has more to do then goes round in circles.
constexpr int kMostTurns = 200'000;

struct Nowhere final : CallbackQueue {
  void Post(uint64_t, Callback) override {}
};

// Has it answer what it can at once and refuse the rest, as a supervisor would.
void PushStop(MailboxBase& mailbox) {
  const std::string& name = mailbox.component();
  const absl::Status why = WithReason(
      absl::UnavailableError(absl::StrCat("component \"", name, "\": STOPPED: by the test")),
      "COMPONENT_DOWN", name, kRetryWhenDown, "STOPPED");
  mailbox.Close(why);
  mailbox.PushControl(control::Stop{SteadyTime::min(), why});
}

}  // namespace

Stage::~Stage() {
  HoldBlocking();
  for (auto unit = units_.rbegin(); unit != units_.rend(); ++unit) {
    PushStop(*unit->mailbox);
    SettleSoon();
  }
  blocking_.works.clear();
  SettleSoon();
}

absl::Status Stage::Start() {
  absl::Status first;
  for (Unit& unit : units_) {
    if (unit.record.up) continue;
    Begin(unit);
    first.Update(unit.record.started);
  }
  return first;
}

absl::Status Stage::Restart(absl::string_view name) {
  Unit& unit = Find(name);
  Begin(unit);
  return unit.record.started;
}

void Stage::Begin(Unit& unit) {
  Settle();
  // The start that follows at once leaves the queue to the next instance.
  if (unit.record.up) PushStop(*unit.mailbox);
  unit.mailbox->Open();
  unit.record.serving = true;
  unit.mailbox->PushControl(
      control::Start{++unit.generation, unit.on_exception, [&unit] { return unit.section; }});
  Settle();
}

absl::Status Stage::Configure(Unit& unit, Section section) {
  Settle();
  absl::Status done;
  if (unit.record.up) {
    done = Await(PushConfigure(*unit.mailbox, unit.generation, section, /*apply=*/true)).status();
  }
  if (done.ok()) unit.section = std::move(section);
  return done;
}

void Stage::Stop(absl::string_view name) {
  MailboxBase& mailbox = *Find(name).mailbox;
  Settle();
  PushStop(mailbox);
  Settle();
}

void Stage::Crash(absl::string_view name, absl::Status why) {
  Unit& unit = Find(name);
  Settle();
  if (!unit.record.up) throw std::logic_error(absl::StrCat(name, " is down"));
  unit.mailbox->Post(unit.generation, [&unit, why] { unit.context->Fail(why); });
  Settle();
}

void Stage::Drain(absl::string_view name, bool draining) {
  Unit& unit = Find(name);
  Settle();
  unit.mailbox->PushControl(control::Drain{draining});
  Settle();
}

bool Stage::Step() {
  for (size_t tried = 0; tried < units_.size(); ++tried) {
    turn_ = (turn_ + 1) % units_.size();
    if (units_[turn_].loop->RunNext()) return true;
  }
  if (blocking_.held || blocking_.works.empty()) return false;
  Work work = std::move(blocking_.works.front());
  blocking_.works.pop_front();
  // Its Await would wait for components that nobody steps: so it is refused, as on their threads.
  const ReturnAddress nowhere(std::make_shared<Nowhere>(), /*generation=*/0);
  const ReturnAddressScope scope(nowhere);
  work();
  return true;
}

void Stage::Settle() {
  if (!SettleSoon()) throw std::logic_error("the components go round in circles");
}

bool Stage::SettleSoon() {
  for (int turns = 0; turns < kMostTurns; ++turns) {
    if (!Step()) return true;
  }
  return false;
}

void Stage::Advance(absl::Duration duration) {
  const SteadyTime end = After(time_.Now(), duration);
  while (true) {
    Settle();
    SteadyTime next = end;
    for (const Unit& unit : units_) next = std::min(next, unit.loop->next_wake());
    if (time_.Now() >= end) return;
    time_.AdvanceTo(std::max(next, time_.Now()));
  }
}

Unit& Stage::AddUnit(std::shared_ptr<MailboxBase> mailbox, ComponentFactory make) {
  if (neighbours_.Find(mailbox->component()) != nullptr) {
    throw std::logic_error(absl::StrCat(mailbox->component(), " was added before"));
  }
  Unit& unit = units_.emplace_back(Unit{.mailbox = std::move(mailbox)});
  unit.loop = std::make_unique<ControlLoop>(
      unit.mailbox,
      [&unit, make = std::move(make)](Context& context) {
        unit.context = &context;
        return make(context);
      },
      Surroundings{time_, neighbours_, blocking_}, unit.record);
  return unit;
}

Unit& Stage::Find(absl::string_view name) {
  for (Unit& unit : units_) {
    if (unit.mailbox->component() == name) return unit;
  }
  throw std::logic_error(absl::StrCat("there is no component ", name, " on the stage"));
}

KeptCalls& Stage::KeptBy(absl::string_view name) {
  Settle();
  const std::shared_ptr<KeptCalls>& kept = Find(name).kept;
  if (kept == nullptr) throw std::logic_error(absl::StrCat(name, " is not scripted"));
  return *kept;
}

size_t Stage::Untaken(absl::string_view name) { return KeptBy(name).size(); }

std::unique_ptr<KeptCall> Stage::TakeKept(absl::string_view name, const char* method) {
  KeptCalls& kept = KeptBy(name);
  if (kept.empty()) throw std::logic_error(absl::StrCat(name, " got no call of ", method));
  std::unique_ptr<KeptCall> next = std::move(kept.front());
  kept.pop_front();
  return next;
}

}  // namespace mainspring::testing
