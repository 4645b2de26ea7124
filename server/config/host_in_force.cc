#include "mainspring/server/config/host_in_force.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/message_differencer.h"
#include "mainspring/server/config/host_config_message.h"

namespace mainspring {
namespace {

using config::v1::StoredRevision;
using google::protobuf::util::MessageDifferencer;

constexpr char kHolds[] = "the file says something else of the host than it did, and holds";
constexpr char kGivesWay[] =
    "the file says something else of the host than it did; the revision holds";

// Each component that `file` has too, of the same type, has the section that it has there.
HostConfig WithSectionsOf(const HostConfig& file, HostConfig config) {
  for (ComponentConfig& each : config.components) {
    const auto known = std::find_if(
        file.components.begin(), file.components.end(),
        [&](const auto& other) { return other.name == each.name && other.type == each.type; });
    if (known != file.components.end()) each.config = known->config;
  }
  return config;
}

std::string Told(uint64_t revision, const char* what) {
  return absl::StrCat("revision ", revision, ": ", what);
}

}  // namespace

host::v1::HostConfig WithoutSections(host::v1::HostConfig message) {
  for (host::v1::Component& each : *message.mutable_components()) each.clear_config();
  return message;
}

void HostInForce::Set(LoadedConfig loaded, bool holds_over_file) {
  value = std::move(loaded);
  value.config = WithSectionsOf(file_value.config, std::move(value.config));
  // Where revisions are kept is not a revision's to say.
  value.config.state_dir = file_value.config.state_dir;
  value.said.clear_state_dir();
  is_the_files = false;
  keep_over_file = holds_over_file;
}

void HostInForce::SetToFile() {
  value = file_value;
  is_the_files = true;
  keep_over_file = false;
}

std::string HostInForce::SetFile(LoadedConfig file) {
  const bool is_same = MessageDifferencer::Equals(file.said, file_value.said);
  file_value = std::move(file);
  if (is_the_files || (!is_same && !keep_over_file)) {
    const bool gives_way = !is_the_files;
    SetToFile();
    return gives_way ? Told(revision, kHolds) : "";
  }
  Set(std::move(value), keep_over_file);
  return is_same ? "" : Told(revision, kGivesWay);
}

void HostInForce::Store(StoredRevision& to) const {
  if (is_the_files) return;
  StoredRevision::StoredHost& stored = *to.mutable_host();
  *stored.mutable_value() = value.said;
  *stored.mutable_file_value() = file_value.said;
  stored.set_keep_over_file(keep_over_file);
  stored.set_revision(revision);
}

HostInForce RestoreHost(const LoadedConfig& file, const StoredRevision& revision,
                        const ReadHostConfig& read, std::string& told) {
  HostInForce host{.value = file, .file_value = file};
  if (!revision.has_host()) return host;
  const StoredRevision::StoredHost& stored = revision.host();
  const bool is_same = MessageDifferencer::Equals(stored.file_value(), file.said);
  if (!is_same && !stored.keep_over_file()) {
    told = Told(stored.revision(), kHolds);
    return host;
  }
  absl::StatusOr<LoadedConfig> loaded = read(stored.value());
  if (!loaded.ok()) {
    told = absl::StrCat("revision ", stored.revision(), ": of the host, cannot hold any more: ",
                        std::string(loaded.status().message()));
    return host;
  }
  if (!is_same) told = Told(stored.revision(), kGivesWay);
  host.Set(*std::move(loaded), stored.keep_over_file());
  host.revision = stored.revision();
  return host;
}

}  // namespace mainspring
