// TemporaryDirectory: where a test puts its files and sockets.
#ifndef MAINSPRING_TESTS_SERVER_TRIAL_DIRECTORY_H_
#define MAINSPRING_TESTS_SERVER_TRIAL_DIRECTORY_H_

#include <stdlib.h>

#include <filesystem>
#include <string>

namespace mainspring::testing {

// Goes with all that is in it. Short, for the path of a unix socket is.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    char path[] = "/tmp/mainspring-test-XXXXXX";
    path_ = mkdtemp(path);
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace mainspring::testing

#endif  // MAINSPRING_TESTS_SERVER_TRIAL_DIRECTORY_H_
