// Inbox<RequestEnum>: where the calls of a request enum are put, whoever takes them out. A mailbox
// is one, of each service that its component answers.
#ifndef MAINSPRING_INBOX_H_
#define MAINSPRING_INBOX_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "mainspring/mutex.h"

namespace mainspring {

// What every inbox is, whatever is put into it.
class AnyInbox {
 public:
  virtual ~AnyInbox() = default;
  // The name of the component that answers. Any thread.
  virtual const std::string& component() const = 0;
};

// At which place among the alternatives of a request enum a call struct stands; how many there are
// where it is none of them.
template <class Call, class RequestEnum>
inline constexpr size_t kAlternative = 0;
template <class Call, class First, class... Rest>
inline constexpr size_t kAlternative<Call, std::variant<First, Rest...>> =
    std::is_same_v<Call, First> ? 0 : 1 + kAlternative<Call, std::variant<Rest...>>;

template <class RequestEnum>
class Inbox : public AnyInbox {
 public:
  // Takes the call, or answers it where it cannot. Says which: true, it is taken. Any thread.
  template <class Call>
  bool Push(Call&& call) {
    static_assert(!std::is_lvalue_reference_v<Call>, "it is moved from");
    constexpr size_t kPlace = kAlternative<Call, RequestEnum>;
    static_assert(kPlace < std::variant_size_v<RequestEnum>, "the service has no such call");
    return put_[kPlace](*this, &call);
  }

 protected:
  // Takes a call struct of the enum, of which there is one Put each, and may move from it. One
  // indirect call, where a virtual method would need a second one to find the struct's type.
  using Put = bool (*)(Inbox& self, void* call);

  explicit Inbox(const Put* put) : put_(put) {}

 private:
  const Put* const put_;
};

// What calls are sent to by its name: it has an Inbox for each service that it answers.
class Addressee {
 public:
  virtual ~Addressee() = default;
  // The name. Any thread.
  virtual const std::string& component() const = 0;

  // Who takes, from here on, what it would refuse: whoever has come in its place, for those who
  // know it still. It answers the same services, is not kept alive by this, and must have no
  // stand-in that leads back here, or a call goes round for ever. Null: nobody. Any thread.
  void SetStandIn(const std::shared_ptr<Addressee>& stand_in) {
    MutexLock lock(mutex_);
    stand_in_ = stand_in;
  }

 protected:
  // Nothing where nobody stands in for it; else what Push there says.
  template <class... Enums, class Call>
  std::optional<bool> PassOn(Call& call) const {
    const std::shared_ptr<Addressee> other = stand_in();
    std::optional<bool> taken;
    if (other != nullptr) (PassOnTo<Enums>(*other, call, taken), ...);
    return taken;
  }

 private:
  template <class Enum, class Call>
  static void PassOnTo(Addressee& other, Call& call, std::optional<bool>& taken) {
    if constexpr (kAlternative<Call, Enum> < std::variant_size_v<Enum>) {
      auto* const inbox = dynamic_cast<Inbox<Enum>*>(&other);
      if (inbox != nullptr && !taken.has_value()) taken = inbox->Push(std::move(call));
    }
  }
  std::shared_ptr<Addressee> stand_in() const {
    MutexLock lock(mutex_);
    return stand_in_.lock();
  }

  mutable Mutex mutex_;
  std::weak_ptr<Addressee> stand_in_ ABSL_GUARDED_BY(mutex_);
};

// An inbox by what its owner has for each call struct: Push(Call&&), any thread.
template <class Owner, class RequestEnum>
class InboxOf;
template <class Owner, class... Calls>
class InboxOf<Owner, std::variant<Calls...>> : public Inbox<std::variant<Calls...>> {
  using Base = Inbox<std::variant<Calls...>>;

 protected:
  InboxOf() : Base(kPut) {}

 private:
  template <class Call>
  static bool PutAs(Base& self, void* call) {
    return static_cast<Owner&>(static_cast<InboxOf&>(self))
        .Push(std::move(*static_cast<Call*>(call)));
  }
  static constexpr typename Base::Put kPut[] = {&PutAs<Calls>...};
};

}  // namespace mainspring

#endif  // MAINSPRING_INBOX_H_
