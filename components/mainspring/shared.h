// Shared, SharedPtr: a count of holders inside the object, for objects which several threads hold
// and the last one deletes. Half the size of std::shared_ptr, and a holder can hand its hold over
// as a plain pointer.
#ifndef MAINSPRING_SHARED_H_
#define MAINSPRING_SHARED_H_

#include <atomic>
#include <cstddef>
#include <utility>

namespace mainspring {

// Made with one hold, its maker's, unless told otherwise. Any thread.
template <class Derived>
class Shared {
 public:
  void Ref() { holds_.fetch_add(1, std::memory_order_relaxed); }
  // Deletes the object with the last hold.
  void Unref() {
    if (holds_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete static_cast<Derived*>(this);
  }

 protected:
  explicit Shared(int holds = 1) : holds_(holds) {}
  ~Shared() = default;

 private:
  std::atomic<int> holds_;
};

// Holds an object once; move-only.
template <class T>
class SharedPtr {
 public:
  SharedPtr() = default;
  SharedPtr(std::nullptr_t) {}  // NOLINT(google-explicit-constructor): as std::shared_ptr
  // Takes over one hold.
  explicit SharedPtr(T* held) : held_(held) {}
  SharedPtr(SharedPtr&& other) noexcept : held_(std::exchange(other.held_, nullptr)) {}
  SharedPtr& operator=(SharedPtr&& other) noexcept {
    if (this != &other) {
      T* old = std::exchange(held_, std::exchange(other.held_, nullptr));
      if (old != nullptr) old->Unref();
    }
    return *this;
  }
  ~SharedPtr() {
    if (held_ != nullptr) held_->Unref();
  }

  // Another hold of the same object.
  SharedPtr Another() const {
    held_->Ref();
    return SharedPtr(held_);
  }

  // Hands its hold over.
  T* Release() { return std::exchange(held_, nullptr); }

  T* operator->() const { return held_; }
  T& operator*() const { return *held_; }
  T* get() const { return held_; }
  bool operator==(std::nullptr_t) const { return held_ == nullptr; }

 private:
  T* held_ = nullptr;
};

}  // namespace mainspring

#endif  // MAINSPRING_SHARED_H_
