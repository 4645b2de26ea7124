#include "mainspring/server/config/bounds.h"

#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/duration.pb.h"
#include "mainspring/config/v1/setting.pb.h"
#include "mainspring/proto_time.h"
#include "mainspring/server/config/message_reader.h"
#include "mainspring/server/config/scalars.h"

namespace mainspring {
namespace {

using config::v1::Setting;
using google::protobuf::Any;
using google::protobuf::Duration;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Exact for all 64-bit numbers, where it has that many digits (x86), and near enough elsewhere.
using Number = long double;
// What bounds are set to: a number, or a time; nothing, of other values.
using Value = std::variant<std::monostate, Number, absl::Duration>;

// As far as a google.protobuf.Duration reaches: 10,000 years.
constexpr absl::Duration kForEver = absl::Seconds(315'576'000'000);

bool IsDuration(const FieldDescriptor& field) {
  return field.message_type() != nullptr &&
         field.message_type()->full_name() == Duration::descriptor()->full_name();
}

template <class T>
Number Get(const Message& message, const FieldDescriptor& field, int index,
           T (Reflection::*one)(const Message&, const FieldDescriptor*) const,
           T (Reflection::*many)(const Message&, const FieldDescriptor*, int) const) {
  const Reflection& reflection = *message.GetReflection();
  return field.is_repeated() ? static_cast<Number>((reflection.*many)(message, &field, index))
                             : static_cast<Number>((reflection.*one)(message, &field));
}

const Message& MessageAt(const Message& message, const FieldDescriptor& field, int index) {
  const Reflection& reflection = *message.GetReflection();
  return field.is_repeated() ? reflection.GetRepeatedMessage(message, &field, index)
                             : reflection.GetMessage(message, &field);
}

Value ValueOf(const Message& message, const FieldDescriptor& field, int index) {
  const auto get = [&](auto one, auto many) -> Value {
    return Get(message, field, index, one, many);
  };
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return get(&Reflection::GetInt32, &Reflection::GetRepeatedInt32);
    case FieldDescriptor::CPPTYPE_INT64:
      return get(&Reflection::GetInt64, &Reflection::GetRepeatedInt64);
    case FieldDescriptor::CPPTYPE_UINT32:
      return get(&Reflection::GetUInt32, &Reflection::GetRepeatedUInt32);
    case FieldDescriptor::CPPTYPE_UINT64:
      return get(&Reflection::GetUInt64, &Reflection::GetRepeatedUInt64);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return get(&Reflection::GetFloat, &Reflection::GetRepeatedFloat);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return get(&Reflection::GetDouble, &Reflection::GetRepeatedDouble);
    default:
      break;
  }
  if (!IsDuration(field)) return std::monostate();
  Duration time;
  time.CopyFrom(MessageAt(message, field, index));
  const absl::StatusOr<absl::Duration> duration = FromProto(time);
  return duration.ok() && absl::AbsDuration(*duration) < kForEver ? Value(*duration)
                                                                  : Value(absl::InfiniteDuration());
}

// Nothing: it is no such value.
std::optional<Value> BoundOf(const std::string& text, const Value& like, const Setting& setting) {
  if (std::holds_alternative<absl::Duration>(like)) {
    if (const auto time = ParseTime(text); time.ok()) return *time;
  } else if (setting.bytes()) {
    if (const auto bytes = ParseBytes(text); bytes.ok()) return static_cast<Number>(*bytes);
  } else if (const auto whole = ParseSigned(text); whole.ok()) {
    return static_cast<Number>(*whole);
  } else if (const auto number = ParseNumber(text); number.ok()) {
    return static_cast<Number>(*number);
  }
  return std::nullopt;
}

std::string TextOf(const Value& value, const Setting& setting) {
  if (setting.secret()) return "its value";
  if (const auto* time = std::get_if<absl::Duration>(&value)) return FormatTime(*time);
  const Number number = std::get<Number>(value);
  if (setting.bytes() && number >= 0) return FormatBytes(static_cast<uint64_t>(number));
  return number == std::floor(number) && std::abs(number) < 1e18L
             ? absl::StrCat(static_cast<int64_t>(number))
             : FormatNumber(static_cast<double>(number));
}

void CheckValue(const Value& value, const Setting& setting, const std::string& path,
                Problems& problems) {
  // Sums of times are waited for, and no sum may be for ever.
  if (value == Value(absl::InfiniteDuration())) {
    problems.Add(path, "inf is not a time that can be waited for");
    return;
  }
  const struct {
    const std::string& text;
    const char* what;
    bool (*is_wrong)(const Value& value, const Value& bound);
  } bounds[] = {
      // What is no number at all fulfils nothing.
      {setting.least(), "is less than", [](auto& value, auto& bound) { return !(value >= bound); }},
      {setting.most(), "is more than", [](auto& value, auto& bound) { return !(value <= bound); }},
      {setting.above(), "is not more than",
       [](auto& value, auto& bound) { return !(value > bound); }},
      {setting.below(), "is not less than",
       [](auto& value, auto& bound) { return !(value < bound); }},
  };
  for (const auto& bound : bounds) {
    if (bound.text.empty()) continue;
    const std::optional<Value> against = BoundOf(bound.text, value, setting);
    if (!against.has_value()) {
      problems.Add(path, "its proto has a bound that is none, \"", bound.text, "\"");
      return;
    }
    if (!bound.is_wrong(value, *against)) continue;
    problems.Add(path, TextOf(value, setting), " ", bound.what, " ", bound.text);
    return;
  }
}

void CheckField(const Message& message, const FieldDescriptor& field, const std::string& path,
                Problems& problems);

void CheckItem(const Message& message, const FieldDescriptor& field, int index,
               const std::string& path, Problems& problems) {
  const Value value = ValueOf(message, field, index);
  if (!std::holds_alternative<std::monostate>(value)) {
    CheckValue(value, field.options().GetExtension(config::v1::setting), path, problems);
  } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
    const auto& reflection = *message.GetReflection();
    const int number = field.is_repeated() ? reflection.GetRepeatedEnumValue(message, &field, index)
                                           : reflection.GetEnumValue(message, &field);
    if (field.enum_type()->FindValueByNumber(number) == nullptr) {
      problems.Add(path, number, " is none of its values");
    }
  } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    CheckBounds(MessageAt(message, field, index), path, problems);
  }
}

void CheckField(const Message& message, const FieldDescriptor& field, const std::string& path,
                Problems& problems) {
  if (!field.is_repeated()) return CheckItem(message, field, 0, path, problems);
  std::set<std::string> names;
  const int size = message.GetReflection()->FieldSize(message, &field);
  for (int i = 0; i < size; ++i) {
    std::string name;
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      name = NameOfItem(MessageAt(message, field, i));
    }
    CheckItem(message, field, i, ItemPath(path, i, name, names.insert(name).second), problems);
  }
}

}  // namespace

void CheckBounds(const Message& message, const std::string& path, Problems& problems) {
  if (message.GetDescriptor()->full_name() == Any::descriptor()->full_name()) {
    if (const std::unique_ptr<Message> inside = Unpack(message)) {
      CheckBounds(*inside, path, problems);
    }
    return;
  }
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    CheckField(message, *field, absl::StrCat(path, path.empty() ? "" : ".", field->name()),
               problems);
  }
}

std::unique_ptr<Message> Unpack(const Message& message) {
  Any any;
  any.CopyFrom(message);
  std::string name;
  if (!Any::ParseAnyTypeUrl(any.type_url(), &name)) return nullptr;
  const auto* const type =
      google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(name);
  if (type == nullptr) return nullptr;
  const Message* const prototype =
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type);
  if (prototype == nullptr) return nullptr;
  std::unique_ptr<Message> inside(prototype->New());
  return any.UnpackTo(inside.get()) ? std::move(inside) : nullptr;
}

std::string NameOfItem(const Message& message) {
  const FieldDescriptor* const field = message.GetDescriptor()->FindFieldByName("name");
  if (field == nullptr || field->is_repeated() ||
      field->cpp_type() != FieldDescriptor::CPPTYPE_STRING) {
    return "";
  }
  return message.GetReflection()->GetString(message, field);
}

}  // namespace mainspring
