// Address: where a plane listens, and where a host is asked.
//
//   127.0.0.1:50051   localhost:0   [::1]:50051   TCP; port 0 is any that is free
//   *:50051                                       TCP, every address of the machine
//   unix:/run/x.sock                              a unix socket; unix:x.sock is relative
#ifndef MAINSPRING_SERVER_RPC_ADDRESS_H_
#define MAINSPRING_SERVER_RPC_ADDRESS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mainspring::rpc {

// A value. Two are equal where they are spelled the same once parsed: IPv6 addresses are brought
// into their shortest form, names into lower case; no name is looked up.
struct Address {
  // INVALID_ARGUMENT: it is not one; the text quotes it, and says why and what to write. Abstract
  // unix sockets are refused: whoever runs on the machine may connect to them.
  static absl::StatusOr<Address> Parse(absl::string_view text);
  // Several, separated by commas, with blanks around them or not; none where `text` is empty.
  // INVALID_ARGUMENT: one of them is not an address, or is left out.
  static absl::StatusOr<std::vector<Address>> ParseList(absl::string_view text);

  // What Parse reads.
  std::string ToString() const;

  bool IsUnix() const { return !path.empty(); }
  // A unix socket whose path does not begin with a slash.
  bool IsRelative() const { return IsUnix() && path[0] != '/'; }
  // Only this machine reaches it: a unix socket, 127.0.0.0/8, ::1 or "localhost".
  bool IsLocal() const;

  bool operator==(const Address&) const = default;

  std::string path;   // of a unix socket; empty: TCP
  std::string host;   // without brackets; "*" for all
  uint16_t port = 0;  // of TCP
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_ADDRESS_H_
