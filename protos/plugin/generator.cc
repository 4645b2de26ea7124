#include "protos/plugin/generator.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/printer.h>
#include <google/protobuf/io/zero_copy_stream.h>

#include <memory>

#include "protos/plugin/binding_text.h"
#include "protos/plugin/component_text.h"
#include "protos/plugin/options.h"
#include "protos/plugin/refusal.h"
#include "protos/plugin/service_model.h"

namespace mainspring::plugin {
namespace {

using google::protobuf::FileDescriptor;
using google::protobuf::compiler::GeneratorContext;
using google::protobuf::io::Printer;

void Write(const File& file, const char* ending, void (*print)(const File&, Printer*),
           GeneratorContext* context) {
  const std::unique_ptr<google::protobuf::io::ZeroCopyOutputStream> output(
      context->Open(file.stem + ending));
  Printer printer(output.get(), '$');
  print(file, &printer);
}

}  // namespace

bool Generator::Generate(const FileDescriptor* file, const std::string& parameter,
                         GeneratorContext* context, std::string* error) const {
  return GenerateAll({file}, parameter, context, error);
}

bool Generator::GenerateAll(const std::vector<const FileDescriptor*>& files,
                            const std::string& parameter, GeneratorContext* context,
                            std::string* error) const {
  Options options;
  std::string refused = ParseOptions(parameter, &options);
  refused += UnknownRenames(files, options);
  for (const FileDescriptor* file : files) {
    for (const Refusal& refusal : Refusals(*file, options)) refused += Text(refusal) + "\n";
  }
  if (!refused.empty()) {
    refused.pop_back();
    // protoc puts "--mainspring_out: " in front: editors find file:line at the start of a line
    // only.
    *error = "refused\n" + refused;
    return false;
  }
  for (const FileDescriptor* descriptor : files) {
    const File file = Describe(*descriptor, options);
    Write(file, ".component.pb.h", &PrintComponentHeader, context);
    Write(file, ".component.pb.cc", &PrintComponentSource, context);
    Write(file, ".binding.pb.h", &PrintBindingHeader, context);
    Write(file, ".binding.pb.cc", &PrintBindingSource, context);
  }
  return true;
}

}  // namespace mainspring::plugin
