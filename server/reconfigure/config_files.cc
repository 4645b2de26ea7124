// The part that has components make the files of their sections, shows how these differ from what
// is installed, and has them installed.
#include <unistd.h>

#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "mainspring/config_directory.h"
#include "mainspring/server/config/files_diff.h"
#include "mainspring/server/config/redaction.h"
#include "mainspring/server/reconfigure/config.h"

namespace mainspring {

namespace proto = config::v1;

namespace {

// How what was generated differs from what is installed.
absl::StatusOr<std::string> CompareFiles(const std::string& directory,
                                         const std::vector<std::string>& secrets) {
  const ConfigDirectory files(directory);
  if (access(files.next().c_str(), F_OK) != 0) {
    return absl::AbortedError("the component was restarted meanwhile; ask again");
  }
  const absl::StatusOr<FileTree> installed = ReadFileTree(files.path());
  if (!installed.ok()) return installed.status();
  const absl::StatusOr<FileTree> generated = ReadFileTree(files.next());
  if (!generated.ok()) return generated.status();
  return DiffFiles(*installed, *generated, secrets);
}

template <class Response>
void SendSets(const absl::StatusOr<std::vector<proto::FileSet>>& sets, Reply<Response>& reply) {
  if (!sets.ok()) return reply.Fail(sets.status());
  Response response;
  for (const proto::FileSet& each : *sets) *response.add_sets() = each;
  reply.Send(std::move(response));
}

}  // namespace

void Config::GenerateFiles(proto::GenerateFilesRequest request,
                           Reply<proto::GenerateFilesResponse> reply) {
  if (!request.has_config() && request.has_mask()) {
    co_return reply.Fail(absl::InvalidArgumentError("mask: is of a config, which is missing"));
  }
  Answer<Nothing> turn = turns_.Take();
  const absl::StatusOr<Nothing> taken = co_await std::move(turn);
  if (!taken.ok()) co_return reply.Fail(taken.status());
  const absl::Cleanup give = [this] { turns_.Give(); };
  std::vector<WantedSection> wanted;
  if (request.has_config()) {
    Changes changes;
    proto::Change& change = *changes.Add();
    change.set_name(request.name());
    *change.mutable_config() = request.config();
    *change.mutable_mask() = request.mask();
    absl::StatusOr<std::vector<WantedSection>> read = ReadChanges(changes, sections_);
    if (!read.ok()) co_return reply.Fail(read.status());
    wanted = *std::move(read);
  } else {
    const absl::StatusOr<const SectionInForce*> found = FindSection(request.name(), sections_);
    if (!found.ok()) co_return reply.Fail(found.status());
    wanted.push_back({request.name(), (*found)->value});
  }
  Task<absl::StatusOr<std::vector<FileSet>>> generating = Generate(wanted);
  SendSets(co_await generating, reply);
}

void Config::InstallFiles(proto::InstallFilesRequest request,
                          Reply<proto::InstallFilesResponse> reply) {
  Answer<Nothing> turn = turns_.Take();
  const absl::StatusOr<Nothing> taken = co_await std::move(turn);
  if (!taken.ok()) co_return reply.Fail(taken.status());
  const absl::Cleanup give = [this] { turns_.Give(); };
  if (options_.draining()) co_return reply.Fail(absl::UnavailableError("the host drains"));
  const absl::StatusOr<const SectionInForce*> found = FindSection(request.name(), sections_);
  if (!found.ok()) co_return reply.Fail(found.status());
  const std::vector<WantedSection> wanted{{request.name(), (*found)->value}};
  Task<absl::StatusOr<std::vector<FileSet>>> generating = Generate(wanted);
  const absl::StatusOr<std::vector<FileSet>> sets = co_await generating;
  bool differ = false;
  if (sets.ok()) {
    for (const FileSet& each : *sets) differ = differ || !each.diff().empty();
  }
  // Whoever reads them would be told for nothing.
  if (!differ) co_return SendSets(sets, reply);
  const std::set<std::string> nobody;
  Task<absl::Status> giving = Give(wanted, nobody, nobody);
  const absl::Status given = co_await giving;
  if (!given.ok()) co_return reply.Fail(given);
  options_.log.Info("config", {{"outcome", "files installed"},
                               {"author", AuthorOf(reply.context())},
                               {"component", request.name()}});
  SendSets(sets, reply);
}

Task<absl::StatusOr<std::vector<proto::FileSet>>> Config::Generate(
    const std::vector<WantedSection>& wanted) {
  std::vector<FileSet> sets;
  std::vector<Asking> asked = Ask(wanted, /*apply=*/false);
  for (Asking& each : asked) {
    const std::string& name = options_.table.name(each.component);
    const absl::StatusOr<Configured> said = co_await std::move(each.answer);
    if (absl::IsUnavailable(said.status())) {
      co_return absl::FailedPreconditionError(
          absl::StrCat("component \"", name, "\" is ",
                       Name(options_.table.status(each.component).state), "; start it first"));
    }
    if (!said.ok()) co_return RefusedBy(each.section->component, said.status());
    if (said->directory.empty()) {
      co_return absl::FailedPreconditionError(
          absl::StrCat("component \"", name, "\" has no files: its class is not FileConfigurable"));
    }
    const SectionInForce& in_force = sections_.at(each.section->component);
    std::vector<std::string> secrets = SecretsOf(in_force.message());
    if (each.section->value != nullptr) {
      for (std::string& secret : SecretsOf(*each.section->value)) {
        secrets.push_back(std::move(secret));
      }
    }
    Answer<std::string> comparing =
        context().RunBlocking(&CompareFiles, said->directory, std::move(secrets));
    absl::StatusOr<std::string> diff = co_await std::move(comparing);
    if (!diff.ok()) co_return diff.status();
    FileSet& set = sets.emplace_back();
    set.set_component(name);
    set.set_directory(said->directory);
    set.set_diff(*std::move(diff));
  }
  co_return sets;
}

}  // namespace mainspring
