// ConfigText: a configuration as a file that says the same, with remarks.
#ifndef MAINSPRING_SERVER_CONFIG_CONFIG_TEXT_H_
#define MAINSPRING_SERVER_CONFIG_CONFIG_TEXT_H_

#include <functional>
#include <string>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace mainspring {

struct Remarks {
  // The lines above a field, without "# "; a comment that says what the field is.
  std::function<std::vector<std::string>(const google::protobuf::FieldDescriptor& field)> above =
      [](const google::protobuf::FieldDescriptor&) { return std::vector<std::string>(); };
  // What stands behind the value at `path`, without "# "; empty: nothing.
  std::function<std::string(const std::string& path)> behind = [](const std::string&) {
    return std::string();
  };
  // Fields without a value too, behind a "# "; and one item, so too, of lists that are empty.
  bool all_fields = false;
};

// YAML that MessageReader makes the message of, but for secrets, which are "<redacted>".
// A message in a google.protobuf.Any is shown as it is, where the program was built with its type.
std::string ConfigText(const google::protobuf::Message& message, const Remarks& remarks);

// Whether a field's value, or each of its values, is one line of text, a time for one, and not a
// message with fields.
bool HasOneValue(const google::protobuf::FieldDescriptor& field);
// The field's value as it stands in a file, on one line; of messages, as JSON. Empty: it is not
// set.
std::string ValueText(const google::protobuf::Message& message,
                      const google::protobuf::FieldDescriptor& field);

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_CONFIG_CONFIG_TEXT_H_
