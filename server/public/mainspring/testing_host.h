// A whole host in a test's process. Beside "mainspring/testing.h", which needs none.
#ifndef MAINSPRING_TESTING_HOST_H_
#define MAINSPRING_TESTING_HOST_H_

#include "mainspring/server/running_host.h"  // IWYU pragma: export

#endif  // MAINSPRING_TESTING_HOST_H_
