// Redact: a configuration as it may be shown: without what its proto marks as secret.
#ifndef MAINSPRING_SERVER_CONFIG_REDACTION_H_
#define MAINSPRING_SERVER_CONFIG_REDACTION_H_

#include "google/protobuf/message.h"

namespace mainspring {

// What stands for a secret text.
inline constexpr char kRedacted[] = "<redacted>";

// Takes secrets out of the message, and of those in it, in a google.protobuf.Any too where the
// program was built with its type: a text becomes kRedacted, anything else is cleared.
void Redact(google::protobuf::Message& message);

// The reverse, of a message that was shown and comes back changed: texts that are kRedacted become
// what they are in `before`.
void Unredact(const google::protobuf::Message& before, google::protobuf::Message& message);

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_CONFIG_REDACTION_H_
