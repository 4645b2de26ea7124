// The part that reads what is asked for, as things are by then.
#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "mainspring/server/config/bounds.h"
#include "mainspring/server/config/config_text.h"
#include "mainspring/server/config/host_config_message.h"
#include "mainspring/server/reconfigure/config.h"

namespace mainspring {

namespace proto = config::v1;

namespace {

absl::StatusOr<LoadedConfig> Load(const ConfigSource& source) { return source.load(); }

// As it stands in a file; empty: it is not set.
std::string ValueAt(const google::protobuf::Message& message, absl::string_view path) {
  const size_t dot = path.find('.');
  const auto* const field =
      message.GetDescriptor()->FindFieldByName(std::string(path.substr(0, dot)));
  if (field == nullptr) return "";
  if (dot == absl::string_view::npos) return ValueText(message, *field);
  return ValueAt(message.GetReflection()->GetMessage(message, field), path.substr(dot + 1));
}

// Whoever takes a flag away would find out what was said meanwhile.
absl::Status CheckFlags(const host::v1::HostConfig& before, const LoadedConfig& loaded) {
  const host::v1::HostConfig holds = ToMessage(loaded.config);
  Problems problems;
  for (const auto& [path, flag] : loaded.flags) {
    const std::string said = ValueAt(loaded.said, path);
    if (said.empty() || said == ValueAt(before, path) || said == ValueAt(holds, path)) continue;
    problems.Add(path, flag, " holds over it");
  }
  return problems.status();
}

bool IsOfHost(const Changes& changes) {
  return std::any_of(changes.begin(), changes.end(),
                     [](const proto::Change& each) { return each.name().empty(); });
}

}  // namespace

Task<absl::StatusOr<Config::Wanted>> Config::Read(const Order& order) {
  if (order.revision.has_rollback_to()) co_return WantedOfRevision(order.revision.rollback_to());
  if (order.changes == nullptr) {
    Answer<LoadedConfig> loading = context().RunBlocking(&Load, options_.source);
    absl::StatusOr<LoadedConfig> loaded = co_await std::move(loading);
    if (!loaded.ok()) co_return loaded.status();
    co_return WantedOfFile(*std::move(loaded));
  }
  if (!IsOfHost(*order.changes)) {
    absl::StatusOr<std::vector<WantedSection>> sections = ReadChanges(*order.changes, sections_);
    if (!sections.ok()) co_return sections.status();
    Wanted wanted;
    wanted.sections = *std::move(sections);
    co_return wanted;
  }
  if (order.changes->size() == 1) co_return ReadHostChange(order.changes->Get(0));
  co_return absl::InvalidArgumentError(
      "changes: the host's comes alone, with the sections of its components in it");
}

absl::StatusOr<Config::Wanted> Config::ReadHostChange(const proto::Change& change) const {
  absl::StatusOr<HostSaid> read = ReadHost(change, host_.value().said, sections_);
  if (!read.ok()) return read.status();
  const host::v1::HostConfig& file = host_.file_value().said;
  if (!read->said.has_state_dir() && file.has_state_dir()) {
    read->said.set_state_dir(file.state_dir());
  }
  absl::StatusOr<LoadedConfig> loaded = options_.source.read(read->said);
  if (!loaded.ok()) return loaded.status();
  const std::string& kept = read->said.state_dir();
  if (read->said.has_state_dir() && kept != host_.config().state_dir && kept != file.state_dir()) {
    return absl::InvalidArgumentError(
        "state_dir: is what the file or --state-dir says: revisions are kept there");
  }
  const absl::Status free = CheckFlags(host_.value().said, *loaded);
  if (!free.ok()) return free;
  Wanted wanted{std::move(read->sections), host_, {}};
  // Where nothing differs, it stays whose it was.
  if (!Compare(host_.config(), loaded->config).fields.empty() ||
      change.keep_over_file() != host_.keep_over_file) {
    wanted.host->Set(*std::move(loaded), change.keep_over_file());
  }
  return wanted;
}

// A change that holds over the file stays; both are told of.
Config::Wanted Config::WantedOfFile(LoadedConfig loaded) const {
  Wanted wanted{{}, host_, {}};
  const auto tell = [&](const std::string& what) { wanted.warnings.push_back(what); };
  if (const std::string told = wanted.host->SetFile(std::move(loaded)); !told.empty()) tell(told);
  const auto tell_of = [&](const std::string& name, const SectionInForce& section,
                           const char* what) {
    if (section.is_the_files) return;
    tell(absl::StrCat("component \"", name, "\": revision ", section.revision, ": ", what));
  };
  std::set<std::string> names;
  for (const ComponentConfig& each : wanted.host->config().components) {
    const auto known = sections_.all().find(each.name);
    if (known == sections_.all().end() || known->second.type != each.type) continue;
    names.insert(each.name);
    const SectionInForce& section = known->second;
    if (IsSame(section.file_value.get(), each.config.get())) continue;
    if (section.keep_over_file) {
      tell_of(each.name, section, "the file says something else than it did; the revision holds");
      continue;
    }
    tell_of(each.name, section, "the file says something else than it did, and holds");
    wanted.sections.push_back(
        {each.name, each.config, /*keep_over_file=*/false, /*is_the_files=*/true});
  }
  for (const auto& [name, section] : sections_.all()) {
    if (names.count(name) == 0)
      tell_of(name, section, "the component goes, and its section with it");
  }
  return wanted;
}

absl::StatusOr<Config::Wanted> Config::WantedOfRevision(uint64_t revision) const {
  const StoredRevision* const stored = store_.Find(revision);
  if (stored == nullptr && revision != 0) {
    return absl::NotFoundError(
        absl::StrCat("revision ", revision, " is not remembered; there are: 0, what the file says",
                     store_.latest() == nullptr
                         ? ""
                         : absl::StrCat(", and ", store_.all().front().revision().number(), " to ",
                                        Latest().number())));
  }
  Wanted wanted{{}, host_, {}};
  if (stored == nullptr || !stored->has_host()) {
    wanted.host->SetToFile();
  } else {
    absl::StatusOr<LoadedConfig> loaded = options_.source.read(stored->host().value());
    if (!loaded.ok()) return loaded.status();
    wanted.host->Set(*std::move(loaded), stored->host().keep_over_file());
  }
  SectionsInForce then = sections_;
  then.SetFile(wanted.host->config());
  for (const auto& [name, section] : then.all()) {
    if (section.prototype == nullptr) continue;
    WantedSection& each = wanted.sections.emplace_back(
        WantedSection{name, section.file_value, /*keep_over_file=*/false, /*is_the_files=*/true});
    if (stored == nullptr) continue;
    for (const auto& kept : stored->sections()) {
      if (kept.name() != name) continue;
      const std::shared_ptr<google::protobuf::Message> value(section.prototype->New());
      if (!kept.value().UnpackTo(value.get())) {
        return absl::FailedPreconditionError(
            absl::StrCat("component \"", name, "\" takes another section than it did then"));
      }
      Problems problems;
      CheckBounds(*value, name, problems);
      if (!problems.empty()) return problems.status();
      each = {name, value, kept.keep_over_file()};
    }
  }
  return wanted;
}

}  // namespace mainspring
