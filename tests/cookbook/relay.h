#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cookbook/v1/cookbook.component.pb.h"

namespace cookbook {

// Keeps the files of a mail relay, which reads them when it is told to.
class Relay final : public v1::RelayComponent,
                    public mainspring::FileConfigurable<v1::RelayConfig> {
 public:
  Relay(mainspring::Context& context, std::string directory)
      : RelayComponent(context), FileConfigurable(std::move(directory)) {}

  absl::Status Validate(const v1::RelayConfig& config) override {
    if (!config.host().empty()) return absl::OkStatus();
    return absl::InvalidArgumentError("host: missing");
  }

  // Before it is accepted, into a directory beside; here the relay's own check would run.
  absl::Status GenerateFiles(const v1::RelayConfig& config, const std::string& directory) override {
    absl::Status made = mainspring::WriteConfigFile(
        directory + "/main.cf", absl::StrCat("relayhost = ", config.host(), "\n"));
    made.Update(mainspring::WriteConfigFile(
        directory + "/password", absl::StrCat(config.host(), " ", config.password(), "\n"), 0600));
    return made;
  }

  // All of them are in config_directory().path() by now.
  void Apply(v1::RelayConfig config) override {
    config_ = std::move(config);
    ++reloads_;
  }

  void GetRelay(v1::GetRelayRequest, mainspring::Reply<v1::GetRelayResponse> reply) override {
    v1::GetRelayResponse response;
    response.set_host(config_.host());
    response.set_reloads(reloads_);
    reply.Send(std::move(response));
  }

 private:
  v1::RelayConfig config_;
  int64_t reloads_ = 0;
};

}  // namespace cookbook
