// MessageReader: fills a proto message from a YAML tree, as its descriptor says. Any message has a
// form in a file by this: fields by their names, times as 5s, sizes as 4MiB, values of an enum in
// lower case without what they all begin with.
#ifndef MAINSPRING_SERVER_CONFIG_MESSAGE_READER_H_
#define MAINSPRING_SERVER_CONFIG_MESSAGE_READER_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "mainspring/server/config/problems.h"
#include "mainspring/server/config/yaml_tree.h"

namespace mainspring {

// The name of an enum's value in a file: FORMAT_JSON of Format is "json".
std::string NameInFile(const google::protobuf::EnumValueDescriptor& value);

// The path of item `index` of a list: "components[2]", or, by the name that it has and none before
// it had, "components[clock]".
std::string ItemPath(absl::string_view list, int index, absl::string_view name, bool is_first);

// One thread only.
class MessageReader {
 public:
  struct Hooks {
    // The message that a google.protobuf.Any in `parent` is to have, whose other fields are there;
    // null: `parent` says which, and it takes none. NOT_FOUND: `parent` does not say.
    std::function<absl::StatusOr<const google::protobuf::Message*>(
        const google::protobuf::Message& parent)>
        type_of_any;
    // What a value's text stands for: see substitution.h.
    std::function<absl::StatusOr<std::string>(absl::string_view text)> substitute;
  };

  // All must outlive it. `origins` are filled with what is read.
  MessageReader(const Hooks& hooks, Problems& problems, Origins& origins)
      : hooks_(hooks), problems_(problems), origins_(origins) {}

  // Reads what it can into `message`, which is empty; adds what is wrong with the rest: a key that
  // is no field, or given twice, with the nearest that is one; a value of another type, or without
  // quotes where readers of YAML differ about it; two of a oneof.
  void Read(const YamlNode& node, const std::string& path, google::protobuf::Message& message);

 private:
  using Field = google::protobuf::FieldDescriptor;
  using Message = google::protobuf::Message;

  void ReadField(const YamlNode& node, const std::string& path, Message& message,
                 const Field& field);
  void ReadList(const YamlNode& node, const std::string& path, Message& message,
                const Field& field);
  void ReadMap(const YamlNode& node, const std::string& path, Message& message, const Field& field);
  void ReadOne(const YamlNode& node, const std::string& path, Message& message, const Field& field);
  void ReadMessage(const YamlNode& node, const std::string& path, Message& message);
  void ReadAny(const YamlNode& node, const std::string& path, const Message& parent, Message& any);
  void ReadAsJson(const YamlNode& node, const std::string& path, Message& message);
  bool AppendJson(const YamlNode& node, const std::string& path, std::string& json);
  absl::Status SetText(const std::string& text, Message& message, const Field& field);
  // The text of a scalar, with what it stands for; nothing where that is wrong, which is told.
  bool TextOf(const YamlNode& node, const std::string& path, std::string& text);
  void Add(const YamlNode& node, const std::string& path, absl::string_view what);

  const Hooks& hooks_;
  Problems& problems_;
  Origins& origins_;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_CONFIG_MESSAGE_READER_H_
