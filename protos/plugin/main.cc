#include <google/protobuf/compiler/plugin.h>

#include "protos/plugin/generator.h"

int main(int argc, char* argv[]) {
  const mainspring::plugin::Generator generator;
  return google::protobuf::compiler::PluginMain(argc, argv, &generator);
}
