#include "mainspring/coroutine.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "mainspring/call.h"
#include "mainspring/text.h"

namespace mainspring {
namespace {

std::string TextOfException() {
  try {
    throw;
  } catch (const std::exception& exception) {
    return BoundedText(exception.what());
  } catch (...) {
    return "threw what is not a std::exception";
  }
}

}  // namespace

Frame::Frame()
    : queue_(ReturnAddress::CurrentQueue()),
      call_(queue_ == nullptr ? nullptr : queue_->current_call()) {}

void Frame::Resume(std::coroutine_handle<> self) const {
  // Kept: the frame may be gone when it returns.
  CallbackQueue* const queue = queue_;
  if (queue == nullptr) return self.resume();
  const char* const outer = queue->SetCurrentCall(call_);
  self.resume();
  queue->SetCurrentCall(outer);
}

MethodPromise::MethodPromise() {
  if (queue_ != nullptr) queue_->Add(*this);
}

MethodPromise::~MethodPromise() { CallbackQueue::Remove(*this); }

void MethodPromise::unhandled_exception() noexcept {
  threw_ = true;
  if (queue_ != nullptr) queue_->Threw(call_, TextOfException());
}

// Its arguments, a reply perhaps, are destroyed after the exception was caught.
void MethodPromise::DestroyThrown(std::coroutine_handle<> self) {
  const absl::Status why = FailedStatus();
  const DropScope dropped(why);
  self.destroy();
}

}  // namespace mainspring
