// Redact: a configuration as it may be shown: without what its proto marks as secret.
#ifndef MAINSPRING_SERVER_CONFIG_REDACTION_H_
#define MAINSPRING_SERVER_CONFIG_REDACTION_H_

#include <string>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace mainspring {

// What stands for a secret text.
inline constexpr char kRedacted[] = "<redacted>";

// Whether a field's values are nobody's to see.
bool IsSecret(const google::protobuf::FieldDescriptor& field);

// Takes secrets out of the message, and of those in it: a text becomes kRedacted, anything else is
// cleared. What a google.protobuf.Any has of a type that the program was not built with goes too.
void Redact(google::protobuf::Message& message);

// The secrets that are texts or bytes, for whoever hides them elsewhere.
std::vector<std::string> SecretsOf(const google::protobuf::Message& message);

// The reverse, of a message that was shown and comes back changed: what Redact has made of a secret
// becomes what it is in `before`; in a list of messages, by their names, or, where they have none
// and are as many as there were, by their places. False where a text is kRedacted still, so that
// nobody knows what it is to be.
bool Unredact(const google::protobuf::Message& before, google::protobuf::Message& message);

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_CONFIG_REDACTION_H_
