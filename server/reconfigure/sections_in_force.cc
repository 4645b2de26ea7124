#include "mainspring/server/reconfigure/sections_in_force.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/util/message_differencer.h"
#include "mainspring/server/config/bounds.h"
#include "mainspring/server/config/redaction.h"

namespace mainspring {
namespace {

using config::v1::StoredRevision;
using google::protobuf::Message;
using google::protobuf::util::MessageDifferencer;

// On one line, without secrets.
std::string Show(const Message* message) {
  if (message == nullptr) return "nothing";
  const std::unique_ptr<Message> shown(message->New());
  shown->CopyFrom(*message);
  Redact(*shown);
  return absl::StrCat("{", shown->ShortDebugString(), "}");
}

}  // namespace

bool IsSame(const Message* left, const Message* right) {
  if (left == nullptr || right == nullptr) return left == right;
  return left->GetDescriptor() == right->GetDescriptor() &&
         MessageDifferencer::Equals(*left, *right);
}

config::v1::Source SectionInForce::source() const {
  if (!is_the_files) return config::v1::SOURCE_REVISION;
  return value == nullptr ? config::v1::SOURCE_DEFAULT : config::v1::SOURCE_FILE;
}

SectionsInForce::SectionsInForce(const HostConfig& config, Sections types)
    : types_(std::move(types)) {
  SetFile(config);
}

SectionInForce SectionsInForce::New(const std::string& type) const {
  SectionInForce section;
  section.type = type;
  if (const auto known = types_.find(type); known != types_.end())
    section.prototype = known->second;
  return section;
}

void SectionsInForce::SetFile(const HostConfig& config) {
  std::map<std::string, SectionInForce> before = std::exchange(all_, {});
  for (const ComponentConfig& component : config.components) {
    SectionInForce& section = all_[component.name];
    const auto known = before.find(component.name);
    if (known != before.end() && known->second.type == component.type) {
      section = std::move(known->second);
    } else {
      section = New(component.type);
      section.value = component.config;
    }
    section.file_value = component.config;
  }
}

std::vector<std::string> SectionsInForce::Restore(const StoredRevision& revision) {
  std::vector<std::string> told;
  for (const StoredRevision::StoredSection& stored : revision.sections()) {
    std::string complaint = RestoreOne(stored);
    if (complaint.empty()) continue;
    told.push_back(absl::StrCat("component \"", stored.name(), "\": revision ", stored.revision(),
                                ": ", complaint));
  }
  return told;
}

std::string SectionsInForce::RestoreOne(const StoredRevision::StoredSection& stored) {
  const auto found = all_.find(stored.name());
  if (found == all_.end()) return "there is no such component any more";
  SectionInForce* const section = &found->second;
  Section value = Unpack(stored.value());
  if (value == nullptr || section->prototype == nullptr ||
      value->GetDescriptor() != section->prototype->GetDescriptor()) {
    return "the component takes another section than it did";
  }
  Problems problems;
  CheckBounds(*value, "config", problems);
  if (!problems.empty()) return std::string(problems.status().message());
  const Section file_value = stored.has_file_value() ? Unpack(stored.file_value()) : nullptr;
  const bool file_has_changed = !IsSame(file_value.get(), section->file_value.get());
  const auto told = [&](const char* what) {
    return absl::StrCat("the file has changed since, from ", Show(file_value.get()), " to ",
                        Show(section->file_value.get()), what, Show(value.get()));
  };
  if (file_has_changed && !stored.keep_over_file()) {
    return told(", and holds; not taken over is ");
  }
  section->value = value;
  section->revision = stored.revision();
  section->is_the_files = false;
  section->keep_over_file = stored.keep_over_file();
  return file_has_changed ? told(", and the revision holds over it: ") : "";
}

std::vector<std::string> SectionsInForce::OfRevisions() const {
  std::vector<std::string> told;
  for (const auto& [name, section] : all_) {
    if (section.is_the_files) continue;
    told.push_back(absl::StrCat(name, " (revision ", section.revision, ")"));
  }
  return told;
}

void SectionsInForce::Store(StoredRevision& revision) const {
  for (const auto& [name, section] : all_) {
    if (section.is_the_files) continue;
    StoredRevision::StoredSection& stored = *revision.add_sections();
    stored.set_name(name);
    stored.mutable_value()->PackFrom(section.message());
    if (section.file_value != nullptr) stored.mutable_file_value()->PackFrom(*section.file_value);
    stored.set_keep_over_file(section.keep_over_file);
    stored.set_revision(section.revision);
  }
}

}  // namespace mainspring
