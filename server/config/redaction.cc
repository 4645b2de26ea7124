#include "mainspring/server/config/redaction.h"

#include <memory>
#include <vector>

#include "google/protobuf/any.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/util/message_differencer.h"
#include "mainspring/config/v1/setting.pb.h"
#include "mainspring/server/config/bounds.h"

namespace mainspring {
namespace {

using google::protobuf::Any;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

bool IsText(const FieldDescriptor& field) {
  return field.type() == FieldDescriptor::TYPE_STRING && !field.is_repeated();
}

bool IsEmpty(const Message& message, const FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  return field.is_repeated() ? reflection.FieldSize(message, &field) == 0
                             : !reflection.HasField(message, &field);
}

std::vector<const FieldDescriptor*> FieldsOf(const Message& message) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  return fields;
}

// All texts in a message that is one, as a whole.
void AddSecrets(const Message& message, bool all, std::vector<std::string>& secrets) {
  if (message.GetDescriptor()->full_name() == Any::descriptor()->full_name()) {
    const std::unique_ptr<Message> inside = Unpack(message);
    if (inside != nullptr) AddSecrets(*inside, all, secrets);
    return;
  }
  const auto& reflection = *message.GetReflection();
  for (const FieldDescriptor* field : FieldsOf(message)) {
    const bool is_secret = all || IsSecret(*field);
    const int size = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    for (int i = 0; i < size; ++i) {
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        const Message& inside = field->is_repeated()
                                    ? reflection.GetRepeatedMessage(message, field, i)
                                    : reflection.GetMessage(message, field);
        AddSecrets(inside, is_secret, secrets);
      } else if (is_secret && field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
        secrets.push_back(field->is_repeated() ? reflection.GetRepeatedString(message, field, i)
                                               : reflection.GetString(message, field));
      }
    }
  }
}

// The item that it was: of its name, or, in a map, of its key; of those that have none, the one at
// its place, where there are as many as there were. Null: there is none.
const Message* ItemBefore(const Message& before, const Message& message,
                          const FieldDescriptor& field, int index) {
  const auto& reflection = *message.GetReflection();
  const Message& item = reflection.GetRepeatedMessage(message, &field, index);
  const int size = reflection.FieldSize(before, &field);
  const FieldDescriptor* const identity = field.is_map()
                                              ? field.message_type()->map_key()
                                              : field.message_type()->FindFieldByName("name");
  if (identity == nullptr) {
    const bool is_as_long = size == reflection.FieldSize(message, &field);
    return is_as_long ? &reflection.GetRepeatedMessage(before, &field, index) : nullptr;
  }
  for (int i = 0; i < size; ++i) {
    const Message& then = reflection.GetRepeatedMessage(before, &field, i);
    google::protobuf::util::MessageDifferencer differencer;
    if (differencer.CompareWithFields(then, item, {identity}, {identity})) return &then;
  }
  return nullptr;
}

}  // namespace

bool IsSecret(const FieldDescriptor& field) {
  return field.options().GetExtension(config::v1::setting).secret();
}

void Redact(Message& message) {
  const auto& reflection = *message.GetReflection();
  if (message.GetDescriptor()->full_name() == Any::descriptor()->full_name()) {
    const std::unique_ptr<Message> inside = Unpack(message);
    // Of a message that is not known, nobody knows what is secret.
    if (inside == nullptr) return message.Clear();
    Redact(*inside);
    Any redacted;
    redacted.PackFrom(*inside);
    message.CopyFrom(redacted);
    return;
  }
  for (const FieldDescriptor* field : FieldsOf(message)) {
    if (IsSecret(*field)) {
      if (IsText(*field)) {
        reflection.SetString(&message, field, kRedacted);
      } else {
        reflection.ClearField(&message, field);
      }
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && field->is_repeated()) {
      for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
        Redact(*reflection.MutableRepeatedMessage(&message, field, i));
      }
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      Redact(*reflection.MutableMessage(&message, field));
    }
  }
}

std::vector<std::string> SecretsOf(const Message& message) {
  std::vector<std::string> secrets;
  AddSecrets(message, /*all=*/false, secrets);
  return secrets;
}

bool Unredact(const Message& before, Message& message) {
  const auto& reflection = *message.GetReflection();
  const auto copy_back = [&](const FieldDescriptor& field) {
    const std::unique_ptr<Message> kept(before.New());
    kept->CopyFrom(before);
    reflection.SwapFields(&message, kept.get(), {&field});
  };
  bool is_known = true;
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *message.GetDescriptor()->field(i);
    const bool is_message = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (IsSecret(field)) {
      const bool was_shown = IsText(field) ? reflection.GetString(message, &field) == kRedacted
                                           : IsEmpty(message, field);
      if (was_shown && !IsEmpty(before, field)) {
        copy_back(field);
      }
      is_known = is_known && !(IsText(field) && reflection.GetString(message, &field) == kRedacted);
    } else if (is_message && field.is_repeated()) {
      for (int j = 0; j < reflection.FieldSize(message, &field); ++j) {
        Message& item = *reflection.MutableRepeatedMessage(&message, &field, j);
        const std::unique_ptr<Message> nothing(item.New());
        const Message* const then = ItemBefore(before, message, field, j);
        is_known = Unredact(then == nullptr ? *nothing : *then, item) && is_known;
      }
    } else if (is_message && reflection.HasField(message, &field)) {
      is_known = Unredact(reflection.GetMessage(before, &field),
                          *reflection.MutableMessage(&message, &field)) &&
                 is_known;
    }
  }
  return is_known;
}

}  // namespace mainspring
