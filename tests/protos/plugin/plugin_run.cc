#include "tests/protos/plugin/plugin_run.h"

#include <stdlib.h>
#include <sys/wait.h>

#include <fstream>
#include <iterator>
#include <stdexcept>

namespace mainspring::plugin {
namespace {

namespace fs = std::filesystem;

std::string Quoted(const std::string& word) { return "'" + word + "'"; }

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
  std::string name = (fs::temp_directory_path() / "mainspring-plugin-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp " + name);
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

PluginRun RunPlugin(const fs::path& root, const std::string& proto, const std::string& options) {
  const TemporaryDirectory directory;
  const fs::path output = directory.path() / "output";
  const fs::path errors = directory.path() / "errors";
  fs::create_directory(output);
  // Quotes suffice: the build tree's paths and the tests' options have none in them.
  const std::string command = Quoted(MAINSPRING_PROTOC) + " -I" + Quoted(root) +
                              " --plugin=protoc-gen-mainspring=" + Quoted(MAINSPRING_PLUGIN) +
                              " --mainspring_out=" + Quoted(output.string()) +
                              " --mainspring_opt=" + Quoted(options) + " " + Quoted(proto) + " 2>" +
                              Quoted(errors);
  const int status = system(command.c_str());
  PluginRun run;
  run.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  run.errors = ReadFile(errors);
  for (const auto& entry : fs::recursive_directory_iterator(output)) {
    if (!entry.is_regular_file()) continue;
    run.outputs[fs::relative(entry.path(), output).string()] = ReadFile(entry.path());
  }
  return run;
}

std::string ReadFile(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

void WriteFile(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

}  // namespace mainspring::plugin
