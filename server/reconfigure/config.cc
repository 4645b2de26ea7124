// The part that tells how the configuration is.
#include "mainspring/server/reconfigure/config.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "mainspring/server/config/config_text.h"
#include "mainspring/server/config/host_config_message.h"
#include "mainspring/server/config/nearest_name.h"
#include "mainspring/server/config/redaction.h"

namespace mainspring {

namespace proto = config::v1;

Config::Config(Context& context, Options options)
    : ConfigComponent(context),
      options_(std::move(options)),
      host_(options_.host),
      sections_(options_.sections),
      membership_(context, options_.table, options_.membership, options_.draining),
      store_(options_.store),
      watchers_(options_.max_watchers, [this] { return Latest(); }) {}

proto::Revision Config::Latest() const {
  return store_.latest() == nullptr ? Revision() : store_.latest()->revision();
}

proto::Section Config::Describe(const std::string& component) const {
  const SectionInForce& in_force = sections_.at(component);
  const std::unique_ptr<google::protobuf::Message> shown(in_force.prototype->New());
  shown->CopyFrom(in_force.message());
  Redact(*shown);
  proto::Section section;
  section.set_name(component);
  section.mutable_config()->PackFrom(*shown);
  section.set_text(ConfigText(*shown, Remarks()));
  section.set_revision(in_force.revision);
  section.set_source(in_force.source());
  return section;
}

HostConfig Config::InForce() const {
  HostConfig config = host_.config();
  for (ComponentConfig& each : config.components) each.config = sections_.at(each.name).value;
  return config;
}

std::vector<size_t> Config::NumbersOf(const std::string& section) const {
  if (const auto number = options_.table.NumberOf(section)) return {*number};
  std::vector<size_t> numbers;
  for (int i = 0;; ++i) {
    const auto number = options_.table.NumberOf(ReplicaName(section, i));
    // Another component may be called as the next replica would be.
    if (!number.has_value() || options_.table.config(*number).replica_of != section) return numbers;
    numbers.push_back(*number);
  }
}

proto::Section Config::DescribeHost() const {
  host::v1::HostConfig shown = ToMessage(InForce());
  Redact(shown);
  proto::Section section;
  section.mutable_config()->PackFrom(shown);
  section.set_text(ConfigText(shown, Remarks()));
  section.set_revision(host_.revision);
  section.set_source(!host_.is_the_files                      ? proto::SOURCE_REVISION
                     : host_.value().said.ByteSizeLong() == 0 ? proto::SOURCE_DEFAULT
                                                              : proto::SOURCE_FILE);
  for (const std::string& path : AfterRestart()) section.add_after_restart(path);
  return section;
}

void Config::GetConfig(proto::GetConfigRequest request, Reply<proto::GetConfigResponse> reply) {
  proto::GetConfigResponse response;
  response.set_latest_revision(Latest().number());
  if (request.name().empty()) {
    *response.mutable_section() = DescribeHost();
    return reply.Send(std::move(response));
  }
  const absl::Status found = FindSection(request.name(), sections_).status();
  if (!found.ok()) return reply.Fail(found);
  *response.mutable_section() = Describe(request.name());
  reply.Send(std::move(response));
}

void Config::ListRevisions(proto::ListRevisionsRequest, Reply<proto::ListRevisionsResponse> reply) {
  proto::ListRevisionsResponse response;
  const auto& all = store_.all();
  for (auto each = all.rbegin(); each != all.rend(); ++each) {
    *response.add_revisions() = each->revision();
  }
  reply.Send(std::move(response));
}

void Config::WatchConfig(proto::WatchConfigRequest,
                         ReplyStream<proto::WatchConfigResponse> replies) {
  watchers_.Add(std::move(replies));
}

}  // namespace mainspring
