// Config: the component whose request enum is mainspring.config.v1.Config. It keeps the
// configuration of a host and the sections of its components: reads them, and changes them so that
// either all of a change is in force, and durable, or nothing of it.
#ifndef MAINSPRING_SERVER_RECONFIGURE_CONFIG_H_
#define MAINSPRING_SERVER_RECONFIGURE_CONFIG_H_

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mainspring/component.h"
#include "mainspring/config/v1/config.component.pb.h"
#include "mainspring/server/config/config_source.h"
#include "mainspring/server/config/host_changes.h"
#include "mainspring/server/config/host_in_force.h"
#include "mainspring/server/config/revision_store.h"
#include "mainspring/server/observe/event_log.h"
#include "mainspring/server/reconfigure/changes.h"
#include "mainspring/server/reconfigure/config_watchers.h"
#include "mainspring/server/reconfigure/membership.h"
#include "mainspring/server/reconfigure/sections_in_force.h"
#include "mainspring/server/reconfigure/turns.h"
#include "mainspring/server/supervisor/component_table.h"

namespace mainspring {

class Config final : public config::v1::ConfigComponent {
 public:
  // All that it points to must outlive it.
  struct Options {
    ComponentTable& table;
    EventLog& log;
    // Has a component restarted, for that reason.
    std::function<void(size_t component, const std::string& why)> restart;
    Membership::Control membership;
    // The host has another configuration.
    std::function<void(const HostConfig& config)> on_change;
    HostInForce host;
    ConfigSource source;
    SectionsInForce sections;
    RevisionStore store;
    std::function<bool()> draining;
    size_t max_watchers;
  };

  Config(Context& context, Options options);

  absl::Status Start() override;

  // The host has started: from here on its file is watched, where that is configured.
  void Watch();
  // Reads the host's configuration again: what differs is carried out; nothing, where any of it
  // cannot be. `author` is why; `done` is let go when it is over.
  void Reload(std::string author, std::shared_ptr<void> done);

  // The requests: see config.proto.
  void GetConfig(config::v1::GetConfigRequest request,
                 Reply<config::v1::GetConfigResponse> reply) override;
  void ValidateConfig(config::v1::ValidateConfigRequest request,
                      Reply<config::v1::ValidateConfigResponse> reply) override;
  void DiffConfig(config::v1::DiffConfigRequest request,
                  Reply<config::v1::DiffConfigResponse> reply) override;
  void UpdateConfig(config::v1::UpdateConfigRequest request,
                    Reply<config::v1::UpdateConfigResponse> reply) override;
  void ListRevisions(config::v1::ListRevisionsRequest request,
                     Reply<config::v1::ListRevisionsResponse> reply) override;
  void RollbackConfig(config::v1::RollbackConfigRequest request,
                      Reply<config::v1::RollbackConfigResponse> reply) override;
  void GenerateFiles(config::v1::GenerateFilesRequest request,
                     Reply<config::v1::GenerateFilesResponse> reply) override;
  void InstallFiles(config::v1::InstallFilesRequest request,
                    Reply<config::v1::InstallFilesResponse> reply) override;
  void WatchConfig(config::v1::WatchConfigRequest request,
                   ReplyStream<config::v1::WatchConfigResponse> replies) override;

 private:
  using FileSet = config::v1::FileSet;
  using Revision = config::v1::Revision;
  using StoredRevision = config::v1::StoredRevision;

  // A change that is asked for, and by whom.
  struct Order {
    Revision revision;  // author, request id, and to which it goes back
    uint64_t fingerprint = 0;
    std::optional<uint64_t> expected_revision;
    absl::Duration ready_within;
    // What is asked for: these, or all as it was with the revision that it goes back to; else what
    // the host's file says by then.
    const Changes* changes = nullptr;
    std::function<bool()> is_cancelled = [] { return false; };
    // The components that it names, for whoever is told that it was refused.
    std::vector<std::string> names;
  };

  // The same as things are when it is its turn.
  struct Wanted {
    std::vector<WantedSection> sections;
    // Where the host's own configuration may change.
    std::optional<HostInForce> host;
    // Of what gives way, for whoever decides such things.
    std::vector<std::string> warnings;
  };

  // One that is being made, and what is in force until it is.
  struct Transaction {
    std::vector<WantedSection> wanted;
    std::vector<WantedSection> before;
    std::set<std::string> restarts;  // by what the fields say that change
    SectionsInForce next;
    StoredRevision made;
    std::optional<HostInForce> host;
    HostChanges changes;
  };

  config::v1::Section Describe(const std::string& component) const;
  config::v1::Section DescribeHost() const;
  // The host's configuration, with the sections that components have.
  HostConfig InForce() const;
  // The numbers of the components that have the section of that name: its replicas, or one.
  std::vector<size_t> NumbersOf(const std::string& section) const;
  Revision Latest() const;

  // config_changes.cc
  static std::string AuthorOf(const CallContext& call);
  // What is asked for, of a request that wants to know beforehand. INVALID_ARGUMENT: two things.
  template <class Asked>
  static absl::Status WhatIf(const Asked& request, Order& order);
  template <class Asked, class Response>
  Order OrderOf(const Asked& request, const Reply<Response>& reply) const;
  template <class Response>
  void Conclude(const Order& order, const absl::StatusOr<StoredRevision>& made,
                Reply<Response>& reply);
  // The revision that came of it, which may have come before: of the same request id, or because
  // all is so already.
  Task<absl::StatusOr<StoredRevision>> Make(const Order& order);
  // The same once it is its turn.
  Task<absl::StatusOr<StoredRevision>> MakeNow(const Order& order);
  // Why the order is refused before anybody is asked.
  absl::Status Admit(const Order& order) const;
  const StoredRevision* FindRequest(const std::string& request_id) const;
  Transaction Begin(const Order& order, Wanted wanted) const;
  absl::Status CheckEssential(const Transaction& transaction) const;
  bool IsHeldOtherwise(const std::optional<HostInForce>& host) const;

  // config_wanted.cc
  Task<absl::StatusOr<Wanted>> Read(const Order& order);
  absl::StatusOr<Wanted> ReadHostChange(const config::v1::Change& change) const;
  // What the file says anew.
  Wanted WantedOfFile(LoadedConfig loaded) const;
  absl::StatusOr<Wanted> WantedOfRevision(uint64_t revision) const;

  // config_carry.cc
  // OK, and it is in force and durable; else all is as it was.
  Task<absl::Status> Carry(const Order& order, const Transaction& transaction);
  // The two parts of it, of which the first is undone by PutBack.
  // `given`: whether components were given their sections.
  Task<absl::Status> Enter(const Order& order, const Transaction& transaction, bool& given);
  Task<absl::Status> Finish(const Transaction& transaction);
  Task<absl::Status> PutBack(const Transaction& transaction, bool given);
  Task<absl::Status> AdoptInPlaceOf(std::vector<ComponentConfig> kept,
                                    const std::vector<ComponentConfig>& before,
                                    std::vector<ComponentConfig> after);

  // config_reload.cc
  // Begins to look at the file, or ends, as the configuration says.
  void SetWatch();
  void LookAtFile();
  // config_components.cc
  // What a component was asked, with its answer to come.
  struct Asking {
    const WantedSection* section;
    size_t component;
    Answer<Configured> answer;
  };
  // What they hold of `wanted` is used until they have answered.
  std::vector<Asking> Ask(const std::vector<WantedSection>& wanted, bool apply);
  static absl::Status RefusedBy(const std::string& section, const absl::Status& why);
  // Each component that has an instance looks at its section; all that is refused.
  Task<absl::Status> Validate(const std::vector<WantedSection>& wanted);
  // Each takes it, now or with its next instance. The first that did not. `spared`: who is not
  // restarted, by the names of replicas.
  Task<absl::Status> Give(const std::vector<WantedSection>& wanted,
                          const std::set<std::string>& restarts,
                          const std::set<std::string>& spared);
  // One after the other, each once the one before runs again.
  Task<> RestartInTurn(std::vector<size_t> replicas);
  // Components by their configured names.
  Task<absl::Status> AwaitReady(const std::set<std::string>& names, SteadyTime deadline);
  // config_files.cc: has the files made, and tells how they differ from what is installed.
  Task<absl::StatusOr<std::vector<FileSet>>> Generate(const std::vector<WantedSection>& wanted);

  // config_components.cc, again
  void TellRefused(const Order& order, const absl::Status& why);
  void TellAccepted(const StoredRevision& made);
  // The paths of what the host's configuration says, and the host, as it was started, is not.
  std::vector<std::string> AfterRestart() const;
  void TellAfterRestart() const;

  const Options options_;
  HostInForce host_;
  SectionsInForce sections_;
  Membership membership_;
  // A reload waits for its turn; later ones only add to `reloads_done_`.
  bool reload_waits_ = false;
  std::vector<std::shared_ptr<void>> reloads_done_;
  // Of the file, where it is watched.
  bool may_watch_ = false;
  std::optional<TimerId> look_timer_;
  bool looks_ = false;
  SteadyTime retry_at_ = kNever;
  std::string seen_;    // when it was looked at last
  std::string loaded_;  // when it was read last for what it had become
  RevisionStore store_;
  ConfigWatchers watchers_;
  Turns turns_;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_RECONFIGURE_CONFIG_H_
