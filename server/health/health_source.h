// HealthSource: whoever knows which names serve.
#ifndef MAINSPRING_SERVER_HEALTH_HEALTH_SOURCE_H_
#define MAINSPRING_SERVER_HEALTH_HEALTH_SOURCE_H_

#include <map>
#include <optional>
#include <string>

namespace mainspring {

// Any thread. Neither blocks.
class HealthSource {
 public:
  virtual ~HealthSource() = default;

  // Whether it serves now; nothing where nobody knows the name.
  virtual std::optional<bool> Serves(const std::string& name) const = 0;
  // The same of every name that is known.
  virtual std::map<std::string, bool> All() const = 0;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_HEALTH_HEALTH_SOURCE_H_
