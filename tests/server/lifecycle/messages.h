// Lifecycle's messages as text, for tests.
#ifndef MAINSPRING_TESTS_SERVER_LIFECYCLE_MESSAGES_H_
#define MAINSPRING_TESTS_SERVER_LIFECYCLE_MESSAGES_H_

#include <google/protobuf/text_format.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "mainspring/lifecycle/v1/lifecycle.pb.h"

namespace mainspring::testing {

template <class Request>
Request Parse(const std::string& text) {
  Request request;
  if (!google::protobuf::TextFormat::ParseFromString(text, &request)) {
    throw std::invalid_argument(text);
  }
  return request;
}

// What each step of an operation does: "stop a", and "start b" in brackets once it is done.
template <class Message>
std::vector<std::string> StepsOf(const Message& message) {
  std::vector<std::string> steps;
  for (const lifecycle::v1::Step& step : message.steps()) {
    const char* action = step.action() == lifecycle::v1::Step::STOP ? "stop " : "start ";
    steps.push_back(
        absl::StrCat(step.done() ? "[" : "", action, step.component(), step.done() ? "]" : ""));
  }
  return steps;
}

}  // namespace mainspring::testing

#endif  // MAINSPRING_TESTS_SERVER_LIFECYCLE_MESSAGES_H_
