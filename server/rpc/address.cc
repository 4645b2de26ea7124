#include "mainspring/server/rpc/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "mainspring/text.h"

namespace mainspring::rpc {
namespace {

absl::Status NotAnAddress(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(BoundedText(
      absl::StrCat("\"", absl::CHexEscape(text.substr(0, 256)), "\" is not an address: ", why,
                   "; write HOST:PORT, [IPV6]:PORT, *:PORT or unix:/PATH")));
}

std::optional<in6_addr> ParseIpv6(const std::string& host) {
  in6_addr address;
  if (inet_pton(AF_INET6, host.c_str(), &address) != 1) return std::nullopt;
  return address;
}

bool IsNameOrIpv4(absl::string_view host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char each) {
    return absl::ascii_isalnum(static_cast<unsigned char>(each)) || each == '.' || each == '-' ||
           each == '_';
  });
}

// The shortest form; as it is where it has a zone, such as fe80::1%eth0.
std::optional<std::string> Ipv6(absl::string_view host) {
  const size_t zone = host.find('%');
  const std::optional<in6_addr> address = ParseIpv6(std::string(host.substr(0, zone)));
  if (!address.has_value()) return std::nullopt;
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(AF_INET6, &*address, text, sizeof(text));
  if (zone == absl::string_view::npos) return text;
  if (!IsNameOrIpv4(host.substr(zone + 1))) return std::nullopt;
  return absl::StrCat(text, host.substr(zone));
}

absl::StatusOr<Address> ParseUnix(absl::string_view text, absl::string_view path) {
  if (path.empty()) return NotAnAddress(text, "it names no file");
  if (path[0] == '@') {
    return NotAnAddress(text, "an abstract socket is open to every user of the machine");
  }
  if (path.back() == '/') return NotAnAddress(text, "it names a folder");
  if (path.find('\0') != absl::string_view::npos) return NotAnAddress(text, "its path has a NUL");
  Address address;
  address.path = std::string(path);
  return address;
}

absl::StatusOr<Address> ParseTcp(absl::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return NotAnAddress(text, "it has no port");
  Address address;
  // SimpleAtoi takes signs and blanks too.
  const absl::string_view digits = text.substr(colon + 1);
  uint32_t port = 0;
  if (digits.size() > 5 || !std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit) ||
      !absl::SimpleAtoi(digits, &port) || port > 65535) {
    return NotAnAddress(text, "its port is no number from 0 to 65535");
  }
  address.port = static_cast<uint16_t>(port);
  absl::string_view host = text.substr(0, colon);
  if (host.empty()) return NotAnAddress(text, "it has no host");
  if (absl::ConsumePrefix(&host, "[")) {
    if (!absl::ConsumeSuffix(&host, "]")) return NotAnAddress(text, "a bracket is not closed");
    const std::optional<std::string> ipv6 = Ipv6(host);
    if (!ipv6.has_value()) return NotAnAddress(text, "there is no IPv6 address in the brackets");
    address.host = *ipv6;
    return address;
  }
  if (host == "*") {
    address.host = std::string(host);
    return address;
  }
  if (host.find(':') != absl::string_view::npos) {
    return NotAnAddress(text, "an IPv6 address stands in brackets");
  }
  if (!IsNameOrIpv4(host)) return NotAnAddress(text, "its host is neither a name nor an address");
  address.host = absl::AsciiStrToLower(host);
  return address;
}

}  // namespace

absl::StatusOr<Address> Address::Parse(absl::string_view text) {
  absl::string_view rest = text;
  if (absl::ConsumePrefix(&rest, "unix:")) return ParseUnix(text, rest);
  if (absl::StartsWith(text, "unix-abstract:")) {
    return NotAnAddress(text, "an abstract socket is open to every user of the machine");
  }
  if (absl::StrContains(text, "://")) {
    return NotAnAddress(text, "it begins with a scheme, as a client's target does");
  }
  return ParseTcp(text);
}

absl::StatusOr<std::vector<Address>> Address::ParseList(absl::string_view text) {
  std::vector<Address> addresses;
  if (absl::StripAsciiWhitespace(text).empty()) return addresses;
  for (absl::string_view each : absl::StrSplit(text, ',')) {
    each = absl::StripAsciiWhitespace(each);
    if (each.empty()) {
      return absl::InvalidArgumentError("an address is missing before or after a comma");
    }
    absl::StatusOr<Address> address = Parse(each);
    if (!address.ok()) return address.status();
    addresses.push_back(*std::move(address));
  }
  return addresses;
}

std::string Address::ToString() const {
  if (IsUnix()) return absl::StrCat("unix:", path);
  if (absl::StrContains(host, ":")) return absl::StrCat("[", host, "]:", port);
  return absl::StrCat(host, ":", port);
}

bool Address::IsLocal() const {
  if (IsUnix() || host == "localhost") return true;
  in_addr ipv4;
  if (inet_pton(AF_INET, host.c_str(), &ipv4) == 1) return ntohl(ipv4.s_addr) >> 24 == 127;
  const std::optional<in6_addr> ipv6 = ParseIpv6(host);
  return ipv6.has_value() && (IN6_IS_ADDR_LOOPBACK(&*ipv6) ||
                              (IN6_IS_ADDR_V4MAPPED(&*ipv6) && ipv6->s6_addr[12] == 127));
}

}  // namespace mainspring::rpc
