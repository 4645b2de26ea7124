#include "mainspring/server/config/host_config_message.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/duration.pb.h"
#include "mainspring/proto_time.h"
#include "mainspring/server/config/bounds.h"
#include "mainspring/server/config/config_text.h"
#include "mainspring/server/config/message_reader.h"

namespace mainspring {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Each field of a struct beside the one of the message that it is. `at` is a Writer or a Reader.

void VisitLimits(auto& limits, auto& at) {
  at("max_message_bytes", limits.max_message_bytes);
  at("max_metadata_bytes", limits.max_metadata_bytes);
  at("max_streams", limits.max_streams);
  at("max_connections", limits.max_connections);
  at("max_calls", limits.max_calls);
  at("max_calls_per_peer", limits.max_calls_per_peer);
  at("max_calls_per_connection", limits.max_calls_per_connection);
  at("max_reserved_calls", limits.max_reserved_calls);
  at("answer_timeout", limits.answer_timeout);
  at("keepalive_time", limits.keepalive_time);
  at("keepalive_timeout", limits.keepalive_timeout);
  at("least_ping_interval", limits.least_ping_interval);
  at("handshake_timeout", limits.handshake_timeout);
  at("max_connection_age", limits.max_connection_age);
  at("connection_grace", limits.connection_grace);
  at("max_connection_idle", limits.max_connection_idle);
}

void VisitPlane(auto& plane, auto& at) {
  at("addresses", plane.addresses);
  at("insecure", plane.insecure);
  at.In("limits", [&](auto& in) { VisitLimits(plane.limits, in); });
}

void VisitRestart(auto& restart, auto& at) {
  at("kind", restart.kind);
  at("max_failures", restart.max_failures);
  at("period", restart.period);
  at("least_backoff", restart.least_backoff);
  at("most_backoff", restart.most_backoff);
  at("jitter", restart.jitter);
  at("reset_after", restart.reset_after);
}

void VisitComponent(auto& component, auto& at) {
  at("essential", component.essential);
  at("autostart", component.autostart);
  at("replicas", component.replicas);
  at.In("restart", [&](auto& in) { VisitRestart(component.restart, in); });
  at("on_exception", component.on_exception);
  at.In("mailbox", [&](auto& in) {
    in("max_calls", component.mailbox.max_calls);
    in("max_bytes", component.mailbox.max_bytes);
    in("max_queue_age", component.mailbox.max_queue_age);
  });
  at("start_timeout", component.start_timeout);
  at("stop_timeout", component.stop_timeout);
  at("lame_duck", component.lame_duck);
  at("stall_warning", component.stall_warning);
  at("stall_limit", component.stall_limit);
}

// What is not a component's.
void VisitHost(auto& config, auto& at) {
  at.In("planes", [&](auto& planes) {
    planes.In("data", [&](auto& in) { VisitPlane(config.data, in); });
    planes.In("admin", [&](auto& in) { VisitPlane(config.admin, in); });
    planes.In("probe", [&](auto& in) { VisitPlane(config.probe, in); });
  });
  at.In("drain", [&](auto& in) {
    in("lame_duck", config.lame_duck);
    in("timeout", config.drain_timeout);
    in("exit_margin", config.exit_margin);
    in("grace_period", config.grace_period);
  });
  at.In("reload", [&](auto& in) { in("watch_file", config.watch_file); });
  at.In("log", [&](auto& in) { in("format", config.log_format); });
  at("state_dir", config.state_dir);
  at.In("limits", [&](auto& in) {
    in("max_health_watchers", config.max_health_watchers);
    in("max_reflection_streams", config.max_reflection_streams);
    in("max_lifecycle_watchers", config.max_lifecycle_watchers);
    in("blocking_threads", config.blocking_threads);
    in("event_history", config.event_history);
  });
}

const FieldDescriptor& FieldOf(const Message& message, const char* name) {
  const FieldDescriptor* const field = message.GetDescriptor()->FindFieldByName(name);
  GOOGLE_CHECK(field != nullptr) << name;
  return *field;
}

// Writes a struct into a message.
class Writer {
 public:
  explicit Writer(Message& message) : message_(message), reflection_(*message.GetReflection()) {}

  void In(const char* name, auto visit) {
    Writer in(*reflection_.MutableMessage(&message_, &FieldOf(message_, name)));
    visit(in);
  }
  template <class T>
  void operator()(const char* name, const T& value) {
    Set(FieldOf(message_, name), value);
  }

 private:
  void Set(const FieldDescriptor& field, bool value) {
    reflection_.SetBool(&message_, &field, value);
  }
  void Set(const FieldDescriptor& field, const std::optional<int>& value) {
    if (value.has_value()) Set(field, *value);
  }
  void Set(const FieldDescriptor& field, int value) {
    reflection_.SetInt32(&message_, &field, value);
  }
  void Set(const FieldDescriptor& field, size_t value) {
    reflection_.SetUInt64(&message_, &field, value);
  }
  void Set(const FieldDescriptor& field, double value) {
    reflection_.SetDouble(&message_, &field, value);
  }
  // What never ends is not said.
  void Set(const FieldDescriptor& field, absl::Duration value) {
    if (value == absl::InfiniteDuration() && field.name() == "grace_period") return;
    ToProto(value, static_cast<google::protobuf::Duration&>(
                       *reflection_.MutableMessage(&message_, &field)));
  }
  void Set(const FieldDescriptor& field, const std::string& value) {
    if (!value.empty()) reflection_.SetString(&message_, &field, value);
  }
  void Set(const FieldDescriptor& field, const std::vector<std::string>& values) {
    for (const std::string& value : values) reflection_.AddString(&message_, &field, value);
  }
  // The message's first says that nothing was said.
  template <class Enum>
  requires std::is_enum_v<Enum>
  void Set(const FieldDescriptor& field, Enum value) {
    reflection_.SetEnumValue(&message_, &field, static_cast<int>(value) + 1);
  }

  Message& message_;
  const Reflection& reflection_;
};

// Reads what a message says into a struct.
class Reader {
 public:
  Reader(const Message& message, std::string path, const Origins& origins)
      : message_(message),
        reflection_(*message.GetReflection()),
        path_(std::move(path)),
        origins_(origins) {}

  void In(const char* name, auto visit) {
    const FieldDescriptor& field = FieldOf(message_, name);
    Reader in(reflection_.GetMessage(message_, &field), PathOf(name), origins_);
    visit(in);
  }
  template <class T>
  void operator()(const char* name, T& value) {
    const FieldDescriptor& field = FieldOf(message_, name);
    const bool is_said = field.is_repeated() ? reflection_.FieldSize(message_, &field) > 0 ||
                                                   origins_.count(PathOf(name)) != 0
                                             : reflection_.HasField(message_, &field);
    if (is_said) Get(field, value);
  }

 private:
  std::string PathOf(const char* name) const {
    return absl::StrCat(path_, path_.empty() ? "" : ".", name);
  }
  void Get(const FieldDescriptor& field, bool& value) {
    value = reflection_.GetBool(message_, &field);
  }
  void Get(const FieldDescriptor& field, int& value) {
    value = reflection_.GetInt32(message_, &field);
  }
  void Get(const FieldDescriptor& field, std::optional<int>& value) {
    value = reflection_.GetInt32(message_, &field);
  }
  void Get(const FieldDescriptor& field, size_t& value) {
    value = reflection_.GetUInt64(message_, &field);
  }
  void Get(const FieldDescriptor& field, double& value) {
    value = reflection_.GetDouble(message_, &field);
  }
  void Get(const FieldDescriptor& field, absl::Duration& value) {
    const absl::StatusOr<absl::Duration> time = FromProto(
        static_cast<const google::protobuf::Duration&>(reflection_.GetMessage(message_, &field)));
    value = time.ok() ? *time : absl::InfiniteDuration();
  }
  void Get(const FieldDescriptor& field, std::string& value) {
    value = reflection_.GetString(message_, &field);
  }
  void Get(const FieldDescriptor& field, std::vector<std::string>& values) {
    values.clear();
    for (int i = 0; i < reflection_.FieldSize(message_, &field); ++i) {
      values.push_back(reflection_.GetRepeatedString(message_, &field, i));
    }
  }
  template <class Enum>
  requires std::is_enum_v<Enum>
  void Get(const FieldDescriptor& field, Enum& value) {
    const int number = reflection_.GetEnumValue(message_, &field);
    if (number > 0) value = static_cast<Enum>(number - 1);
  }

  const Message& message_;
  const Reflection& reflection_;
  const std::string path_;
  const Origins& origins_;
};

host::v1::Component ToMessage(const ComponentConfig& component) {
  host::v1::Component message;
  message.set_name(component.name);
  message.set_type(component.type);
  if (component.config != nullptr) message.mutable_config()->PackFrom(*component.config);
  for (const Dependency& each : component.depends_on) {
    host::v1::Dependency& dependency = *message.add_depends_on();
    dependency.set_component(each.component);
    dependency.set_hard(each.hard);
  }
  Writer writer(message);
  VisitComponent(component, writer);
  return message;
}

ComponentConfig ComponentOf(const host::v1::Component& said, const std::string& path,
                            const Origins& origins, const std::vector<ComponentConfig>& before) {
  const auto like = std::find_if(before.begin(), before.end(),
                                 [&](const auto& each) { return each.type == TypeOf(said); });
  ComponentConfig component = like == before.end() ? ComponentConfig() : *like;
  component.name = said.name();
  component.type = TypeOf(said);
  if (said.has_config()) component.config = Unpack(said.config());
  if (said.depends_on_size() > 0 || origins.count(absl::StrCat(path, ".depends_on")) != 0) {
    component.depends_on.clear();
    for (const host::v1::Dependency& each : said.depends_on()) {
      component.depends_on.push_back({each.component(), !each.has_hard() || each.hard()});
    }
  }
  Reader reader(said, path, origins);
  VisitComponent(component, reader);
  return component;
}

void AddPaths(const Message& message, const std::string& path, Origins& origins) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const std::string at = absl::StrCat(path, path.empty() ? "" : ".", field->name());
    origins.emplace(at, Position());
    if (HasOneValue(*field)) continue;
    if (!field->is_repeated()) {
      AddPaths(reflection.GetMessage(message, field), at, origins);
      continue;
    }
    std::set<std::string> names;
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      const Message& item = reflection.GetRepeatedMessage(message, field, i);
      const std::string name = NameOfItem(item);
      const std::string item_path = ItemPath(at, i, name, names.insert(name).second);
      origins.emplace(item_path, Position());
      AddPaths(item, item_path, origins);
    }
  }
}

}  // namespace

Origins PathsOf(const host::v1::HostConfig& said) {
  Origins origins;
  AddPaths(said, "", origins);
  return origins;
}

const std::string& TypeOf(const host::v1::Component& component) {
  return component.has_type() ? component.type() : component.name();
}

host::v1::HostConfig ToMessage(const HostConfig& config) {
  host::v1::HostConfig message;
  Writer writer(message);
  VisitHost(config, writer);
  for (const ComponentConfig& each : config.components) *message.add_components() = ToMessage(each);
  return message;
}

void Apply(const host::v1::HostConfig& said, const Origins& origins, HostConfig& config) {
  Reader reader(said, "", origins);
  VisitHost(config, reader);
  if (said.components_size() == 0 && origins.count("components") == 0) return;
  const std::vector<ComponentConfig> before = std::exchange(config.components, {});
  std::set<std::string> names;
  for (int i = 0; i < said.components_size(); ++i) {
    const host::v1::Component& each = said.components(i);
    const std::string path =
        ItemPath("components", i, each.name(), names.insert(each.name()).second);
    config.components.push_back(ComponentOf(each, path, origins, before));
  }
}

}  // namespace mainspring
