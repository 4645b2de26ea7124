#include "mainspring/blocking.h"

namespace mainspring {

Blocking& Blocking::AtOnce() {
  struct OnThisThread final : Blocking {
    absl::Status Run(Work work) override {
      work();
      return absl::OkStatus();
    }
  };
  static OnThisThread at_once;
  return at_once;
}

}  // namespace mainspring
