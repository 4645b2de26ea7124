#include "tests/simulation/path.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "mainspring/server/supervisor/state.h"

namespace mainspring::simulation {
namespace {

using lifecycle::v1::Component;

// The messages's states begin with one that is none.
LifecycleState FromProto(Component::State state) { return static_cast<LifecycleState>(state - 1); }

bool IsLegal(Component::State from, Component::State to) {
  for (int change = 0; change <= static_cast<int>(LifecycleChange::kStuck); ++change) {
    if (NextState(FromProto(from), static_cast<LifecycleChange>(change)) == FromProto(to)) {
      return true;
    }
  }
  return false;
}

}  // namespace

void Path::Follow(const lifecycle::v1::WatchComponentsResponse& update) {
  if (update.has_event()) return Follow(update.event());
  if (!update.has_snapshot()) return;
  incarnation_ = update.snapshot().incarnation();
  sequence_ = update.snapshot().sequence();
  // It does not tell of those that have left.
  for (auto& [name, known] : known_) known.state = Component::STOPPED;
  for (const Component& component : update.snapshot().components()) {
    known_[component.name()] = {component.state(), component.generation(), {}};
  }
}

void Path::Follow(const lifecycle::v1::Event& event) {
  if (event.sequence() != sequence_ + 1) {
    Violation(absl::StrCat("event ", event.sequence(), " came after ", sequence_));
  }
  sequence_ = event.sequence();
  Known& known = known_[event.component()];
  if (event.kind() == lifecycle::v1::Event::ADDED) known = {event.to(), event.generation(), {}};
  if (event.kind() != lifecycle::v1::Event::STATE) return FollowTraffic(event, known);
  const std::string what =
      absl::StrCat("event ", event.sequence(), ": component \"", event.component(), "\" from ",
                   Component::State_Name(event.from()), " to ", Component::State_Name(event.to()));
  if (event.from() != known.state) {
    Violation(absl::StrCat(what, ", which was ", Component::State_Name(known.state)));
  }
  if (!IsLegal(event.from(), event.to())) Violation(absl::StrCat(what, " is not allowed"));
  const uint64_t expected = known.generation + (event.to() == Component::STARTING ? 1 : 0);
  if (event.generation() != expected) {
    Violation(absl::StrCat(what, " has generation ", event.generation(), ", not ", expected));
  }
  known.state = event.to();
  known.generation = event.generation();
  CheckDependencies(event);
  CheckBudget(event, known);
}

// Pauses and drains, which leave the state as it is.
void Path::FollowTraffic(const lifecycle::v1::Event& event, const Known& known) {
  if (event.from() == known.state && event.to() == known.state &&
      event.generation() == known.generation) {
    return;
  }
  Violation(absl::StrCat("event ", event.sequence(), ": component \"", event.component(),
                         "\": ", lifecycle::v1::Event::Kind_Name(event.kind()),
                         " changes its state or generation"));
}

// Up after what it needs, down after what needs it.
void Path::CheckDependencies(const lifecycle::v1::Event& event) {
  const size_t number =
      std::find_if(components_.begin(), components_.end(),
                   [&](const auto& each) { return each.name == event.component(); }) -
      components_.begin();
  const auto check = [&](const auto& edges, auto wrong, const char* what) {
    for (const auto& edge : edges) {
      const std::string& other = components_[edge.component].name;
      if (!edge.hard || !wrong(known_[other].state)) continue;
      Violation(absl::StrCat("event ", event.sequence(), ": component \"", event.component(),
                             "\" is ", Component::State_Name(event.to()), " while \"", other,
                             "\", which ", what, ", is ",
                             Component::State_Name(known_[other].state)));
    }
  };
  if (event.to() == Component::STARTING) {
    check(
        graph_.dependencies(number), [](State state) { return state != Component::RUNNING; },
        "it needs");
  }
  if (event.to() == Component::STOPPING ||
      (event.to() == Component::STOPPED && event.from() == Component::BACKOFF)) {
    check(
        graph_.dependents(number),
        [](State state) { return state != Component::STOPPED && state != Component::FAILED; },
        "needs it");
  }
}

void Path::CheckBudget(const lifecycle::v1::Event& event, Known& known) {
  if (event.to() != Component::STARTING) return;
  if (!absl::StartsWith(event.reason(), "started again after a failure")) {
    known.restarts.clear();
    return;
  }
  const auto config = std::find_if(components_.begin(), components_.end(), [&](const auto& each) {
    return each.name == event.component();
  });
  const absl::Time now =
      absl::FromUnixSeconds(event.time().seconds()) + absl::Nanoseconds(event.time().nanos());
  known.restarts.push_back(now);
  const auto within = std::count_if(known.restarts.begin(), known.restarts.end(), [&](auto each) {
    return now - each < config->restart.period - config->restart.most_backoff * 2;
  });
  if (within >= config->restart.max_failures || config->restart.kind == RestartKind::kTemporary) {
    Violation(absl::StrCat("event ", event.sequence(), ": component \"", event.component(),
                           "\" was started again by itself ", within, " times within its period"));
  }
}

void Path::Violation(const std::string& what) { violations_.push_back(what); }

}  // namespace mainspring::simulation
