#include "mainspring/server/config/config_diff.h"

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/util/message_differencer.h"
#include "mainspring/server/config/config_text.h"

namespace mainspring {
namespace {

using config::v1::FieldChange;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::util::MessageDifferencer;

bool IsSame(const Message& before, const Message& after, const FieldDescriptor& field) {
  MessageDifferencer differencer;
  return differencer.CompareWithFields(before, after, {&field}, {&field});
}

void Diff(const std::string& name, const std::string& path, const Message& before,
          const Message& after, std::vector<FieldChange>& changes) {
  for (int i = 0; i < before.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *before.GetDescriptor()->field(i);
    if (IsSame(before, after, field)) continue;
    const std::string at = absl::StrCat(path, path.empty() ? "" : ".", field.name());
    const auto& reflection = *before.GetReflection();
    if (!field.is_repeated() && !HasOneValue(field) && reflection.HasField(before, &field) &&
        reflection.HasField(after, &field)) {
      Diff(name, at, reflection.GetMessage(before, &field), reflection.GetMessage(after, &field),
           changes);
      continue;
    }
    FieldChange& change = changes.emplace_back();
    change.set_name(name);
    change.set_path(at);
    change.set_old_value(ValueText(before, field));
    change.set_new_value(ValueText(after, field));
    const config::v1::Effect effect = field.options().GetExtension(config::v1::setting).effect();
    change.set_effect(effect == config::v1::EFFECT_UNSPECIFIED ? config::v1::EFFECT_LIVE : effect);
  }
}

}  // namespace

std::vector<FieldChange> DiffConfig(const std::string& name, const Message& before,
                                    const Message& after) {
  std::vector<FieldChange> changes;
  Diff(name, "", before, after, changes);
  return changes;
}

}  // namespace mainspring
