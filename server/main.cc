#include "components/clock/clock.h"
#include "mainspring/clock/v1/clock.binding.pb.h"
#include "mainspring/server/host_main.h"

int main(int argc, char** argv) {
  using mainspring::clock::Clock;
  return mainspring::HostMain(argc, argv, {mainspring::clock::v1::ClockType<Clock>("clock")});
}
