// What a program of its own components needs to be a host: HostMain for a process, Host for tests
// and for programs that have a main already.
#ifndef MAINSPRING_HOST_H_
#define MAINSPRING_HOST_H_

#include "mainspring/server/host.h"       // IWYU pragma: export
#include "mainspring/server/host_main.h"  // IWYU pragma: export

#endif  // MAINSPRING_HOST_H_
