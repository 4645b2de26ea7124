// Metadata: the keys and values that go with a call besides its messages, as gRPC has them.
#ifndef MAINSPRING_METADATA_H_
#define MAINSPRING_METADATA_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace mainspring {

// A key, in lower case, and one of its values. Under a key that ends in "-bin" a value may be any
// bytes, else printable characters.
using Metadatum = std::pair<std::string, std::string>;

// Whether values under that key may be any bytes. Any thread.
bool IsBinary(absl::string_view key);

// Whether it can be sent: a key of a-z, 0-9, "_", "-" and "." that is not gRPC's own ("grpc-..."),
// and, unless the key ends in "-bin", a value of printable ASCII; 4 KiB together at the most.
// (gRPC's PROTOCOL-HTTP2.md, Custom-Metadata.) Any thread.
bool IsSendable(absl::string_view key, absl::string_view value);

// What came with an answer: headers before it, or before the first of many, trailers after it.
struct AnswerMetadata {
  std::vector<Metadatum> headers;
  std::vector<Metadatum> trailers;
};

}  // namespace mainspring

#endif  // MAINSPRING_METADATA_H_
