#include "mainspring/server/rpc/places.h"

#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "mainspring/status_details.h"

namespace mainspring::rpc {
namespace {

absl::Status TooMany(const std::string& text) {
  return WithReason(absl::ResourceExhaustedError(text), "TOO_MANY_CALLS", "", kRetryWhenFull);
}

bool Exceeds(size_t calls, size_t most) { return most != 0 && calls > most; }

}  // namespace

std::string AddressOf(const std::string& peer) {
  return absl::StartsWith(peer, "ipv") ? peer.substr(0, peer.rfind(':')) : "";
}

absl::Status Places::Take(const std::string& name, Place& place) {
  const auto [found, is_new] = connections_.try_emplace(name);
  Connection& connection = found->second;
  if (is_new) {
    connection.places = this;
    if (const std::string address = AddressOf(name); !address.empty()) {
      connection.peer = &peers_[address];
      ++connection.peer->connections;
    }
  }
  ++connection.calls;
  if (connection.peer != nullptr) ++connection.peer->calls;
  absl::Status refused = Check(connection);
  place = {&connection, refused.ok()};
  if (place.let_in) ++calls_;
  return refused;
}

void Places::GiveUp(const Place& place) {
  Connection& connection = *place.connection;
  if (place.let_in) --connection.places->calls_;
  --connection.calls;
  if (connection.peer != nullptr) --connection.peer->calls;
}

absl::Status Places::Check(const Connection& connection) const {
  if (calls_ >= most_) return TooMany("too many calls in flight; try later");
  if (connection.peer == nullptr) return absl::OkStatus();
  if (Exceeds(connection.calls, most_per_connection_)) {
    return TooMany(absl::StrCat("more than ", most_per_connection_,
                                " calls in flight on this connection; try later"));
  }
  if (Exceeds(connection.peer->calls, most_per_peer_)) {
    return TooMany(
        absl::StrCat("more than ", most_per_peer_, " calls in flight from this peer; try later"));
  }
  return absl::OkStatus();
}

void Places::Forget() {
  for (auto each = connections_.begin(); each != connections_.end();) {
    const Connection& connection = each->second;
    if (connection.calls != 0) {
      ++each;
      continue;
    }
    if (connection.peer != nullptr) --connection.peer->connections;
    each = connections_.erase(each);
  }
  for (auto each = peers_.begin(); each != peers_.end();) {
    each = each->second.connections == 0 ? peers_.erase(each) : std::next(each);
  }
}

}  // namespace mainspring::rpc
