// ConfigFile: a host's configuration file, as it was read: what it says, and where.
#ifndef MAINSPRING_SERVER_CONFIG_CONFIG_FILE_H_
#define MAINSPRING_SERVER_CONFIG_CONFIG_FILE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "mainspring/host/v1/host.pb.h"
#include "mainspring/server/config/problems.h"
#include "mainspring/server/config/sections.h"

namespace mainspring {

struct ConfigFile {
  std::string path;
  host::v1::HostConfig said;  // and nothing that it leaves out
  Origins origins;
  // False: it is not YAML to its end, or cannot be read, so what is missing may well be there.
  bool whole = false;
  // It has no value at all: comments at the most.
  bool blank = false;

  // Adds all that is wrong with the text by itself: see YamlTree and MessageReader. What fits is in
  // `said`.
  static ConfigFile Parse(std::string path, absl::string_view text, const Sections& sections,
                          Problems& problems);
  // The same of a file of 1 MiB at most. Blocks for as long as it takes to come.
  static ConfigFile Read(std::string path, const Sections& sections, Problems& problems);
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_CONFIG_CONFIG_FILE_H_
