// DiffConfig: what is different between two configurations, field by field.
#ifndef MAINSPRING_SERVER_CONFIG_CONFIG_DIFF_H_
#define MAINSPRING_SERVER_CONFIG_CONFIG_DIFF_H_

#include <string>
#include <vector>

#include "google/protobuf/message.h"
#include "mainspring/config/v1/config.pb.h"

namespace mainspring {

// Of two messages of one type: each field that is not the same, by its path, with both values as a
// file has them, secrets redacted, and what a change of it costs; EFFECT_LIVE where its proto does
// not say. Lists and maps are one value. `name` is what each is told to be of.
std::vector<config::v1::FieldChange> DiffConfig(const std::string& name,
                                                const google::protobuf::Message& before,
                                                const google::protobuf::Message& after);

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_CONFIG_CONFIG_DIFF_H_
