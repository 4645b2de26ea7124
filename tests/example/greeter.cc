#include "greeter.h"

#include "hello/v1/greeter.binding.pb.h"
#include "mainspring/host.h"

int main(int argc, char** argv) {
  return mainspring::HostMain(argc, argv, {hello::v1::GreeterType<Greeter>("greeter")});
}
