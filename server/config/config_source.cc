#include "mainspring/server/config/config_source.h"

#include <sys/stat.h>

#include "absl/strings/str_cat.h"

namespace mainspring {

std::string FileState(const std::string& path) {
  struct stat file;
  if (stat(path.c_str(), &file) != 0) return "";
  const auto time = [](const timespec& at) { return absl::StrCat(at.tv_sec, ".", at.tv_nsec); };
  return absl::StrCat(file.st_dev, " ", file.st_ino, " ", file.st_size, " ", time(file.st_mtim),
                      " ", time(file.st_ctim));
}

}  // namespace mainspring
