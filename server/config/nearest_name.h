// NearestNames: for errors that name something which is not there.
#ifndef MAINSPRING_SERVER_CONFIG_NEAREST_NAME_H_
#define MAINSPRING_SERVER_CONFIG_NEAREST_NAME_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace mainspring {

// The names, the one that is most like `wanted` first; the others in their order.
std::vector<std::string> NearestFirst(absl::string_view wanted, std::vector<std::string> names);

// `; did you mean "clock"?`, or nothing where no name is near.
std::string DidYouMean(absl::string_view wanted, const std::vector<std::string>& names);

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_CONFIG_NEAREST_NAME_H_
