// The two forms of a host's configuration: HostConfig, which the host is made of, and
// mainspring.host.v1.HostConfig, which a file says and operators see.
#ifndef MAINSPRING_SERVER_CONFIG_HOST_CONFIG_MESSAGE_H_
#define MAINSPRING_SERVER_CONFIG_HOST_CONFIG_MESSAGE_H_

#include <string>

#include "mainspring/host/v1/host.pb.h"
#include "mainspring/server/config/host_config.h"
#include "mainspring/server/config/problems.h"

namespace mainspring {

// All of it, defaults too; but for what it has none for, and for sockets that were passed.
host::v1::HostConfig ToMessage(const HostConfig& config);

// The name of a component's type, which is its own where it says none.
const std::string& TypeOf(const host::v1::Component& component);

// Sets what `said` says, and leaves the rest as it is. Lists take the place of those that were
// there, empty ones too where `origins` has them; a component begins as the first of its type was,
// and as a ComponentConfig is where there was none.
void Apply(const host::v1::HostConfig& said, const Origins& origins, HostConfig& config);

// The paths of all that it says, which is in no file: each is nowhere.
Origins PathsOf(const host::v1::HostConfig& said);

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_CONFIG_HOST_CONFIG_MESSAGE_H_
