#include <deque>
#include <functional>
#include <string>
#include <utility>

#include "cookbook/v1/cookbook.component.pb.h"

namespace cookbook {

// How a library has callbacks: it keeps `on_code`, and calls it on threads of its own.
using Subscribe = std::function<void(std::function<void(std::string)> on_code)>;

class Scanner final : public v1::ScannerComponent {
 public:
  Scanner(mainspring::Context& context, Subscribe subscribe)
      : ScannerComponent(context), subscribe_(std::move(subscribe)) {}

  absl::Status Start() override {
    subscribe_(context().Bind([this](const std::string& code) { Scanned(code); }));
    return absl::OkStatus();
  }

  void NextCode(v1::NextCodeRequest, mainspring::Reply<v1::NextCodeResponse> reply) override {
    waiting_.push_back(std::move(reply));
  }

 private:
  // Back on the component's thread, so without a lock; and not at all once the instance has gone,
  // whatever the library still calls.
  void Scanned(const std::string& code) {
    v1::NextCodeResponse response;
    response.set_code(code);
    for (auto& reply : std::exchange(waiting_, {})) reply.Send(response);
  }

  const Subscribe subscribe_;
  std::deque<mainspring::Reply<v1::NextCodeResponse>> waiting_;
};

}  // namespace cookbook
