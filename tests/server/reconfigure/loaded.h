// Loaded: a configuration as if it had been read from a file that says what is not so by default.
#ifndef MAINSPRING_TESTS_SERVER_RECONFIGURE_LOADED_H_
#define MAINSPRING_TESTS_SERVER_RECONFIGURE_LOADED_H_

#include <vector>

#include "google/protobuf/util/message_differencer.h"
#include "mainspring/server/config/config_text.h"
#include "mainspring/server/config/host_config_message.h"
#include "mainspring/server/config/host_in_force.h"

namespace mainspring::testing {

// Clears what is as it is in `plain`.
inline void ClearSame(google::protobuf::Message& message, const google::protobuf::Message& plain) {
  const auto& reflection = *message.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const auto* field : fields) {
    google::protobuf::util::MessageDifferencer differencer;
    if (differencer.CompareWithFields(message, plain, {field}, {field})) {
      reflection.ClearField(&message, field);
    } else if (!field->is_repeated() && !HasOneValue(*field)) {
      ClearSame(*reflection.MutableMessage(&message, field), reflection.GetMessage(plain, field));
    }
  }
}

inline LoadedConfig Loaded(const HostConfig& config) {
  host::v1::HostConfig said = WithoutSections(ToMessage(config));
  ClearSame(said, ToMessage(HostConfig()));
  return {config, said};
}

}  // namespace mainspring::testing

#endif  // MAINSPRING_TESTS_SERVER_RECONFIGURE_LOADED_H_
