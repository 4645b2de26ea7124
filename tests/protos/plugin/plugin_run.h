#ifndef MAINSPRING_TESTS_PROTOS_PLUGIN_PLUGIN_RUN_H_
#define MAINSPRING_TESTS_PROTOS_PLUGIN_PLUGIN_RUN_H_

#include <filesystem>
#include <map>
#include <string>

namespace mainspring::plugin {

// A directory of this process's own, removed with all that is in it.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

struct PluginRun {
  int exit_code = -1;
  std::string errors;                          // what protoc and the plugin said
  std::map<std::string, std::string> outputs;  // text by path
};

// Runs the real protoc with the real plugin on `proto`, a path below `root`. Blocks until it ends.
PluginRun RunPlugin(const std::filesystem::path& root, const std::string& proto,
                    const std::string& options = "");

std::string ReadFile(const std::filesystem::path& path);
void WriteFile(const std::filesystem::path& path, const std::string& text);

}  // namespace mainspring::plugin

#endif  // MAINSPRING_TESTS_PROTOS_PLUGIN_PLUGIN_RUN_H_
