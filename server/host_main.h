// HostMain: what a main needs around its list of component types.
//
//   int main(int argc, char** argv) {
//     return mainspring::HostMain(argc, argv, {ClockType<Clock>("clock")});
//   }
#ifndef MAINSPRING_SERVER_HOST_MAIN_H_
#define MAINSPRING_SERVER_HOST_MAIN_H_

#include <functional>
#include <vector>

#include "mainspring/server/config/host_config.h"
#include "mainspring/server/rpc/component_type.h"

namespace mainspring {

// Parses the flags, runs a host until it was drained by a signal, and returns the exit code: with
// what the file of --config says, and without one with a component of each type, each named as its
// type. The first thing that main calls; once in a process: it blocks signals and takes over gRPC's
// log. --help tells the flags.
//
// 0 a clean drain. 64 a flag is wrong. 69 an essential component did not start. 70 the exit guard
// had to act. 71 an essential component was given up on. 74 an address cannot be bound. 75 calls
// were cut. 78 the configuration file is wrong.
int HostMain(int argc, char** argv, std::vector<ComponentType> types);

// The same; `adjust` sets the program's defaults, which the file and the flags go over.
int HostMain(int argc, char** argv, std::vector<ComponentType> types,
             const std::function<void(HostConfig&)>& adjust);

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_HOST_MAIN_H_
