// SectionsInForce: what each component's section is, and where it is from.
#ifndef MAINSPRING_SERVER_RECONFIGURE_SECTIONS_IN_FORCE_H_
#define MAINSPRING_SERVER_RECONFIGURE_SECTIONS_IN_FORCE_H_

#include <cstdint>
#include <map>
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
  std::string type;
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

// By the names of components. One thread only.
class SectionsInForce {
 public:
  // As the file says. `types`: what each type of component takes.
  SectionsInForce(const HostConfig& config, Sections types);

  // Of one that joins, of that type: without a value. One of no type takes none.
  SectionInForce New(const std::string& type) const;
  // Another file: those that it does not have go, those that it alone has are as it says, and so
  // are those of another type. What is in force of the others stays.
  void SetFile(const HostConfig& config);

  // As a revision says, where the file says what it did then, or the revision holds over it. A
  // sentence for each that is not taken over, or only because it holds over the file, with both
  // values.
  std::vector<std::string> Restore(const config::v1::StoredRevision& revision);
  // Those that are a revision's: "clock (revision 4)".
  std::vector<std::string> OfRevisions() const;

  const std::map<std::string, SectionInForce>& all() const { return all_; }
  // std::out_of_range: there is no component of that name.
  const SectionInForce& at(const std::string& name) const { return all_.at(name); }
  SectionInForce& at(const std::string& name) { return all_.at(name); }

  // What is to be written down: all that are not the file's.
  void Store(config::v1::StoredRevision& revision) const;

 private:
  std::string RestoreOne(const config::v1::StoredRevision::StoredSection& stored);

  Sections types_;
  std::map<std::string, SectionInForce> all_;
};

// Whether both say the same, even if that is nothing.
bool IsSame(const google::protobuf::Message* left, const google::protobuf::Message* right);

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_RECONFIGURE_SECTIONS_IN_FORCE_H_
