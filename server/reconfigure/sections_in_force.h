// SectionsInForce: what each component's section is, and where it is from.
#ifndef MAINSPRING_SERVER_RECONFIGURE_SECTIONS_IN_FORCE_H_
#define MAINSPRING_SERVER_RECONFIGURE_SECTIONS_IN_FORCE_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "google/protobuf/message.h"
#include "mainspring/config/v1/config.pb.h"
#include "mainspring/config/v1/stored_revision.pb.h"
#include "mainspring/control_request.h"
#include "mainspring/server/config/host_config.h"
#include "mainspring/server/config/sections.h"

namespace mainspring {

struct SectionInForce {
  std::string name;
  // What its class is Configurable with; null: nothing.
  const google::protobuf::Message* prototype = nullptr;
  Section value;             // null: nothing is set
  Section file_value;        // what the file, or the program, says; null: nothing
  uint64_t revision = 0;     // that changed it last; 0: none did
  bool is_the_files = true;  // and is what the file says, now
  bool keep_over_file = false;

  // What is set, even if that is nothing. For one that takes a section.
  const google::protobuf::Message& message() const { return value ? *value : *prototype; }
  config::v1::Source source() const;
};

// By the numbers that components have in their host. One thread only.
class SectionsInForce {
 public:
  // As the file says.
  SectionsInForce(const HostConfig& config, const Sections& types);

  // As a revision says, where the file says what it did then, or the revision holds over it. A
  // sentence for each that is not taken over, or only because it holds over the file, with both
  // values.
  std::vector<std::string> Restore(const config::v1::StoredRevision& revision);
  // Those that are a revision's: "clock (revision 4)".
  std::vector<std::string> OfRevisions() const;

  size_t size() const { return all_.size(); }
  const SectionInForce& at(size_t component) const { return all_[component]; }
  SectionInForce& at(size_t component) { return all_[component]; }

  // What is to be written down: all that are not the file's.
  void Store(config::v1::StoredRevision& revision) const;

 private:
  std::string RestoreOne(const config::v1::StoredRevision::StoredSection& stored);

  std::vector<SectionInForce> all_;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_RECONFIGURE_SECTIONS_IN_FORCE_H_
