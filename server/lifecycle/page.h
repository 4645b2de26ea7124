// Pages: a list of components in messages that each fit into what a client receives.
#ifndef MAINSPRING_SERVER_LIFECYCLE_PAGE_H_
#define MAINSPRING_SERVER_LIFECYCLE_PAGE_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "mainspring/lifecycle/v1/lifecycle.pb.h"
#include "mainspring/server/supervisor/component_table.h"

namespace mainspring {

// What one message has room for: half of what gRPC takes by default, so that a reason or a host's
// own numbers never matter. The first component fits in any case.
class Page {
 public:
  static constexpr size_t kMostBytes = size_t{2} << 20;

  // `most`: so many components; zero: as many as have room.
  explicit Page(size_t most) : most_(most) {}

  // Whether it has room for one more, which it then holds.
  bool Takes(const lifecycle::v1::Component& component);

 private:
  size_t most_;
  size_t components_ = 0;
  size_t bytes_ = 0;
};

// Where the page that was asked for begins.
// INVALID_ARGUMENT: the size is negative, or the token is not of this list.
absl::StatusOr<size_t> FirstOfPage(const lifecycle::v1::ListComponentsRequest& request,
                                   const ComponentTable& table);

// The token of the page that begins with the component of that name; it outlasts restarts.
std::string TokenOfPage(const std::string& component);

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_LIFECYCLE_PAGE_H_
