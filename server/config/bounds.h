// CheckBounds: the values of a message against what its proto allows.
#ifndef MAINSPRING_SERVER_CONFIG_BOUNDS_H_
#define MAINSPRING_SERVER_CONFIG_BOUNDS_H_

#include <memory>
#include <string>

#include "google/protobuf/message.h"
#include "mainspring/server/config/problems.h"

namespace mainspring {

// Adds each value that its field's Setting (setting.proto) forbids, with its path, in messages
// inside of it as well, those in a google.protobuf.Any too. `path`: of the message itself.
void CheckBounds(const google::protobuf::Message& message, const std::string& path,
                 Problems& problems);

// The message in an Any, where the program was built with its type; null: it was not, or there is
// none.
std::unique_ptr<google::protobuf::Message> Unpack(const google::protobuf::Message& any);

// The name that a message has by a field of that name; empty: it has none.
std::string NameOfItem(const google::protobuf::Message& message);

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_CONFIG_BOUNDS_H_
