// Tag: what a completion queue gives back when an operation is done.
#ifndef MAINSPRING_SERVER_RPC_TAG_H_
#define MAINSPRING_SERVER_RPC_TAG_H_

namespace mainspring::rpc {

class Tag {
 public:
  // On the ingress thread; `ok` as the operation's documentation in grpcpp tells.
  virtual void Proceed(bool ok) = 0;

 protected:
  ~Tag() = default;
};

// A tag that is part of its owner, and calls one of the owner's methods.
template <class Owner, void (Owner::*kMethod)(bool)>
class MemberTag final : public Tag {
 public:
  explicit MemberTag(Owner* owner) : owner_(owner) {}
  void Proceed(bool ok) override { (owner_->*kMethod)(ok); }

 private:
  Owner* const owner_;
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_TAG_H_
