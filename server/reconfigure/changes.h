// ReadChanges: what a client asks to have changed, as sections that are whole and within bounds.
#ifndef MAINSPRING_SERVER_RECONFIGURE_CHANGES_H_
#define MAINSPRING_SERVER_RECONFIGURE_CHANGES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "mainspring/config/v1/config.pb.h"
#include "mainspring/control_request.h"
#include "mainspring/host/v1/host.pb.h"
#include "mainspring/server/reconfigure/sections_in_force.h"

namespace mainspring {

// A section that is to be.
struct WantedSection {
  std::string component;
  Section value;
  bool keep_over_file = false;
  bool is_the_files = false;  // what the file says, and no revision's any more
};

using Changes = google::protobuf::RepeatedPtrField<config::v1::Change>;

// That of the component of that name. NOT_FOUND, FAILED_PRECONDITION: see config.proto.
absl::StatusOr<const SectionInForce*> FindSection(const std::string& name,
                                                  const SectionsInForce& sections);

// Each as it would be, whether it is so already or not: with a mask, the rest as it is in force;
// secrets that were not sent, likewise. NOT_FOUND, FAILED_PRECONDITION: see config.proto.
// INVALID_ARGUMENT: all that is wrong, by component and field.
absl::StatusOr<std::vector<WantedSection>> ReadChanges(const Changes& changes,
                                                       const SectionsInForce& sections);

// A change of the host's own configuration, which may have sections of components in it.
struct HostSaid {
  host::v1::HostConfig said;  // without them
  std::vector<WantedSection> sections;
};
// The host as it would be. With a mask, the rest is as it was `said` before; a section that is left
// out stays as it is in force, and secrets that were not sent, too. INVALID_ARGUMENT: as
// ReadChanges.
absl::StatusOr<HostSaid> ReadHost(const config::v1::Change& change,
                                  const host::v1::HostConfig& said,
                                  const SectionsInForce& sections);

// Those of them that are not so yet.
std::vector<WantedSection> Different(std::vector<WantedSection> wanted,
                                     const SectionsInForce& sections);

// Field by field.
std::vector<config::v1::FieldChange> Compare(const std::vector<WantedSection>& wanted,
                                             const SectionsInForce& sections);

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_RECONFIGURE_CHANGES_H_
