#include "mainspring/server/config/message_reader.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/protobuf/util/json_util.h"
#include "mainspring/config/v1/setting.pb.h"
#include "mainspring/proto_time.h"
#include "mainspring/server/config/nearest_name.h"
#include "mainspring/server/config/redaction.h"
#include "mainspring/server/config/scalars.h"

namespace mainspring {
namespace {

using google::protobuf::Any;
using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using Kind = YamlNode::Kind;

bool Is(const FieldDescriptor& field, const Descriptor* type) {
  return field.message_type() != nullptr && field.message_type()->full_name() == type->full_name();
}

// Protobuf's own types that JSON has a form of its own for; the same form is theirs in a file.
bool HasJsonForm(const Descriptor& type) {
  static constexpr absl::string_view kOfItsOwn[] = {"Struct", "Value", "ListValue", "FieldMask"};
  if (type.file()->package() != "google.protobuf") return false;
  return absl::EndsWith(type.name(), "Value") ||
         std::find(std::begin(kOfItsOwn), std::end(kOfItsOwn), type.name()) != std::end(kOfItsOwn);
}

const char* NameOf(Kind kind) {
  switch (kind) {
    case Kind::kNothing:
      return "nothing";
    case Kind::kScalar:
      return "a single value";
    case Kind::kList:
      return "a list";
    case Kind::kMap:
      return "fields";
  }
  return "";
}

std::string Quoted(absl::string_view text) {
  return absl::StrCat("\"", absl::CHexEscape(text.substr(0, 64)), "\"");
}

std::string JsonString(absl::string_view text) {
  google::protobuf::Value value;
  value.set_string_value(std::string(text));
  std::string json;
  return google::protobuf::util::MessageToJsonString(value, &json).ok() ? json : "\"\"";
}

// Sets the field, or adds to it where it is repeated.
class Setter {
 public:
  Setter(Message& message, const FieldDescriptor& field) : message_(message), field_(field) {}
  template <class T>
  void operator()(void (Reflection::*set)(Message*, const FieldDescriptor*, T) const,
                  void (Reflection::*add)(Message*, const FieldDescriptor*, T) const,
                  T value) const {
    const Reflection& reflection = *message_.GetReflection();
    (reflection.*(field_.is_repeated() ? add : set))(&message_, &field_, std::move(value));
  }

 private:
  Message& message_;
  const FieldDescriptor& field_;
};

template <class Narrow, class Wide>
absl::StatusOr<Narrow> NarrowTo(absl::StatusOr<Wide> number) {
  if (!number.ok()) return number.status();
  if (*number < std::numeric_limits<Narrow>::min() ||
      *number > std::numeric_limits<Narrow>::max()) {
    return absl::InvalidArgumentError(absl::StrCat("\"", *number, "\" is not from ",
                                                   std::numeric_limits<Narrow>::min(), " to ",
                                                   std::numeric_limits<Narrow>::max()));
  }
  return static_cast<Narrow>(*number);
}

// A whole number, or a size where the field is one.
template <class Wide>
absl::StatusOr<Wide> ParseWhole(absl::string_view text, const FieldDescriptor& field) {
  if (!field.options().GetExtension(config::v1::setting).bytes()) {
    if constexpr (std::is_signed_v<Wide>) return ParseSigned(text);
    if constexpr (!std::is_signed_v<Wide>) return ParseUnsigned(text);
  }
  const absl::StatusOr<uint64_t> bytes = ParseBytes(text);
  if (!bytes.ok()) return bytes.status();
  return static_cast<Wide>(*bytes);
}

absl::StatusOr<const EnumValueDescriptor*> ParseEnum(absl::string_view text,
                                                     const EnumDescriptor& type) {
  std::vector<std::string> names;
  for (int i = 0; i < type.value_count(); ++i) {
    const EnumValueDescriptor& value = *type.value(i);
    if (text == NameInFile(value) || text == value.name()) return &value;
    // The first says that nothing was said.
    if (value.number() != 0) names.push_back(NameInFile(value));
  }
  return absl::InvalidArgumentError(absl::StrCat(
      Quoted(text), " is none of ", absl::StrJoin(names, ", "), DidYouMean(text, names)));
}

}  // namespace

std::string NameInFile(const EnumValueDescriptor& value) {
  // KIND_PERMANENT of Kind, ON_EXCEPTION_RESTART of OnException.
  std::string prefix;
  for (const char each : value.type()->name()) {
    if (absl::ascii_isupper(static_cast<unsigned char>(each)) && !prefix.empty()) prefix += '_';
    prefix += absl::ascii_toupper(static_cast<unsigned char>(each));
  }
  absl::string_view name = value.name();
  absl::ConsumePrefix(&name, absl::StrCat(prefix, "_"));
  return absl::AsciiStrToLower(name);
}

std::string ItemPath(absl::string_view list, int index, absl::string_view name, bool is_first) {
  if (name.empty() || !is_first) return absl::StrCat(list, "[", index, "]");
  return absl::StrCat(list, "[", absl::CHexEscape(name.substr(0, 64)), "]");
}

void MessageReader::Add(const YamlNode& node, const std::string& path, absl::string_view what) {
  problems_.AddAt(node.at, path, what);
}

void MessageReader::Read(const YamlNode& node, const std::string& path, Message& message) {
  if (node.kind == Kind::kNothing) return;
  const Descriptor& type = *message.GetDescriptor();
  if (node.kind != Kind::kMap) {
    // An item that is short for its name: depends_on: [clock].
    const bool is_short =
        node.kind == Kind::kScalar && absl::EndsWith(path, "]") && type.field_count() > 0;
    return Add(
        node, path,
        absl::StrCat("has fields, and not ", NameOf(node.kind),
                     is_short ? absl::StrCat("; write {", type.field(0)->name(), ": ...}") : ""));
  }
  std::vector<const YamlNode::Entry*> anys;
  for (const YamlNode::Entry& entry : node.entries) {
    const std::string field_path = absl::StrCat(path, path.empty() ? "" : ".", entry.key);
    const FieldDescriptor* const field = type.FindFieldByName(entry.key);
    if (field == nullptr) {
      std::vector<std::string> names;
      for (int i = 0; i < type.field_count(); ++i) names.push_back(type.field(i)->name());
      problems_.AddAt(
          entry.key_at,
          absl::StrCat(path, path.empty() ? "" : ".", absl::CHexEscape(entry.key.substr(0, 64))),
          "is not known", DidYouMean(entry.key, names));
      continue;
    }
    if (entry.first_at.line != 0) {
      problems_.AddAt(entry.key_at, field_path, "is given twice; first in line ",
                      entry.first_at.line);
      continue;
    }
    origins_.emplace(field_path, entry.key_at);
    if (Is(*field, Any::descriptor()) && !field->is_repeated()) {
      // What it is, the others tell.
      anys.push_back(&entry);
      continue;
    }
    ReadField(*entry.value, field_path, message, *field);
  }
  for (const YamlNode::Entry* entry : anys) {
    const FieldDescriptor* const field = type.FindFieldByName(entry->key);
    ReadAny(*entry->value, absl::StrCat(path, path.empty() ? "" : ".", entry->key), message,
            *message.GetReflection()->MutableMessage(&message, field));
  }
}

void MessageReader::ReadField(const YamlNode& node, const std::string& path, Message& message,
                              const Field& field) {
  if (field.is_map()) return ReadMap(node, path, message, field);
  if (field.is_repeated()) return ReadList(node, path, message, field);
  if (const auto* oneof = field.real_containing_oneof();
      oneof != nullptr && message.GetReflection()->HasOneof(message, oneof)) {
    const Field* const other = message.GetReflection()->GetOneofFieldDescriptor(message, oneof);
    return Add(node, path, absl::StrCat("excludes \"", other->name(), "\", which is given too"));
  }
  ReadOne(node, path, message, field);
}

void MessageReader::ReadList(const YamlNode& node, const std::string& path, Message& message,
                             const Field& field) {
  if (node.kind == Kind::kNothing) return;
  if (node.kind != Kind::kList) {
    return Add(node, path,
               absl::StrCat("is a list, and not ", NameOf(node.kind),
                            node.kind == Kind::kScalar && !IsSecret(field)
                                ? absl::StrCat("; write [", node.text, "]")
                                : ""));
  }
  std::set<std::string> names;
  for (size_t i = 0; i < node.items.size(); ++i) {
    const YamlNode& item = *node.items[i];
    std::string name;
    for (const YamlNode::Entry& entry : item.entries) {
      if (entry.key == "name" && entry.value->kind == Kind::kScalar) name = entry.value->text;
    }
    const std::string item_path =
        ItemPath(path, static_cast<int>(i), name, names.insert(name).second);
    origins_.emplace(item_path, item.at);
    if (item.kind == Kind::kNothing) {
      Add(item, item_path, "an item without a value");
    } else {
      ReadOne(item, item_path, message, field);
    }
  }
}

void MessageReader::ReadMap(const YamlNode& node, const std::string& path, Message& message,
                            const Field& field) {
  if (node.kind == Kind::kNothing) return;
  if (node.kind != Kind::kMap) {
    return Add(node, path, absl::StrCat("has keys and values, and not ", NameOf(node.kind)));
  }
  for (const YamlNode::Entry& entry : node.entries) {
    const std::string entry_path =
        absl::StrCat(path, "[", absl::CHexEscape(entry.key.substr(0, 64)), "]");
    if (entry.first_at.line != 0) {
      problems_.AddAt(entry.key_at, entry_path, "is given twice; first in line ",
                      entry.first_at.line);
      continue;
    }
    origins_.emplace(entry_path, entry.key_at);
    Message& item = *message.GetReflection()->AddMessage(&message, &field);
    const Descriptor& type = *field.message_type();
    if (absl::Status set = SetText(entry.key, item, *type.map_key()); !set.ok()) {
      problems_.AddAt(entry.key_at, entry_path, set.message());
    }
    ReadOne(*entry.value, entry_path, item, *type.map_value());
  }
}

void MessageReader::ReadOne(const YamlNode& node, const std::string& path, Message& message,
                            const Field& field) {
  const Reflection& reflection = *message.GetReflection();
  const bool is_time = Is(field, google::protobuf::Duration::descriptor()) ||
                       Is(field, google::protobuf::Timestamp::descriptor());
  if (field.cpp_type() == Field::CPPTYPE_MESSAGE && !is_time) {
    // Of which all is commented out.
    if (node.kind == Kind::kNothing) return;
    return ReadMessage(node, path,
                       field.is_repeated() ? *reflection.AddMessage(&message, &field)
                                           : *reflection.MutableMessage(&message, &field));
  }
  if (node.kind == Kind::kNothing) {
    return Add(node, path, "has no value; leave the key out for its default");
  }
  if (node.kind != Kind::kScalar) {
    return Add(node, path, absl::StrCat("is a single value, and not ", NameOf(node.kind)));
  }
  std::string text;
  if (!TextOf(node, path, text)) return;
  const bool is_secret = IsSecret(field);
  if (field.cpp_type() == Field::CPPTYPE_STRING && !node.quoted && text == node.text &&
      IsTakenForAnotherType(text)) {
    Add(node, path,
        absl::StrCat(is_secret ? "it" : Quoted(text),
                     " is text here, and not for every reader of YAML; write it in quotes"));
  }
  const absl::Status set = SetText(text, message, field);
  if (set.ok()) return;
  // The value of a secret is in no report.
  if (is_secret) {
    Add(node, path, "is not a valid value");
  } else if (text != node.text) {
    Add(node, path, absl::StrCat(Quoted(node.text), " stands for what is not a valid value"));
  } else {
    Add(node, path, set.message());
  }
}

void MessageReader::ReadMessage(const YamlNode& node, const std::string& path, Message& message) {
  if (HasJsonForm(*message.GetDescriptor())) return ReadAsJson(node, path, message);
  if (message.GetDescriptor()->full_name() == Any::descriptor()->full_name()) {
    return Add(node, path, "a message of any type has no form in a file");
  }
  Read(node, path, message);
}

void MessageReader::ReadAny(const YamlNode& node, const std::string& path, const Message& parent,
                            Message& any) {
  const absl::StatusOr<const Message*> type = hooks_.type_of_any(parent);
  // Why it is not known is told elsewhere.
  if (!type.ok()) return;
  if (*type == nullptr) {
    if (node.kind != Kind::kNothing) Add(node, path, "its type takes none; leave it out");
    return;
  }
  const std::unique_ptr<Message> section((*type)->New());
  Read(node, path, *section);
  static_cast<Any&>(any).PackFrom(*section);
}

void MessageReader::ReadAsJson(const YamlNode& node, const std::string& path, Message& message) {
  std::string json;
  if (!AppendJson(node, path, json)) return;
  const auto read = google::protobuf::util::JsonStringToMessage(json, &message);
  // Why, it would tell with the value.
  if (!read.ok()) Add(node, path, absl::StrCat("is no ", message.GetDescriptor()->name()));
}

bool MessageReader::AppendJson(const YamlNode& node, const std::string& path, std::string& json) {
  std::string text;
  const char* separator = "";
  switch (node.kind) {
    case Kind::kNothing:
      json += "null";
      return true;
    case Kind::kScalar: {
      if (!TextOf(node, path, text)) return false;
      const bool is_bare = !node.quoted && (ParseBool(text).ok() || ParseNumber(text).ok());
      json += is_bare ? text : JsonString(text);
      return true;
    }
    case Kind::kList:
      json += '[';
      for (const auto& item : node.items) {
        json += std::exchange(separator, ",");
        if (!AppendJson(*item, path, json)) return false;
      }
      json += ']';
      return true;
    case Kind::kMap:
      json += '{';
      for (const YamlNode::Entry& entry : node.entries) {
        absl::StrAppend(&json, std::exchange(separator, ","), JsonString(entry.key), ":");
        if (!AppendJson(*entry.value, path, json)) return false;
      }
      json += '}';
      return true;
  }
  return false;
}

bool MessageReader::TextOf(const YamlNode& node, const std::string& path, std::string& text) {
  absl::StatusOr<std::string> substituted = hooks_.substitute(node.text);
  if (!substituted.ok()) {
    Add(node, path, substituted.status().message());
    return false;
  }
  text = *std::move(substituted);
  if (text.find('\0') == std::string::npos) return true;
  Add(node, path, "has a NUL character");
  return false;
}

absl::Status MessageReader::SetText(const std::string& text, Message& message, const Field& field) {
  const Setter set(message, field);
  const auto give = [&](auto setter, auto adder, auto value) {
    if (!value.ok()) return value.status();
    set(setter, adder, *std::move(value));
    return absl::OkStatus();
  };
  switch (field.cpp_type()) {
    case Field::CPPTYPE_BOOL:
      return give(&Reflection::SetBool, &Reflection::AddBool, ParseBool(text));
    case Field::CPPTYPE_INT32:
      return give(&Reflection::SetInt32, &Reflection::AddInt32,
                  NarrowTo<int32_t>(ParseWhole<int64_t>(text, field)));
    case Field::CPPTYPE_INT64:
      return give(&Reflection::SetInt64, &Reflection::AddInt64, ParseWhole<int64_t>(text, field));
    case Field::CPPTYPE_UINT32:
      return give(&Reflection::SetUInt32, &Reflection::AddUInt32,
                  NarrowTo<uint32_t>(ParseWhole<uint64_t>(text, field)));
    case Field::CPPTYPE_UINT64:
      return give(&Reflection::SetUInt64, &Reflection::AddUInt64,
                  ParseWhole<uint64_t>(text, field));
    case Field::CPPTYPE_DOUBLE:
      return give(&Reflection::SetDouble, &Reflection::AddDouble, ParseNumber(text));
    case Field::CPPTYPE_FLOAT: {
      absl::StatusOr<double> number = ParseNumber(text);
      if (!number.ok()) return number.status();
      if (std::abs(*number) > std::numeric_limits<float>::max()) {
        return absl::InvalidArgumentError(absl::StrCat(Quoted(text), " is too large"));
      }
      set(&Reflection::SetFloat, &Reflection::AddFloat, static_cast<float>(*number));
      return absl::OkStatus();
    }
    case Field::CPPTYPE_ENUM:
      return give(&Reflection::SetEnum, &Reflection::AddEnum, ParseEnum(text, *field.enum_type()));
    case Field::CPPTYPE_STRING: {
      std::string value = text;
      if (field.type() == Field::TYPE_BYTES && !absl::Base64Unescape(text, &value)) {
        return absl::InvalidArgumentError("is not base64");
      }
      set(&Reflection::SetString, &Reflection::AddString, std::move(value));
      return absl::OkStatus();
    }
    case Field::CPPTYPE_MESSAGE:
      break;
  }
  const auto new_message = [&]() -> Message& {
    const Reflection& reflection = *message.GetReflection();
    return field.is_repeated() ? *reflection.AddMessage(&message, &field)
                               : *reflection.MutableMessage(&message, &field);
  };
  if (Is(field, google::protobuf::Duration::descriptor())) {
    const absl::StatusOr<absl::Duration> duration = ParseTime(text);
    if (!duration.ok()) return duration.status();
    ToProto(*duration, static_cast<google::protobuf::Duration&>(new_message()));
    return absl::OkStatus();
  }
  absl::Time point;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, text, &point, &error)) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(text), " is not a time, such as 2026-01-02T03:04:05Z"));
  }
  ToProto(point, static_cast<google::protobuf::Timestamp&>(new_message()));
  return absl::OkStatus();
}

}  // namespace mainspring
