#include "mainspring/return_address.h"

namespace mainspring {
namespace {

thread_local const ReturnAddress* current = nullptr;

}  // namespace

ReturnAddress ReturnAddress::Current() { return current == nullptr ? ReturnAddress() : *current; }

bool ReturnAddress::IsCurrent() const { return current != nullptr && current->queue_ == queue_; }

bool ReturnAddress::HasCurrent() { return current != nullptr; }

CallbackQueue* ReturnAddress::CurrentQueue() {
  return current == nullptr ? nullptr : current->queue_.get();
}

ReturnAddressScope::ReturnAddressScope(const ReturnAddress& address) : outer_(current) {
  current = &address;
}

ReturnAddressScope::~ReturnAddressScope() { current = outer_; }

}  // namespace mainspring
