// SPDX-License-Identifier: MIT
// getaddrinfo and getnameinfo.
#include "lookup.hpp"

namespace pysock {
inline namespace v1 {
namespace {

using detail::c_name;
using detail::gai_code;
using detail::idn_flag;
using detail::in_quotes;
using detail::make_hints;
using detail::results;
using detail::throw_error;

bool outside_ports(const std::string& digits) noexcept {
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string::npos) return false;
  const std::size_t significant = digits.find_first_not_of('0');
  if (significant == std::string::npos) return false;
  return digits.size() - significant > 5 || std::stoi(digits.substr(significant)) > 65535;
}

// The port of a number, of digits or of none; -1 for a name or what is out of range.
int numeric_port(const service& port) noexcept {
  if (port.number()) return *port.number() <= 65535 ? *port.number() : -1;
  int value = 0;
  for (const char c : port.name()) {
    if (detail::decimal_digit(c) > 9) return -1;
    value = value * 10 + static_cast<int>(detail::decimal_digit(c));
    if (value > 65535) return -1;
  }
  return value;
}

// The protocol that goes with a type, as this system's resolver gives it; -1 where another type or
// protocol is asked for.
int usual_protocol(int type, int asked) noexcept {
  const int usual = type == SOCK_STREAM ? IPPROTO_TCP : type == SOCK_DGRAM ? IPPROTO_UDP : -1;
  return usual < 0 || asked == usual ? usual
         : asked == 0                ? detail::sys::answered_protocol(usual)
                                     : -1;
}

// The one answer to a question that asks for no name, of either kind: nothing to trouble a resolver
// with. False for any other question.
bool answer_numeric(std::string_view host, const service& port, int family, int type, int proto,
                    int flags, address_info& out) noexcept {
  const int protocol = usual_protocol(type, proto);
  const int number = numeric_port(port);
  if (protocol < 0 || number < 0 || (flags & ~(AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE)) != 0)
    return false;
  unsigned char packed4[4];
  unsigned char packed6[16];
  if ((family == AF_UNSPEC || family == AF_INET) && detail::parse_ipv4(host, packed4)) {
    sockaddr_in in;
    detail::fill(in, packed4, number);
    out.sockaddr = inet_address(in);
    out.family = AF_INET;
  } else if ((family == AF_UNSPEC || family == AF_INET6) && detail::parse_ipv6(host, packed6)) {
    sockaddr_in6 in6;
    detail::fill(in6, packed6, number, 0, 0);
    out.sockaddr = inet6_address(in6);
    out.family = AF_INET6;
  } else {
    return false;
  }
  out.type = type;
  out.proto = protocol;
  return true;
}

std::vector<address_info> resolve(const std::optional<text>& host, const service& port, int family,
                                  int type, int proto, int flags) {
  constexpr const char* function = "getaddrinfo";
  const std::string host_name = host ? c_name(function, *host) : std::string();
  const std::string port_name =
      port.number() ? std::to_string(*port.number()) : c_name(function, port.name());
  const std::string operation = std::string(function) + " (" +
                                (host_name.empty() ? "None" : in_quotes(host_name)) + ", " +
                                (port.number()       ? port_name
                                 : port_name.empty() ? "None"
                                                     : in_quotes(port_name)) +
                                ")";
  if ((port.number() && *port.number() < 0) || outside_ports(port_name))
    throw_error({EAI_SERVICE, gai_category()}, operation);

  const addrinfo hints = make_hints(family, type, proto, flags | idn_flag(host_name));
  results found;
  const int number = detail::sys::getaddrinfo(host_name.empty() ? nullptr : host_name.c_str(),
                                              port_name.empty() ? nullptr : port_name.c_str(),
                                              &hints, &found.first);
  if (number != 0) throw_error(gai_code(number), operation);

  std::vector<address_info> list;
  for (const addrinfo* one = found.first; one != nullptr; one = one->ai_next) {
    // Some systems give it to every result, and unasked.
    const bool named = list.empty() && (flags & AI_CANONNAME) != 0 && one->ai_canonname != nullptr;
    list.push_back(
        {one->ai_family, one->ai_socktype, one->ai_protocol, named ? one->ai_canonname : "",
         address(detail::sockaddr_view{one->ai_addr, static_cast<socklen_t>(one->ai_addrlen)})});
  }
  return list;
}

}  // namespace

std::vector<address_info> getaddrinfo(const std::optional<text>& host, const service& port,
                                      int family, int type, int proto, int flags) {
  if (host) {
    std::vector<address_info> list(1);
    if (answer_numeric(host->view(), port, family, type, proto, flags, list.front())) return list;
  }
  return resolve(host, port, family, type, proto, flags);
}

name_info getnameinfo(const address& sockaddr, int flags) {
  const std::string operation = "getnameinfo " + sockaddr.to_string();
  const detail::sockaddr_view native = sockaddr.native();
  if (const auto* name = sockaddr.get_if<host_address>()) {
    // Numeric text that only the resolver reads (a scope by name) is welcome; names are not.
    endpoint found;
    const addrinfo hints = make_hints(AF_UNSPEC, SOCK_DGRAM, 0, AI_NUMERICHOST);
    results numeric;
    const int number = name->host.empty() ? EAI_NONAME
                                          : detail::sys::getaddrinfo(name->host.c_str(), nullptr,
                                                                     &hints, &numeric.first);
    if (number != 0 || numeric.first == nullptr) throw_error(gai_code(number), operation);
    found = endpoint(numeric.first->ai_addr, static_cast<socklen_t>(numeric.first->ai_addrlen));
    const address plain(found);
    if (plain.family() == AF_INET6) {
      const std::uint32_t scope = name->scope_id != 0 ? name->scope_id : plain.scope_id();
      return getnameinfo(inet6_address(plain.host(), name->port, name->flowinfo, scope), flags);
    }
    if (name->inet6_only) throw_error(bad_argument::address_form, operation);  // IPv4 has two parts
    return getnameinfo(inet_address(plain.host(), name->port), flags);
  }
  if (native.size == 0 ||
      (native.data->sa_family != AF_INET && native.data->sa_family != AF_INET6)) {
    throw_error(bad_argument::address_form, operation);
  }
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  const int number = detail::sys::getnameinfo(native.data, native.size, host, sizeof host, port,
                                              sizeof port, flags);
  if (number != 0) throw_error(gai_code(number), operation);
  return {host, port};
}

}  // namespace v1
}  // namespace pysock
