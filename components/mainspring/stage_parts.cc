#include "mainspring/stage_parts.h"

namespace mainspring::testing {

void Record::OnStarted(const std::string&, uint64_t, const absl::Status& status) {
  started = status;
  up = status.ok();
}

void Record::OnFailed(const std::string&, uint64_t, const Failure& failure) {
  up = false;
  failures.push_back(failure);
  started = absl::InternalError(failure.error);
}

void Record::OnCallFailed(const std::string&, uint64_t, const Failure& failure) {
  failures.push_back(failure);
}

void Record::OnMisuse(const std::string&, uint64_t, const std::string& what) {
  misuses.push_back(what);
}

void Record::OnServing(const std::string&, uint64_t, bool serves, const std::string&) {
  serving = serves;
}

absl::Status BlockingQueue::Run(Work work) {
  works.push_back(std::move(work));
  return absl::OkStatus();
}

std::shared_ptr<Addressee> StageDirectory::Find(absl::string_view name) const {
  for (const Unit& unit : units_) {
    if (unit.mailbox->component() == name) return unit.mailbox;
  }
  return nullptr;
}

std::vector<std::string> StageDirectory::Names() const {
  std::vector<std::string> names;
  names.reserve(units_.size());
  for (const Unit& unit : units_) names.push_back(unit.mailbox->component());
  return names;
}

}  // namespace mainspring::testing
