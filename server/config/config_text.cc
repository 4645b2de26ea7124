#include "mainspring/server/config/config_text.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/protobuf/util/json_util.h"
#include "mainspring/config/v1/setting.pb.h"
#include "mainspring/proto_time.h"
#include "mainspring/server/config/bounds.h"
#include "mainspring/server/config/message_reader.h"
#include "mainspring/server/config/redaction.h"
#include "mainspring/server/config/scalars.h"
#include "mainspring/server/config/substitution.h"

namespace mainspring {
namespace {

using google::protobuf::Any;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

bool Is(const Descriptor& type, const Descriptor* other) {
  return type.full_name() == other->full_name();
}

// The code point that begins there, and how many bytes it has. The text is UTF-8, or bytes pass as
// they are.
std::pair<uint32_t, size_t> CodePointAt(absl::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const size_t size = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (size == 1 || text.size() < size) return {first, 1};
  uint32_t point = first & (0x7FU >> size);
  for (size_t i = 1; i < size; ++i) point = point << 6 | (static_cast<uint32_t>(text[i]) & 0x3FU);
  return {point, size};
}

// As YAML has it in double quotes; JSON's surrogate pairs are not its.
std::string QuotedYaml(absl::string_view text) {
  std::string quoted = "\"";
  while (!text.empty()) {
    const auto [point, size] = CodePointAt(text);
    if (point == '"' || point == '\\') {
      absl::StrAppend(&quoted, "\\", text.substr(0, 1));
    } else if (point == '\n') {
      quoted += "\\n";
    } else if (point == '\t') {
      quoted += "\\t";
    } else if (point < 0x20 || (point >= 0x7F && point < 0xA0)) {
      absl::StrAppendFormat(&quoted, "\\x%02x", point);
    } else if (point >= 0x2000 && point < 0x10000) {
      absl::StrAppendFormat(&quoted, "\\u%04x", point);
    } else if (point >= 0x10000) {
      absl::StrAppendFormat(&quoted, "\\U%08x", point);
    } else {
      absl::StrAppend(&quoted, text.substr(0, size));
    }
    text.remove_prefix(size);
  }
  return quoted + "\"";
}

// Without quotes where no reader of YAML takes it for anything else.
std::string YamlString(const std::string& raw) {
  const std::string text = Unsubstituted(raw);
  const bool is_plain = !text.empty() &&
                        absl::ascii_isalnum(static_cast<unsigned char>(text.front())) &&
                        text.back() != ':' && !IsTakenForAnotherType(text) &&
                        std::all_of(text.begin(), text.end(), [](char each) {
                          return absl::ascii_isalnum(static_cast<unsigned char>(each)) ||
                                 absl::StrContains("_./-+@:%", each);
                        });
  if (is_plain) return text;
  return QuotedYaml(text);
}

std::string TextOfTime(const Message& message) {
  if (Is(*message.GetDescriptor(), google::protobuf::Duration::descriptor())) {
    google::protobuf::Duration proto;
    proto.CopyFrom(message);
    return FormatTime(FromProto(proto).value_or(absl::ZeroDuration()));
  }
  std::string json;
  const auto written = google::protobuf::util::MessageToJsonString(message, &json);
  return written.ok() ? json : "null";
}

// One value, of a list where `index` is not negative.
std::string TextOf(const Message& message, const FieldDescriptor& field, int index) {
  const Reflection& reflection = *message.GetReflection();
  const bool many = field.is_repeated();
  const auto& setting = field.options().GetExtension(config::v1::setting);
  const auto whole = [&](auto number) {
    return setting.bytes() && number >= 0 ? FormatBytes(static_cast<uint64_t>(number))
                                          : absl::StrCat(number);
  };
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return (many ? reflection.GetRepeatedBool(message, &field, index)
                   : reflection.GetBool(message, &field))
                 ? "true"
                 : "false";
    case FieldDescriptor::CPPTYPE_INT32:
      return whole(many ? reflection.GetRepeatedInt32(message, &field, index)
                        : reflection.GetInt32(message, &field));
    case FieldDescriptor::CPPTYPE_INT64:
      return whole(many ? reflection.GetRepeatedInt64(message, &field, index)
                        : reflection.GetInt64(message, &field));
    case FieldDescriptor::CPPTYPE_UINT32:
      return whole(many ? reflection.GetRepeatedUInt32(message, &field, index)
                        : reflection.GetUInt32(message, &field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return whole(many ? reflection.GetRepeatedUInt64(message, &field, index)
                        : reflection.GetUInt64(message, &field));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return FormatNumber(many ? reflection.GetRepeatedDouble(message, &field, index)
                               : reflection.GetDouble(message, &field));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return FormatNumber(many ? reflection.GetRepeatedFloat(message, &field, index)
                               : reflection.GetFloat(message, &field));
    case FieldDescriptor::CPPTYPE_ENUM:
      return NameInFile(many ? *reflection.GetRepeatedEnum(message, &field, index)
                             : *reflection.GetEnum(message, &field));
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string text = many ? reflection.GetRepeatedString(message, &field, index)
                                    : reflection.GetString(message, &field);
      return YamlString(field.type() == FieldDescriptor::TYPE_BYTES ? absl::Base64Escape(text)
                                                                    : text);
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return TextOfTime(many ? reflection.GetRepeatedMessage(message, &field, index)
                             : reflection.GetMessage(message, &field));
  }
  return "";
}

std::string ListText(const Message& message, const FieldDescriptor& field) {
  std::vector<std::string> items;
  for (int i = 0; i < message.GetReflection()->FieldSize(message, &field); ++i) {
    items.push_back(TextOf(message, field, i));
  }
  return absl::StrCat("[", absl::StrJoin(items, ", "), "]");
}

// That there is none may be known.
bool IsHidden(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  return IsSecret(field) && (field.is_repeated() ? reflection.FieldSize(message, &field) > 0
                                                 : reflection.HasField(message, &field));
}

class Printer {
 public:
  explicit Printer(const Remarks& remarks) : remarks_(remarks) {}

  // `lead` begins each line: blanks, and "# " where what is shown is not said.
  void Print(const Message& message, const std::string& path, const std::string& lead) {
    const Descriptor& type = *message.GetDescriptor();
    const bool is_new = described_.insert(type.full_name()).second;
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor& field = *type.field(i);
      if (!remarks_.all_fields && !HasValue(message, field)) continue;
      if (is_new) {
        for (const std::string& line : remarks_.above(field)) Line(lead, absl::StrCat("# ", line));
      }
      PrintField(message, field, absl::StrCat(path, path.empty() ? "" : ".", field.name()), lead);
    }
  }

  std::string Take() { return std::move(text_); }

 private:
  // A plain field of proto3 has one always.
  static bool HasValue(const Message& message, const FieldDescriptor& field) {
    const Reflection& reflection = *message.GetReflection();
    if (field.is_repeated()) return reflection.FieldSize(message, &field) > 0;
    return !field.has_presence() || reflection.HasField(message, &field);
  }

  void Line(const std::string& lead, const std::string& text, const std::string& behind = "") {
    absl::StrAppend(&text_, lead, text, behind.empty() ? "" : absl::StrCat("  # ", behind), "\n");
  }

  void PrintField(const Message& message, const FieldDescriptor& field, const std::string& path,
                  const std::string& lead) {
    const std::string key = absl::StrCat(field.name(), ":");
    if (IsHidden(message, field)) {
      return Line(lead, absl::StrCat(key, " \"", kRedacted, "\""), remarks_.behind(path));
    }
    if (field.is_map()) return PrintMap(message, field, path, lead, key);
    if (field.is_repeated() && !HasOneValue(field))
      return PrintItems(message, field, path, lead, key);
    if (field.is_repeated()) {
      return Line(lead, absl::StrCat(key, " ", ListText(message, field)), remarks_.behind(path));
    }
    const bool has_value = HasValue(message, field);
    if (HasOneValue(field)) {
      return has_value ? Line(lead, absl::StrCat(key, " ", TextOf(message, field, -1)),
                              remarks_.behind(path))
                       : Line(lead, absl::StrCat("# ", key));
    }
    PrintInside(message.GetReflection()->GetMessage(message, &field), path, lead, key, has_value);
  }

  void PrintInside(const Message& inside, const std::string& path, const std::string& lead,
                   const std::string& key, bool has_value) {
    const std::unique_ptr<Message> unpacked =
        Is(*inside.GetDescriptor(), Any::descriptor()) ? Unpack(inside) : nullptr;
    if (unpacked == nullptr && Is(*inside.GetDescriptor(), Any::descriptor())) {
      return Line(lead, has_value ? absl::StrCat(key, " {}") : absl::StrCat("# ", key));
    }
    const std::string below = absl::StrCat(lead, has_value ? "" : "# ");
    Line(below, key);
    Print(unpacked != nullptr ? *unpacked : inside, path, absl::StrCat(below, "  "));
  }

  void PrintItems(const Message& message, const FieldDescriptor& field, const std::string& path,
                  const std::string& lead, const std::string& key) {
    const Reflection& reflection = *message.GetReflection();
    const int size = reflection.FieldSize(message, &field);
    if (size == 0) {
      Line(lead, absl::StrCat(key, " []"), remarks_.behind(path));
      const std::unique_ptr<Message> example(
          reflection.GetMessageFactory()->GetPrototype(field.message_type())->New());
      return PrintItem(*example, absl::StrCat(path, "[0]"), absl::StrCat(lead, "# "));
    }
    Line(lead, key);
    std::set<std::string> names;
    for (int i = 0; i < size; ++i) {
      const Message& item = reflection.GetRepeatedMessage(message, &field, i);
      const std::string name = NameOfItem(item);
      PrintItem(item, ItemPath(path, i, name, names.insert(name).second), lead);
    }
  }

  // Its first line that says something begins with a dash.
  void PrintItem(const Message& item, const std::string& path, const std::string& lead) {
    const size_t begin = text_.size();
    const std::string inside = absl::StrCat(lead, "    ");
    Print(item, path, inside);
    for (size_t line = begin; line < text_.size(); line = text_.find('\n', line) + 1) {
      const size_t content = line + inside.size();
      if (absl::string_view(text_).substr(line, inside.size()) == inside && text_[content] != '#') {
        text_[content - 2] = '-';
        return;
      }
    }
  }

  void PrintMap(const Message& message, const FieldDescriptor& field, const std::string& path,
                const std::string& lead, const std::string& key) {
    const Reflection& reflection = *message.GetReflection();
    const int size = reflection.FieldSize(message, &field);
    Line(lead, size == 0 ? absl::StrCat(key, " {}") : key, size == 0 ? remarks_.behind(path) : "");
    for (int i = 0; i < size; ++i) {
      const Message& entry = reflection.GetRepeatedMessage(message, &field, i);
      const FieldDescriptor& value = *field.message_type()->map_value();
      const std::string name = TextOf(entry, *field.message_type()->map_key(), -1);
      const std::string at = absl::StrCat(path, "[", name, "]");
      const std::string below = absl::StrCat(lead, "  ");
      if (HasOneValue(value)) {
        Line(below, absl::StrCat(name, ": ", TextOf(entry, value, -1)), remarks_.behind(at));
      } else {
        PrintInside(entry.GetReflection()->GetMessage(entry, &value), at, below,
                    absl::StrCat(name, ":"), true);
      }
    }
  }

  const Remarks& remarks_;
  std::string text_;
  std::set<std::string> described_;
};

}  // namespace

bool HasOneValue(const FieldDescriptor& field) {
  return field.message_type() == nullptr ||
         (field.message_type()->file()->package() == "google.protobuf" &&
          !Is(*field.message_type(), Any::descriptor()));
}

std::string ValueText(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  const bool is_set = field.is_repeated() ? reflection.FieldSize(message, &field) > 0
                                          : reflection.HasField(message, &field);
  if (!is_set) return "";
  if (IsSecret(field)) return absl::StrCat("\"", kRedacted, "\"");
  if (HasOneValue(field) && !field.is_map()) {
    return field.is_repeated() ? ListText(message, field) : TextOf(message, field, -1);
  }
  // Alone, so that it is the only one.
  const std::unique_ptr<Message> alone(message.New());
  alone->CopyFrom(message);
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(*alone, &fields);
  for (const FieldDescriptor* each : fields) {
    if (each != &field) reflection.ClearField(alone.get(), each);
  }
  Redact(*alone);
  std::string json;
  const auto written = google::protobuf::util::MessageToJsonString(*alone, &json);
  return written.ok() ? json : "";
}

std::string ConfigText(const Message& message, const Remarks& remarks) {
  Printer printer(remarks);
  printer.Print(message, "", "");
  return printer.Take();
}

}  // namespace mainspring
