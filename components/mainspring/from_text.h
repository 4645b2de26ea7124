// FromText: a message as protobuf's text, of whatever type it is needed as: an argument,
// orders.AwaitShipment(FromText("number: 7")), or OrderNumber(FromText("number: 7")). A part of
// testing.h. Throws std::logic_error where the text is no such message.
#ifndef MAINSPRING_FROM_TEXT_H_
#define MAINSPRING_FROM_TEXT_H_

#include <google/protobuf/message.h>

#include <string>
#include <type_traits>
#include <utility>

namespace mainspring::testing {

class FromText {
 public:
  explicit FromText(std::string text) : text_(std::move(text)) {}
  template <class Message>
  requires std::is_base_of_v<google::protobuf::Message, Message>
  operator Message() const {  // NOLINT(google-explicit-constructor): that is what it is for
    Message message;
    ParseTo(message);
    return message;
  }

 private:
  void ParseTo(google::protobuf::Message& message) const;

  const std::string text_;
};

}  // namespace mainspring::testing

#endif  // MAINSPRING_FROM_TEXT_H_
