// Sections: which component types a program has, and what each takes as its section.
#ifndef MAINSPRING_SERVER_CONFIG_SECTIONS_H_
#define MAINSPRING_SERVER_CONFIG_SECTIONS_H_

#include <map>
#include <string>

#include "google/protobuf/message.h"
#include "mainspring/server/config/host_config.h"
#include "mainspring/server/config/problems.h"

namespace mainspring {

// By the type's name: the message that its class is Configurable with; null where it is not.
using Sections = std::map<std::string, const google::protobuf::Message*>;

// Adds each component of a type that is none, with the nearest name that is one, and each section
// that is another message than its type's.
void CheckSections(const HostConfig& config, const Sections& sections, Problems& problems);

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_CONFIG_SECTIONS_H_
