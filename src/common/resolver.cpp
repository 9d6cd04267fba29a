// SPDX-License-Identifier: MIT
// getaddrinfo and getnameinfo.
#include <pysock/detail/ip_text.hpp>

#include "lookup.hpp"
#include "lookup_worker.hpp"
#include "packed_address.hpp"
#include "resolve.hpp"

namespace pysock {
inline namespace v1 {
namespace {

using detail::c_name;
using detail::code_of;
using detail::idn_flag;
using detail::make_hints;
using detail::results;
using detail::throw_error;

constexpr bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

// The number that a C library may read from a service name: it accepts what strtoul() accepts,
// including white space and a sign, and may wrap large numbers. Empty for a name; an invalid port
// for a number that is not a port.
std::optional<long long> number_in(std::string_view name) noexcept {
  std::size_t i = 0;
  while (i < name.size() && is_space(name[i])) ++i;
  const bool negative = i < name.size() && name[i] == '-';
  if (negative || (i < name.size() && name[i] == '+')) ++i;
  if (i == name.size()) return std::nullopt;
  long long value = 0;
  for (; i < name.size(); ++i) {
    const unsigned digit = detail::decimal_digit(name[i]);
    if (digit > 9) return std::nullopt;
    if (value <= 65535) value = value * 10 + digit;
  }
  return negative ? -value : value;
}

// The port if no service needs to be looked up; 0 for no port.
std::optional<long long> numeric_port(const service& port) noexcept {
  if (port.number()) return port.number();
  return port.name().empty() ? 0 : number_in(port.name());
}

// The protocol that this system's resolver returns for a type; -1 if another type or protocol is
// requested.
int usual_protocol(int type, int asked) noexcept {
  const int usual = type == SOCK_STREAM ? IPPROTO_TCP : type == SOCK_DGRAM ? IPPROTO_UDP : -1;
  return usual < 0 || asked == usual ? usual
         : asked == 0                ? detail::sys::answered_protocol(usual)
                                     : -1;
}

// The result for a numeric host and port, without the resolver. False for others.
bool answer_numeric(std::string_view host, const service& port, int family, int type, int proto,
                    int flags, address_info& out) noexcept {
  const int protocol = usual_protocol(type, proto);
  const std::optional<long long> asked = numeric_port(port);
  if (!asked || !port_number(*asked).is_valid()) return false;
  const auto number = static_cast<int>(*asked);
  if (protocol < 0 || (flags & ~(AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE)) != 0) return false;
  unsigned char packed4[4];
  unsigned char packed6[16];
  if ((family == AF_UNSPEC || family == AF_INET) && detail::parse_ipv4(host, packed4)) {
    out.sockaddr = detail::packed_address(packed4, number);
    out.family = AF_INET;
  } else if ((family == AF_UNSPEC || family == AF_INET6) && detail::parse_ipv6(host, packed6)) {
    out.sockaddr = detail::packed_address(packed6, number, 0, 0);
    out.family = AF_INET6;
  } else {
    return false;
  }
  out.type = type;
  out.proto = protocol;
  return true;
}

std::string arguments_text(const std::string& host, const service& port) {
  detail::tuple arguments;
  host.empty() ? arguments.word("None") : arguments.text(host);
  if (port.number()) return arguments.number(*port.number()).done();
  return (port.has_value() ? arguments.text(port.name()) : arguments.word("None")).done();
}

std::vector<address_info> look_up(const detail::lookup_limit& limit,
                                  const std::optional<text>& host, const service& port, int family,
                                  int type, int proto, int flags) {
  constexpr const char* function = "getaddrinfo";
  const std::string host_name = host ? c_name(function, host->view()) : std::string();
  const std::string service_name = c_name(function, port.name());
  const std::string operation = function + (" " + arguments_text(host_name, port));

  // A number is passed as digits, which all C libraries read alike. With neither host nor port
  // there is nothing to look up. For Python an empty port is a port.
  const std::optional<long long> number = numeric_port(port);
  if (number && !port_number(*number).is_valid()) {
    if (port.number()) throw_error(bad_argument::port, operation);
    throw_error({EAI_SERVICE, gai_category()}, operation);
  }
  const bool has_port =
      !service_name.empty() || port.number() || (port.has_value() && host_name.empty());
  const std::string port_name = number ? std::to_string(*number) : service_name;

  const addrinfo hints = make_hints(family, type, proto, flags | idn_flag(host_name));
  results found;
  const std::error_code ec =
      detail::getaddrinfo_within(limit, host_name.empty() ? nullptr : host_name.c_str(),
                                 has_port ? port_name.c_str() : nullptr, hints, &found.first);
  if (ec) throw_error(ec, operation);

  std::vector<address_info> list;
  for (const addrinfo* one = found.first; one != nullptr; one = one->ai_next) {
    // Some systems return it in every result, and without the flag.
    const bool named = list.empty() && (flags & AI_CANONNAME) != 0 && one->ai_canonname != nullptr;
    list.push_back({one->ai_family, one->ai_socktype, one->ai_protocol,
                    named ? one->ai_canonname : "",
                    address(one->ai_addr, static_cast<socklen_t>(one->ai_addrlen))});
  }
  return list;
}

}  // namespace

std::vector<address_info> getaddrinfo(const std::optional<text>& host, const service& port,
                                      int family, int type, int proto, int flags) {
  return detail::getaddrinfo_within({}, host, port, family, type, proto, flags);
}

std::vector<address_info> detail::getaddrinfo_within(const lookup_limit& limit,
                                                     const std::optional<text>& host,
                                                     const service& port, int family, int type,
                                                     int proto, int flags) {
  if (host) {
    std::vector<address_info> list(1);
    if (answer_numeric(host->view(), port, family, type, proto, flags, list.front())) return list;
  }
  return look_up(limit, host, port, family, type, proto, flags);
}

name_info getnameinfo(const address& sockaddr, int flags) {
  const std::string operation = "getnameinfo " + sockaddr.to_string();
  if (const auto* name = sockaddr.get_if<host_address>()) {
    // Numeric text that only the resolver can read (a scope by name) is allowed; names are not.
    std::error_code ec(EAI_NONAME, gai_category());
    endpoint found;
    if (!name->host.empty()) found = detail::lookup(name->host, AF_UNSPEC, AI_NUMERICHOST, ec);
    if (ec) throw_error(ec, operation);
    const address plain(found);
    if (plain.family() == AF_INET6) {
      const std::uint32_t scope = name->scope_id != 0 ? name->scope_id : plain.scope_id();
      return getnameinfo(inet6_address(plain.host(), name->port, name->flowinfo, scope), flags);
    }
    if (name->inet6_only) throw_error(bad_argument::address_form, operation);  // IPv4 has two parts
    return getnameinfo(inet_address(plain.host(), name->port), flags);
  }
  if (sockaddr.family() != AF_INET && sockaddr.family() != AF_INET6)
    throw_error(bad_argument::address_form, operation);
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  const std::error_code ec = code_of(detail::sys::getnameinfo(
      sockaddr.data(), sockaddr.size(), host, sizeof host, port, sizeof port, flags));
  if (ec) throw_error(ec, operation);
  return {host, port};
}

}  // namespace v1
}  // namespace pysock
