#include "mainspring/server/config/host_in_force.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/protobuf/util/message_differencer.h"
#include "mainspring/config/v1/config.pb.h"
#include "mainspring/server/config/host_changes.h"
#include "mainspring/text.h"

namespace mainspring {
namespace {

using config::v1::StoredRevision;
using google::protobuf::util::MessageDifferencer;

constexpr char kFileHolds[] = "the file says something else of the host than it did, and holds";
constexpr char kRevisionHolds[] =
    "the file says something else of the host than it did; the revision holds";
// The rest is in the two.
constexpr size_t kMostTold = 12;

std::string Told(uint64_t revision, const char* what) {
  return absl::StrCat("revision ", revision, ": ", what);
}

// "; not taken over: drain.timeout: 7s instead of 35s".
std::string Difference(const char* what, const HostConfig& from, const HostConfig& to) {
  std::vector<std::string> told;
  for (const config::v1::FieldChange& each : Compare(from, to).fields) {
    if (told.size() == kMostTold) {
      told.emplace_back("and more");
      break;
    }
    told.push_back(absl::StrCat(
        each.path(), ": ", each.new_value().empty() ? "nothing" : BoundedText(each.new_value(), 64),
        " instead of ", each.old_value().empty() ? "nothing" : BoundedText(each.old_value(), 64)));
  }
  return told.empty() ? "" : absl::StrCat("; ", what, ": ", absl::StrJoin(told, ", "));
}

}  // namespace

host::v1::HostConfig WithoutSections(host::v1::HostConfig message) {
  for (host::v1::Component& each : *message.mutable_components()) each.clear_config();
  return message;
}

void HostInForce::Merge() {
  config_ = value_.config;
  for (ComponentConfig& each : config_.components) {
    const ComponentConfig* const known = file_value_.config.Find(each.name);
    if (known != nullptr && known->type == each.type) each.config = known->config;
  }
  // Where revisions are kept is not a revision's to say.
  config_.state_dir = file_value_.config.state_dir;
}

void HostInForce::Set(LoadedConfig loaded, bool holds_over_file) {
  value_ = std::move(loaded);
  value_.said.clear_state_dir();
  is_the_files = false;
  keep_over_file = holds_over_file;
  Merge();
}

void HostInForce::SetToFile() {
  value_ = file_value_;
  is_the_files = true;
  keep_over_file = false;
  Merge();
}

std::string HostInForce::SetFile(LoadedConfig file) {
  const bool is_same = MessageDifferencer::Equals(file.said, file_value_.said);
  file_value_ = std::move(file);
  if (is_the_files || (!is_same && !keep_over_file)) {
    const bool was_a_revisions = !is_the_files;
    const HostConfig before = config();
    SetToFile();
    if (!was_a_revisions) return "";
    return absl::StrCat(Told(revision, kFileHolds), Difference("not taken over", config(), before));
  }
  Merge();
  if (is_same) return "";
  return absl::StrCat(Told(revision, kRevisionHolds),
                      Difference("over the file", file_value_.config, config()));
}

void HostInForce::Store(StoredRevision& to) const {
  if (is_the_files) return;
  StoredRevision::StoredHost& stored = *to.mutable_host();
  *stored.mutable_value() = value_.said;
  *stored.mutable_file_value() = file_value_.said;
  stored.set_keep_over_file(keep_over_file);
  stored.set_revision(revision);
}

HostInForce RestoreHost(const LoadedConfig& file, const StoredRevision& revision,
                        const ReadHostConfig& read, std::string& told) {
  HostInForce host(file);
  if (!revision.has_host()) return host;
  const StoredRevision::StoredHost& stored = revision.host();
  absl::StatusOr<LoadedConfig> loaded = read(stored.value());
  if (!loaded.ok()) {
    told = absl::StrCat("revision ", stored.revision(), ": of the host, cannot hold any more: ",
                        std::string(loaded.status().message()));
    return host;
  }
  // As it was, whose file is looked at as any other that has changed.
  HostInForce then({file.config, stored.file_value()});
  then.Set(*std::move(loaded), stored.keep_over_file());
  then.revision = stored.revision();
  told = then.SetFile(file);
  if (then.is_the_files) then.revision = 0;
  return then;
}

}  // namespace mainspring
