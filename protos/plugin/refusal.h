#ifndef MAINSPRING_PROTOS_PLUGIN_REFUSAL_H_
#define MAINSPRING_PROTOS_PLUGIN_REFUSAL_H_

#include <google/protobuf/descriptor.h>

#include <string>
#include <utility>
#include <vector>

#include "protos/plugin/options.h"

namespace mainspring::plugin {

// Why no code can be generated for a proto: "what is wrong: why. Way out."
struct Refusal {
  std::string file;
  int line = 1;  // from 1, as editors count
  int column = 1;
  std::string text;
};

// "path/file.proto:LINE:COLUMN: text".
std::string Text(const Refusal& refusal);

// A refusal of a service or rpc, where it is declared.
template <class Described>
Refusal RefusalOf(const Described& described, std::string text) {
  Refusal refusal{.file = std::string(described.file()->name()), .text = std::move(text)};
  google::protobuf::SourceLocation location;
  if (described.GetSourceLocation(&location)) {
    refusal.line = location.start_line + 1;
    refusal.column = location.start_column + 1;
  }
  return refusal;
}

// "path/file.proto:LINE", where a message, enum, service or rpc is declared.
template <class Described>
std::string Place(const Described& described) {
  const Refusal here = RefusalOf(described, "");
  return here.file + ":" + std::to_string(here.line);
}

// "rpc Clock.GetTime".
std::string Title(const google::protobuf::MethodDescriptor& rpc);

// Every reason to refuse the proto, in the order of its lines: whatever protoc accepts and passes
// these checks becomes C++ that compiles. A proto without services is never refused.
std::vector<Refusal> Refusals(const google::protobuf::FileDescriptor& file, const Options& options);

// Of the options: renames of rpcs that none of the files has, a paragraph each.
std::string UnknownRenames(const std::vector<const google::protobuf::FileDescriptor*>& files,
                           const Options& options);

}  // namespace mainspring::plugin

#endif  // MAINSPRING_PROTOS_PLUGIN_REFUSAL_H_
