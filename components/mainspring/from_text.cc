#include "mainspring/from_text.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <stdexcept>

#include "absl/strings/str_cat.h"

namespace mainspring::testing {
namespace {

// Keeps the first thing that is wrong.
class FirstError final : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {
    if (text.empty()) text = absl::StrCat(line + 1, ":", column + 1, ": ", message);
  }
  std::string text;
};

}  // namespace

void FromText::ParseTo(google::protobuf::Message& message) const {
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  if (!parser.ParseFromString(text_, &message)) {
    throw std::logic_error(
        absl::StrCat("\"", text_, "\" is no ", message.GetTypeName(), ": ", error.text));
  }
}

}  // namespace mainspring::testing
