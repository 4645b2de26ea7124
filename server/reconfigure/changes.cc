#include "mainspring/server/reconfigure/changes.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/util/field_mask_util.h"
#include "mainspring/server/config/bounds.h"
#include "mainspring/server/config/config_diff.h"
#include "mainspring/server/config/host_config_message.h"
#include "mainspring/server/config/host_in_force.h"
#include "mainspring/server/config/message_reader.h"
#include "mainspring/server/config/nearest_name.h"
#include "mainspring/server/config/redaction.h"

namespace mainspring {
namespace {

using config::v1::Change;
using google::protobuf::Message;
using google::protobuf::util::FieldMaskUtil;

// All revisions have all sections: a hundred, in memory and on disk.
constexpr size_t kLargest = size_t{256} << 10;

constexpr char kUnknownSecret[] =
    "has a secret that is redacted, of which nobody knows what it was";

bool HasUnknownFields(const Message& message) {
  const auto& reflection = *message.GetReflection();
  if (!reflection.GetUnknownFields(message).empty()) return true;
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const auto* field : fields) {
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    const int size = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    for (int i = 0; i < size; ++i) {
      const Message& inside = field->is_repeated()
                                  ? reflection.GetRepeatedMessage(message, field, i)
                                  : reflection.GetMessage(message, field);
      if (HasUnknownFields(inside)) return true;
    }
  }
  return false;
}

// Of the message that the path comes to an end in.
std::string NearestField(const google::protobuf::Descriptor& type, absl::string_view path) {
  const size_t dot = path.find('.');
  const std::string first(path.substr(0, dot));
  const google::protobuf::FieldDescriptor* const field = type.FindFieldByName(first);
  if (field != nullptr && field->message_type() != nullptr && !field->is_repeated() &&
      dot != absl::string_view::npos) {
    return NearestField(*field->message_type(), path.substr(dot + 1));
  }
  std::vector<std::string> names;
  for (int i = 0; i < type.field_count(); ++i) names.push_back(type.field(i)->name());
  return DidYouMean(first, names);
}

// The whole section that a change makes of `in_force`; null, and a problem more, where it cannot
// be.
std::unique_ptr<Message> SectionOf(const Change& change, const SectionInForce& in_force,
                                   const std::string& path, Problems& problems) {
  const std::string& type = in_force.prototype->GetTypeName();
  std::unique_ptr<Message> given(in_force.prototype->New());
  if (!change.has_config()) {
    problems.Add(path, "is missing; {\"@type\": \"type.googleapis.com/", type,
                 "\"} is one in which nothing is set");
    return nullptr;
  }
  std::string given_type;
  const std::string& url = change.config().type_url();
  if (!google::protobuf::Any::ParseAnyTypeUrl(url, &given_type) || given_type != type) {
    problems.Add(path, "\"@type\" is \"", absl::CHexEscape(url.substr(0, 128)),
                 "\", and not \"type.googleapis.com/", type, "\"");
    return nullptr;
  }
  if (change.config().value().size() > kLargest) {
    problems.Add(path, "has more than ", kLargest >> 10, " KiB");
    return nullptr;
  }
  if (!given->ParseFromString(change.config().value()) || HasUnknownFields(*given)) {
    problems.Add(path, "is no message of its type, or has fields that this program does not know");
    return nullptr;
  }
  if (change.mask().paths().empty()) {
    if (Unredact(in_force.message(), *given)) return given;
    problems.Add(path, kUnknownSecret);
    return nullptr;
  }
  for (const std::string& each : change.mask().paths()) {
    const std::vector<absl::string_view> parts = absl::StrSplit(each, '.');
    if (std::find(parts.begin(), parts.end(), "") == parts.end() &&
        FieldMaskUtil::GetFieldDescriptors(given->GetDescriptor(), each, nullptr)) {
      continue;
    }
    problems.Add(path, "mask: ", type, " has no field \"", absl::CHexEscape(each.substr(0, 64)),
                 "\"", NearestField(*given->GetDescriptor(), each));
    return nullptr;
  }
  // A secret that the mask names is what it is there; one inside of what it names may come back as
  // it was shown.
  google::protobuf::FieldMask secrets;
  google::protobuf::FieldMask others;
  for (const std::string& each : change.mask().paths()) {
    std::vector<const google::protobuf::FieldDescriptor*> fields;
    FieldMaskUtil::GetFieldDescriptors(given->GetDescriptor(), each, &fields);
    (IsSecret(*fields.back()) ? secrets : others).add_paths(each);
  }
  std::unique_ptr<Message> merged(in_force.prototype->New());
  merged->CopyFrom(in_force.message());
  FieldMaskUtil::MergeOptions options;
  options.set_replace_message_fields(true);
  options.set_replace_repeated_fields(true);
  FieldMaskUtil::MergeMessageTo(*given, secrets, options, merged.get());
  std::unique_ptr<Message> shown(in_force.prototype->New());
  FieldMaskUtil::MergeMessageTo(*given, others, options, shown.get());
  if (!Unredact(in_force.message(), *shown)) {
    problems.Add(path, kUnknownSecret);
    return nullptr;
  }
  FieldMaskUtil::MergeMessageTo(*shown, others, options, merged.get());
  return merged;
}

}  // namespace

absl::StatusOr<const SectionInForce*> FindSection(const std::string& name,
                                                  const SectionsInForce& sections) {
  if (const auto found = sections.all().find(name); found != sections.all().end()) {
    if (found->second.prototype != nullptr) return &found->second;
    return absl::FailedPreconditionError(absl::StrCat("component \"", name, "\" takes no section"));
  }
  const std::string set = name.substr(0, std::min(name.rfind('-'), name.size()));
  if (sections.all().count(set) != 0) {
    return absl::NotFoundError(absl::StrCat("no component \"", absl::CHexEscape(name.substr(0, 64)),
                                            "\" in the configuration; of a replica, name \"", set,
                                            "\""));
  }
  std::vector<std::string> names;
  for (const auto& [each, section] : sections.all()) names.push_back(each);
  return absl::NotFoundError(
      absl::StrCat("no component \"", absl::CHexEscape(name.substr(0, 64)),
                   "\"; there are: ", absl::StrJoin(NearestFirst(name, names), ", ")));
}

absl::StatusOr<std::vector<WantedSection>> ReadChanges(const Changes& changes,
                                                       const SectionsInForce& sections) {
  if (changes.empty()) {
    return absl::InvalidArgumentError("changes: missing; name a component and its section");
  }
  std::vector<WantedSection> wanted;
  std::set<std::string> seen;
  Problems problems;
  for (const Change& change : changes) {
    const absl::StatusOr<const SectionInForce*> in_force = FindSection(change.name(), sections);
    if (!in_force.ok()) return in_force.status();
    const std::string path =
        ItemPath("components", 0, change.name(), /*is_first=*/true) + ".config";
    if (!seen.insert(change.name()).second) {
      problems.Add(path, "is given twice");
      continue;
    }
    std::unique_ptr<Message> section = SectionOf(change, **in_force, path, problems);
    if (section == nullptr) continue;
    CheckBounds(*section, path, problems);
    wanted.push_back({change.name(), std::move(section), change.keep_over_file()});
  }
  if (!problems.empty()) return problems.status();
  return wanted;
}

absl::StatusOr<HostSaid> ReadHost(const Change& change, const host::v1::HostConfig& said,
                                  const SectionsInForce& sections) {
  SectionInForce host;
  host.prototype = &host::v1::HostConfig::default_instance();
  host.value = std::make_shared<host::v1::HostConfig>(said);
  Problems problems;
  const std::unique_ptr<Message> read = SectionOf(change, host, "config", problems);
  if (!problems.empty()) return problems.status();
  HostSaid wanted{static_cast<const host::v1::HostConfig&>(*read), {}};
  std::set<std::string> seen;
  for (const host::v1::Component& each : wanted.said.components()) {
    if (!each.has_config() || !seen.insert(each.name()).second) continue;
    const std::string path = ItemPath("components", 0, each.name(), /*is_first=*/true) + ".config";
    SectionInForce section = sections.New(TypeOf(each));
    const auto known = sections.all().find(each.name());
    if (known != sections.all().end() && known->second.type == section.type) {
      section = known->second;
    }
    if (section.prototype == nullptr) {
      problems.Add(path, "its type takes none; leave it out");
      continue;
    }
    Change alone;
    alone.set_name(each.name());
    *alone.mutable_config() = each.config();
    std::unique_ptr<Message> value = SectionOf(alone, section, path, problems);
    if (value == nullptr) continue;
    CheckBounds(*value, path, problems);
    if (IsSame(value.get(), &section.message())) continue;
    wanted.sections.push_back({each.name(), std::move(value), change.keep_over_file()});
  }
  if (!problems.empty()) return problems.status();
  wanted.said = WithoutSections(std::move(wanted.said));
  return wanted;
}

std::vector<WantedSection> Different(std::vector<WantedSection> wanted,
                                     const SectionsInForce& sections) {
  std::erase_if(wanted, [&](const WantedSection& each) {
    const auto known = sections.all().find(each.component);
    if (known == sections.all().end() || known->second.prototype == nullptr) return false;
    const SectionInForce& in_force = known->second;
    const Message& value = each.value == nullptr ? *in_force.prototype : *each.value;
    return IsSame(&value, &in_force.message()) && each.keep_over_file == in_force.keep_over_file &&
           (!each.is_the_files || in_force.is_the_files);
  });
  return wanted;
}

std::vector<config::v1::FieldChange> Compare(const std::vector<WantedSection>& wanted,
                                             const SectionsInForce& sections) {
  std::vector<config::v1::FieldChange> changes;
  for (const WantedSection& each : wanted) {
    const SectionInForce& in_force = sections.at(each.component);
    const Message& value = each.value == nullptr ? *in_force.prototype : *each.value;
    for (config::v1::FieldChange& change : DiffConfig(each.component, in_force.message(), value)) {
      changes.push_back(std::move(change));
    }
  }
  return changes;
}

}  // namespace mainspring
