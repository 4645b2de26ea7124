#include "mainspring/server/configuration.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "mainspring/config/v1/setting.pb.h"
#include "mainspring/server/config/config_text.h"
#include "mainspring/server/config/host_config_message.h"
#include "mainspring/server/config/proto_comments.h"
#include "mainspring/server/config/scalars.h"
#include "mainspring/server/drain/drain.h"
#include "mainspring/server/host.h"
#include "mainspring/server/supervisor/dependency_graph.h"

namespace mainspring {
namespace {

using google::protobuf::FieldDescriptor;

// What the manifests and the unit that we ship set to how long they wait for the end.
constexpr char kGracePeriod[] = "MAINSPRING_GRACE_PERIOD";
constexpr char kGracePath[] = "drain.grace_period";

HostConfig Defaults(const std::vector<ComponentType>& types,
                    const std::function<void(HostConfig&)>& adjust) {
  HostConfig config = OneOfEach(types);
  SetDefaults(config);
  adjust(config);
  return config;
}

void TakeGracePeriod(HostConfig& config, Problems& problems) {
  const char* const text = std::getenv(kGracePeriod);
  if (text == nullptr || *text == '\0') return;
  const absl::StatusOr<absl::Duration> time = ParseTime(text);
  if (time.ok()) {
    config.grace_period = *time;
  } else {
    problems.Add(kGracePath, kGracePeriod, " in the environment: ", time.status().message());
  }
}

const char* CostOf(config::v1::Effect effect) {
  switch (effect) {
    case config::v1::EFFECT_LIVE:
      return "A change is live.";
    case config::v1::EFFECT_RESTARTS_COMPONENT:
      return "A change restarts the component.";
    case config::v1::EFFECT_RESTARTS_HOST:
      return "A change restarts the host.";
    default:
      return "";
  }
}

}  // namespace

Sections SectionsOf(const std::vector<ComponentType>& types) {
  Sections sections;
  for (const ComponentType& type : types) sections.emplace(type.name, type.config);
  return sections;
}

void CheckConfig(const std::vector<ComponentType>& types, const HostConfig& config,
                 Problems& problems) {
  FindProblems(config, problems);
  CheckSections(config, SectionsOf(types), problems);
  DependencyGraph::Build(config.components, problems);
}

std::vector<Contradiction> FindAllContradictions(const HostConfig& config) {
  std::vector<Contradiction> found = FindContradictions(config);
  if (!DependencyGraph::Build(config.components).ok()) return found;
  const absl::Duration longest = LongestDrain(config);
  if (longest <= config.grace_period) return found;
  found.push_back(
      {{kGracePath},
       absl::StrCat("a drain may take ", absl::FormatDuration(longest), ", and after ",
                    absl::FormatDuration(config.grace_period),
                    " the host is killed: lame_duck, timeout, stop timeouts and exit_margin must "
                    "fit")});
  return found;
}

Configuration::Configuration(const std::vector<ComponentType>& types,
                             const std::function<void(HostConfig&)>& adjust, const HostFlags& flags)
    : config_(Defaults(types, adjust)), flags_(flags) {
  TakeGracePeriod(config_, problems_);
}

Configuration Configuration::Load(const std::vector<ComponentType>& types,
                                  const std::function<void(HostConfig&)>& adjust,
                                  const HostFlags& flags) {
  Configuration loaded(types, adjust, flags);
  if (!flags.config.empty()) {
    loaded.file_ = ConfigFile::Read(flags.config, SectionsOf(types), loaded.problems_);
    // What is missing may come after what cannot be read.
    if (!loaded.file_.whole) return loaded;
  }
  loaded.Complete(types);
  return loaded;
}

Configuration Configuration::Of(const std::vector<ComponentType>& types,
                                const std::function<void(HostConfig&)>& adjust,
                                const HostFlags& flags, host::v1::HostConfig said) {
  Configuration made(types, adjust, flags);
  made.file_.origins = PathsOf(said);
  made.file_.said = std::move(said);
  made.Complete(types);
  return made;
}

void Configuration::Complete(const std::vector<ComponentType>& types) {
  Apply(file_.said, file_.origins, config_);
  ApplyFlags(flags_, config_);
  CheckConfig(types, config_, problems_);
  for (const Contradiction& each : FindAllContradictions(config_)) {
    const auto is_in = [&](const auto& where) {
      return std::find_if(each.paths.begin(), each.paths.end(),
                          [&](const auto& path) { return where.count(path) != 0; });
    };
    const auto said = is_in(file_.origins);
    // Whoever gives a flag over a file is told by a warning.
    const bool is_over_it = is_in(flags_.given) != each.paths.end();
    if (said != each.paths.end() && !is_over_it) problems_.Add(*said, each.what);
  }
}

std::string Configuration::Report() const {
  if (has_file()) return problems_.Report(file_.path, file_.origins);
  return absl::StrCat(std::string(problems_.status().message()), "\n");
}

std::vector<std::string> Configuration::Warnings() const {
  std::vector<std::string> warnings;
  for (const Contradiction& each : FindAllContradictions(config_)) {
    warnings.push_back(absl::StrCat(each.paths.front(), ": ", each.what));
  }
  return warnings;
}

std::string Configuration::SourceOf(const std::string& path) const {
  if (const auto flag = flags_.given.find(path); flag != flags_.given.end()) return flag->second;
  if (const auto origin = file_.origins.find(path); origin != file_.origins.end()) {
    return absl::StrCat(absl::CHexEscape(file_.path), ":", origin->second.line);
  }
  if (path == kGracePath && std::getenv(kGracePeriod) != nullptr) return kGracePeriod;
  return "default";
}

std::string Configuration::Show() const {
  Remarks remarks;
  remarks.behind = [this](const std::string& path) { return SourceOf(path); };
  std::string text = ConfigText(ToMessage(config_), remarks);
  if (config_.components.empty()) text += "components: []\n";
  return text;
}

std::string ConfigSchema(const std::vector<ComponentType>& types,
                         const std::function<void(HostConfig&)>& adjust) {
  HostConfig config = Defaults(types, adjust);
  for (ComponentConfig& component : config.components) {
    const Sections sections = SectionsOf(types);
    const auto section = sections.find(component.type);
    if (component.config != nullptr || section == sections.end() || section->second == nullptr) {
      continue;
    }
    component.config.reset(section->second->New());
  }
  const auto comments = ProtoComments(HostProto());
  Remarks remarks;
  remarks.all_fields = true;
  remarks.above = [&](const FieldDescriptor& field) {
    std::vector<std::string> lines;
    if (const auto found = comments.find(field.full_name()); found != comments.end()) {
      lines = found->second;
    }
    const std::string cost = CostOf(field.options().GetExtension(config::v1::setting).effect());
    if (!cost.empty()) lines.push_back(cost);
    return lines;
  };
  return ConfigText(ToMessage(config), remarks);
}

}  // namespace mainspring
