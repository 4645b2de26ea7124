// What the process has at the moment: its threads and descriptors, as /proc tells.
#ifndef MAINSPRING_TESTS_SERVER_PROCESS_VIEW_H_
#define MAINSPRING_TESTS_SERVER_PROCESS_VIEW_H_

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

namespace mainspring::testing {

inline size_t CountDescriptors() {
  // With the one that reads the folder, each time.
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                       std::filesystem::directory_iterator());
}

// As Linux cuts them.
inline std::multiset<std::string> ThreadNames() {
  std::multiset<std::string> names;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    // It may have ended since it was listed.
    if (std::getline(std::ifstream(thread.path() / "comm"), name)) names.insert(name);
  }
  return names;
}

// Whether there is a thread of that name, and it waits for something.
inline bool IsAsleep(const std::string& wanted) {
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string stat;
    if (!std::getline(std::ifstream(thread.path() / "stat"), stat)) continue;
    if (stat.find("(" + wanted + ") S") != std::string::npos) return true;
  }
  return false;
}

}  // namespace mainspring::testing

#endif  // MAINSPRING_TESTS_SERVER_PROCESS_VIEW_H_
