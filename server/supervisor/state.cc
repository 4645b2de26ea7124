#include "mainspring/server/supervisor/state.h"

namespace mainspring {
namespace {

using State = LifecycleState;
using Change = LifecycleChange;

struct Row {
  State from;
  Change change;
  State to;
};

constexpr Row kTable[] = {
    {State::kStopped, Change::kStart, State::kStarting},
    {State::kFailed, Change::kStart, State::kStarting},
    {State::kStarting, Change::kStarted, State::kRunning},
    {State::kStarting, Change::kFail, State::kBackoff},
    {State::kStarting, Change::kGiveUp, State::kFailed},
    {State::kStarting, Change::kStop, State::kStopping},
    {State::kRunning, Change::kFail, State::kBackoff},
    {State::kRunning, Change::kGiveUp, State::kFailed},
    {State::kRunning, Change::kFinished, State::kStopped},
    {State::kRunning, Change::kStop, State::kStopping},
    {State::kBackoff, Change::kStart, State::kStarting},
    {State::kBackoff, Change::kStop, State::kStopped},
    {State::kStopping, Change::kStopped, State::kStopped},
    {State::kStopping, Change::kStuck, State::kFailed},
};

}  // namespace

std::optional<LifecycleState> NextState(LifecycleState from, LifecycleChange change) {
  for (const Row& row : kTable) {
    if (row.from == from && row.change == change) return row.to;
  }
  return std::nullopt;
}

const char* Name(LifecycleState state) {
  switch (state) {
    case State::kStopped:
      return "STOPPED";
    case State::kStarting:
      return "STARTING";
    case State::kRunning:
      return "RUNNING";
    case State::kStopping:
      return "STOPPING";
    case State::kBackoff:
      return "BACKOFF";
    case State::kFailed:
      return "FAILED";
  }
  return "UNKNOWN";
}

const char* Name(LifecycleChange change) {
  switch (change) {
    case Change::kStart:
      return "start";
    case Change::kStarted:
      return "started";
    case Change::kFail:
      return "fail";
    case Change::kGiveUp:
      return "give up";
    case Change::kStop:
      return "stop";
    case Change::kFinished:
      return "finished";
    case Change::kStopped:
      return "stopped";
    case Change::kStuck:
      return "stuck";
  }
  return "unknown";
}

}  // namespace mainspring
