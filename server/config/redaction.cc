#include "mainspring/server/config/redaction.h"

#include <memory>
#include <vector>

#include "google/protobuf/any.pb.h"
#include "google/protobuf/descriptor.h"
#include "mainspring/config/v1/setting.pb.h"
#include "mainspring/server/config/bounds.h"

namespace mainspring {
namespace {

using google::protobuf::Any;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

bool IsSecret(const FieldDescriptor& field) {
  return field.options().GetExtension(config::v1::setting).secret();
}

bool IsText(const FieldDescriptor& field) {
  return field.type() == FieldDescriptor::TYPE_STRING && !field.is_repeated();
}

std::vector<const FieldDescriptor*> FieldsOf(const Message& message) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  return fields;
}

}  // namespace

void Redact(Message& message) {
  const auto& reflection = *message.GetReflection();
  if (message.GetDescriptor()->full_name() == Any::descriptor()->full_name()) {
    const std::unique_ptr<Message> inside = Unpack(message);
    if (inside == nullptr) return;
    Redact(*inside);
    static_cast<Any&>(message).PackFrom(*inside);
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

void Unredact(const Message& before, Message& message) {
  const auto& reflection = *message.GetReflection();
  for (const FieldDescriptor* field : FieldsOf(message)) {
    if (IsSecret(*field) && IsText(*field)) {
      if (reflection.GetString(message, field) == kRedacted) {
        reflection.SetString(&message, field, reflection.GetString(before, field));
      }
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && !field->is_repeated()) {
      Unredact(reflection.GetMessage(before, field), *reflection.MutableMessage(&message, field));
    }
  }
}

}  // namespace mainspring
