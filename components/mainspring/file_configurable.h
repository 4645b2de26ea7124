// FileConfigurable: what a component's class derives from whose section becomes files that another
// program reads: Postfix's main.cf, for one.
//
//   class Relay final : public RelayComponent, public FileConfigurable<RelayConfig> {
//    public:
//     Relay(Context& context, std::string directory);
//     absl::Status GenerateFiles(const RelayConfig&, const std::string& directory) override;
//     void Apply(RelayConfig config) override;  // the files are there: have them read
//   };
//
// It is Configurable, and all that is said there holds. Each section, the first one too, becomes
// files before it is accepted, and they are installed before Apply: so a section that cannot become
// files is refused, and what is installed is as it was. Apply is called though the files are what
// they were, with each start for one. It does not start, stop or signal whoever
// reads them.
#ifndef MAINSPRING_FILE_CONFIGURABLE_H_
#define MAINSPRING_FILE_CONFIGURABLE_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "mainspring/config_directory.h"
#include "mainspring/configurable.h"

namespace mainspring {

// One whose message is not known here. Component thread only.
class AnyFileConfigurable {
 public:
  virtual ~AnyFileConfigurable() = default;
  virtual const ConfigDirectory& config_directory() const = 0;
};

template <class C>
class FileConfigurable : public Configurable<C>, public AnyFileConfigurable {
 public:
  // Where its files are installed: an absolute path. What is above it is there; it, and what is
  // called so with ".next" and ".previous" behind, is this component's alone. Replicas have one
  // section and each their own directory: append context().name().
  explicit FileConfigurable(std::string directory) : directory_(std::move(directory)) {}

  // Writes all files that `config` makes into `directory`, which is empty and not yet where it will
  // be: WriteConfigFile. Then it may check them by the program that reads them. What is refused is
  // told as by Validate, which was asked before. On the component's thread, which it keeps for so
  // long; a host that changes sections waits for 5 s.
  //
  // Operators are shown what differs from what is installed, but for the texts of secret fields, as
  // they stand there, and for files that not everybody may read: give those 0600.
  virtual absl::Status GenerateFiles(const C& config, const std::string& directory) = 0;

  const ConfigDirectory& config_directory() const final { return directory_; }

 private:
  absl::Status ValidateAny(const google::protobuf::Message& config) final {
    absl::Status valid = Configurable<C>::ValidateAny(config);
    if (valid.ok()) valid = directory_.Begin();
    if (valid.ok()) valid = GenerateFiles(static_cast<const C&>(config), directory_.next());
    return valid;
  }
  absl::Status ApplyAny(const google::protobuf::Message& config) final {
    const absl::StatusOr<bool> installed = directory_.Install();
    if (!installed.ok()) return installed.status();
    return Configurable<C>::ApplyAny(config);
  }

  ConfigDirectory directory_;
};

}  // namespace mainspring

#endif  // MAINSPRING_FILE_CONFIGURABLE_H_
