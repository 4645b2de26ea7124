// Places: how many calls a plane takes at a time, of everybody and of each who asks, and who has
// them.
#ifndef MAINSPRING_SERVER_RPC_PLACES_H_
#define MAINSPRING_SERVER_RPC_PLACES_H_

#include <cstddef>
#include <string>
#include <unordered_map>

#include "absl/status/status.h"

namespace mainspring::rpc {

// Whose address that is: "ipv4:127.0.0.1" of "ipv4:127.0.0.1:4711". Empty for a peer without one,
// who came through a unix socket or is in this process.
std::string AddressOf(const std::string& peer);

// A call that is refused counts for who has made it, until the refusal is taken, and for nobody
// else: refusals that are not taken keep none of the others out.
//
// Peers are named as gRPC does: "ipv4:127.0.0.1:4711" is one connection of the peer
// "ipv4:127.0.0.1". Who comes through a unix socket has no name of its own, and so no bound of its
// own. One thread at a time.
class Places {
 public:
  // Zero for a peer or a connection: as many as there are.
  Places(size_t most, size_t most_per_peer, size_t most_per_connection)
      : most_(most), most_per_peer_(most_per_peer), most_per_connection_(most_per_connection) {}
  Places(const Places&) = delete;
  Places& operator=(const Places&) = delete;

  struct Peer {
    size_t calls = 0;
    size_t connections = 0;
  };
  // What a call came through. It stays as long as it has calls.
  struct Connection {
    Places* places = nullptr;
    Peer* peer = nullptr;  // null: it has no bound
    size_t calls = 0;
  };

  struct Place {
    Connection* connection = nullptr;
    bool let_in = false;
  };

  // A call has come through that connection: `place` is to be given up when it is over, whether it
  // is let in or not.
  // RESOURCE_EXHAUSTED: it is not, being one too many; the text says of what.
  absl::Status Take(const std::string& connection, Place& place);
  static void GiveUp(const Place& place);

  // Whether the connection has had a call since the last Forget.
  bool Knows(const std::string& connection) const { return connections_.count(connection) != 0; }
  // Forgets connections and peers that have no calls.
  void Forget();

 private:
  absl::Status Check(const Connection& connection) const;

  const size_t most_;
  const size_t most_per_peer_;
  const size_t most_per_connection_;
  size_t calls_ = 0;  // that were let in
  // Both keep their elements where they are.
  std::unordered_map<std::string, Connection> connections_;
  std::unordered_map<std::string, Peer> peers_;
};

}  // namespace mainspring::rpc

#endif  // MAINSPRING_SERVER_RPC_PLACES_H_
