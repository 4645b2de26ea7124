#ifndef MAINSPRING_PROTOS_PLUGIN_GENERATOR_H_
#define MAINSPRING_PROTOS_PLUGIN_GENERATOR_H_

#include <google/protobuf/compiler/code_generator.h>

#include <cstdint>
#include <string>
#include <vector>

namespace mainspring::plugin {

// protoc-gen-mainspring: writes X.component.pb.{h,cc} and X.binding.pb.{h,cc} for each X.proto.
//
// All or nothing: when a proto of the run is refused, no file is written, and `error` holds every
// refusal of every proto, a paragraph each. A proto without services gets its four files too, with
// includes and guards alone, so that build rules need not look into protos.
class Generator final : public google::protobuf::compiler::CodeGenerator {
 public:
  bool Generate(const google::protobuf::FileDescriptor* file, const std::string& parameter,
                google::protobuf::compiler::GeneratorContext* context,
                std::string* error) const override;
  bool GenerateAll(const std::vector<const google::protobuf::FileDescriptor*>& files,
                   const std::string& parameter,
                   google::protobuf::compiler::GeneratorContext* context,
                   std::string* error) const override;
#if GOOGLE_PROTOBUF_VERSION >= 5026000  // the first with editions
  uint64_t GetSupportedFeatures() const override {
    return FEATURE_PROTO3_OPTIONAL | FEATURE_SUPPORTS_EDITIONS;
  }
  google::protobuf::Edition GetMinimumEdition() const override {
    return google::protobuf::EDITION_PROTO2;
  }
  google::protobuf::Edition GetMaximumEdition() const override {
    return google::protobuf::EDITION_2023;
  }
#else
  uint64_t GetSupportedFeatures() const override { return FEATURE_PROTO3_OPTIONAL; }
#endif
};

}  // namespace mainspring::plugin

#endif  // MAINSPRING_PROTOS_PLUGIN_GENERATOR_H_
