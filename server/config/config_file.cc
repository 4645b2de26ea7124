#include "mainspring/server/config/config_file.h"

#include <utility>

#include "absl/status/statusor.h"
#include "mainspring/server/config/host_config_message.h"
#include "mainspring/server/config/message_reader.h"
#include "mainspring/server/config/read_file.h"
#include "mainspring/server/config/substitution.h"
#include "mainspring/server/config/yaml_tree.h"

namespace mainspring {
namespace {

using google::protobuf::Message;

constexpr size_t kLargest = size_t{1} << 20;

}  // namespace

ConfigFile ConfigFile::Parse(std::string path, absl::string_view text, const Sections& sections,
                             Problems& problems) {
  ConfigFile file;
  file.path = std::move(path);
  const YamlTree tree = YamlTree::Parse(text, problems);
  file.whole = tree.whole;
  file.blank = tree.root == nullptr || tree.root->kind == YamlNode::Kind::kNothing;
  if (tree.root == nullptr) return file;
  const MessageReader::Hooks hooks{
      .type_of_any = [&](const Message& parent) -> absl::StatusOr<const Message*> {
        // A section may have one of its own.
        if (parent.GetDescriptor() != host::v1::Component::descriptor()) return nullptr;
        const auto found = sections.find(TypeOf(static_cast<const host::v1::Component&>(parent)));
        if (found == sections.end()) return absl::NotFoundError("no such type");
        return found->second;
      },
      .substitute = &Substitute,
  };
  MessageReader(hooks, problems, file.origins).Read(*tree.root, "", file.said);
  return file;
}

ConfigFile ConfigFile::Read(std::string path, const Sections& sections, Problems& problems) {
  const absl::StatusOr<std::string> text = ReadFile(path, kLargest);
  if (text.ok()) return Parse(std::move(path), *text, sections, problems);
  problems.Add("", text.status().message());
  ConfigFile file;
  file.path = std::move(path);
  return file;
}

}  // namespace mainspring
