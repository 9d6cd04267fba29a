// SPDX-License-Identifier: MIT
// Names to addresses and back, over the seam's database calls.
#include <pysock/resolver.hpp>

namespace pysock {
inline namespace v1 {
namespace {

using detail::throw_error;

// The numeric address of the other family, where the system has a number of its own for it.
#ifdef EAI_ADDRFAMILY
constexpr int wrong_family = EAI_ADDRFAMILY;
#else
constexpr int wrong_family = EAI_FAMILY;
#endif

std::error_code gai_code(int number) noexcept {
#ifdef EAI_SYSTEM
  if (number == EAI_SYSTEM) return detail::last_code();
#endif
  return {number, gai_category()};
}

std::string quoted(std::string_view name) { return "'" + std::string(name) + "'"; }

std::string where(const char* function, std::string_view name) { return std::string(function) + " " + quoted(name); }

// A name for a C function: NULs would cut it silently.
std::string c_name(const char* function, text name) {
  if (name.view().find('\0') != std::string_view::npos) throw_error(bad_argument::embedded_null, function);
  return name.str();
}

struct c_proto {
  c_proto(const char* function, const std::optional<text>& name) : given(name.has_value()), value(name ? c_name(function, *name) : "") {}
  [[nodiscard]] const char* get() const noexcept { return given ? value.c_str() : nullptr; }
  bool given;
  std::string value;
};

// Owns what the resolver returned.
class results {
 public:
  results() = default;
  results(const results&) = delete;
  results& operator=(const results&) = delete;
  ~results() {
    if (first != nullptr) detail::sys::freeaddrinfo(first);
  }
  addrinfo* first = nullptr;
};

addrinfo make_hints(int family, int type, int proto, int flags) noexcept {
  addrinfo hints{};
  hints.ai_family = family;
  hints.ai_socktype = type;
  hints.ai_protocol = proto;
  hints.ai_flags = flags;
  return hints;
}

// Names beyond ASCII are the C library's to encode, where it can.
int idn_flag([[maybe_unused]] std::string_view host) noexcept {
#ifdef AI_IDN
  for (const char c : host) {
    if (static_cast<unsigned char>(c) > 0x7F) return AI_IDN;
  }
#endif
  return 0;
}

bool outside_ports(const std::string& digits) noexcept {
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string::npos) return false;
  const std::size_t significant = digits.find_first_not_of('0');
  if (significant == std::string::npos) return false;
  return digits.size() - significant > 5 || std::stoi(digits.substr(significant)) > 65535;
}

// The first address of `host` of that family (AF_UNSPEC: of any), as setting up a socket address wants it.
std::error_code lookup(const std::string& host, int family, endpoint& out) noexcept {
  const addrinfo hints = make_hints(family, SOCK_DGRAM, 0, idn_flag(host));
  results found;
  const int number = detail::sys::getaddrinfo(host.c_str(), nullptr, &hints, &found.first);
  if (number != 0) return gai_code(number);
  if (found.first == nullptr) return errc::no_addresses;
  out = endpoint(found.first->ai_addr, static_cast<socklen_t>(found.first->ai_addrlen));
  return {};
}

bool is_broadcast(const address& a) noexcept {
  const auto* in = a.get_if<inet_address>();
  if (in == nullptr) {
    const auto* name = a.get_if<host_address>();
    return name != nullptr && name->host == "<broadcast>";
  }
  return std::string_view(reinterpret_cast<const char*>(in->bytes()), 4) == "\xFF\xFF\xFF\xFF";
}

void store(const inet_address& a, endpoint& out) noexcept { out = endpoint(a.data(), a.size()); }
void store(const inet6_address& a, endpoint& out) noexcept { out = endpoint(a.data(), a.size()); }

// A host that is no literal, for a socket of `family`.
std::error_code resolve_host(const host_address& a, int family, endpoint& out) noexcept {
  if (family != AF_INET && family != AF_INET6) return bad_argument::address_form;
  if (family == AF_INET && a.inet6_only) return bad_argument::address_form;
  const bool broadcast = a.host == "<broadcast>";
  if (broadcast && family == AF_INET6) return errc::family_mismatch;

  sockaddr_in in{};
  sockaddr_in6 in6{};
  if (a.host.empty() || broadcast) {
    const unsigned char fill = broadcast ? 0xFF : 0;
    const unsigned char any4[4] = {fill, fill, fill, fill};
    const unsigned char any6[16] = {};
    detail::fill(in, any4, a.port);
    detail::fill(in6, any6, a.port, a.flowinfo, a.scope_id);
  } else {
    endpoint found;
    if (const std::error_code ec = lookup(a.host, family, found)) return ec;
    if (found.family() == AF_INET) {
      std::memcpy(&in, found.data(), sizeof in);
      in.sin_port = htons(static_cast<std::uint16_t>(a.port));
    } else {
      std::memcpy(&in6, found.data(), sizeof in6);
      in6.sin6_port = htons(static_cast<std::uint16_t>(a.port));
      in6.sin6_flowinfo = htonl(a.flowinfo);
      if (a.scope_id != 0) in6.sin6_scope_id = a.scope_id;
    }
  }
  if (family == AF_INET)
    store(inet_address(in), out);
  else
    store(inet6_address(in6), out);
  return {};
}

std::string text_of(int family, std::string_view packed) { return inet_ntop(family, const_bytes(packed)); }

host_info to_host_info(const detail::sys::host_entry& entry) {
  host_info info{entry.name, entry.aliases, {}};
  for (const std::string& packed : entry.addresses) info.ipaddrlist.push_back(text_of(entry.family, packed));
  return info;
}

// Step one of the hostent functions: a host to one address, whose failures are gaierror.
endpoint first_address(const char* function, const std::string& name, int family) {
  endpoint found;
  const bool literal4 = [&] {
    unsigned char packed[4];
    return detail::parse_ipv4(name, packed);
  }();
  if (literal4 && family != AF_INET6) {
    store(inet_address(name, 0), found);
    return found;
  }
  if (const std::error_code ec = lookup(name, family, found)) throw_error(ec, where(function, name));
  return found;
}

}  // namespace

namespace {

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

// The protocol that goes with a type, as every resolver gives it; -1 where another one or none is asked for.
int usual_protocol(int type, int asked) noexcept {
  const int usual = type == SOCK_STREAM ? IPPROTO_TCP : type == SOCK_DGRAM ? IPPROTO_UDP : -1;
  return asked == 0 || asked == usual ? usual : -1;
}

// The one answer to a question that asks for no name, of either kind: nothing to trouble a resolver with. False for any other question.
bool answer_numeric(std::string_view host, const service& port, int family, int type, int proto, int flags, address_info& out) noexcept {
  const int protocol = usual_protocol(type, proto);
  const int number = numeric_port(port);
  if (protocol < 0 || number < 0 || (flags & ~(AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE)) != 0) return false;
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

std::vector<address_info> resolve(const std::optional<text>& host, const service& port, int family, int type, int proto, int flags) {
  constexpr const char* function = "getaddrinfo";
  const std::string host_name = host ? c_name(function, *host) : std::string();
  const std::string port_name = port.number() ? std::to_string(*port.number()) : c_name(function, port.name());
  const std::string operation = std::string(function) + " (" + (host_name.empty() ? "None" : quoted(host_name)) + ", " +
                                (port.number()       ? port_name
                                 : port_name.empty() ? "None"
                                                     : quoted(port_name)) +
                                ")";
  if ((port.number() && *port.number() < 0) || outside_ports(port_name)) throw_error({EAI_SERVICE, gai_category()}, operation);

  const addrinfo hints = make_hints(family, type, proto, flags | idn_flag(host_name));
  results found;
  const int number = detail::sys::getaddrinfo(host_name.empty() ? nullptr : host_name.c_str(),
                                              port_name.empty() ? nullptr : port_name.c_str(), &hints, &found.first);
  if (number != 0) throw_error(gai_code(number), operation);

  std::vector<address_info> list;
  for (const addrinfo* one = found.first; one != nullptr; one = one->ai_next) {
    list.push_back({one->ai_family, one->ai_socktype, one->ai_protocol, one->ai_canonname != nullptr ? one->ai_canonname : "",
                    address(detail::sockaddr_view{one->ai_addr, static_cast<socklen_t>(one->ai_addrlen)})});
  }
  return list;
}

}  // namespace

std::vector<address_info> getaddrinfo(const std::optional<text>& host, const service& port, int family, int type, int proto, int flags) {
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
    const int number = name->host.empty() ? EAI_NONAME : detail::sys::getaddrinfo(name->host.c_str(), nullptr, &hints, &numeric.first);
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
  if (native.size == 0 || (native.data->sa_family != AF_INET && native.data->sa_family != AF_INET6)) {
    throw_error(bad_argument::address_form, operation);
  }
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  const int number = detail::sys::getnameinfo(native.data, native.size, host, sizeof host, port, sizeof port, flags);
  if (number != 0) throw_error(gai_code(number), operation);
  return {host, port};
}

std::string gethostbyname(text hostname) {
  constexpr const char* function = "gethostbyname";
  const std::string name = c_name(function, hostname);
  if (name.empty()) return "0.0.0.0";
  if (name == "<broadcast>") return "255.255.255.255";
  return address(first_address(function, name, AF_INET)).host();
}

host_info gethostbyname_ex(text hostname) {
  constexpr const char* function = "gethostbyname_ex";
  const std::string name = c_name(function, hostname);
  if (!name.empty() && name != "<broadcast>") (void)first_address(function, name, AF_INET);
  detail::sys::host_entry entry;
  const int number = detail::sys::gethostbyname(name.c_str(), AF_INET, entry);
  if (number != 0) throw_error({number, herror_category()}, where(function, name));
  return to_host_info(entry);
}

host_info gethostbyaddr(text ip_address) {
  constexpr const char* function = "gethostbyaddr";
  const std::string name = c_name(function, ip_address);
  if (name.empty()) throw_error(errc::wildcard_ambiguous, where(function, name));
  const address found(name == "<broadcast>" ? address("255.255.255.255", 0) : address(first_address(function, name, AF_UNSPEC)));
  detail::sys::host_entry entry;
  const auto* in = found.get_if<inet_address>();
  const auto* in6 = found.get_if<inet6_address>();
  if (in == nullptr && in6 == nullptr) throw_error(errc::bad_family, where(function, name));
  const int number = in != nullptr ? detail::sys::gethostbyaddr(in->bytes(), 4, AF_INET, entry)
                                   : detail::sys::gethostbyaddr(in6->bytes(), 16, AF_INET6, entry);
  if (number != 0) throw_error({number, herror_category()}, where(function, name));
  return to_host_info(entry);
}

std::string getfqdn(text name) {
  constexpr const char* space = " \t\n\r\f\v";
  std::string asked = name.str();
  asked.erase(0, asked.find_first_not_of(space));
  asked.erase(asked.find_last_not_of(space) + 1);
  if (asked.empty() || asked == "0.0.0.0" || asked == "::") asked = gethostname();
  host_info info;
  try {
    info = gethostbyaddr(asked);
  } catch (const error&) {
    return asked;
  }
  if (info.hostname.find('.') != std::string::npos) return info.hostname;
  for (const std::string& alias : info.aliaslist) {
    if (alias.find('.') != std::string::npos) return alias;
  }
  return info.hostname;
}

std::string gethostname() {
  std::string name;
  if (detail::sys::gethostname(name) < 0) detail::throw_last("gethostname");
  return name;
}

void sethostname(text name) {
  const std::string host = c_name("sethostname", name);
  if (detail::sys::sethostname(host.data(), host.size()) < 0) detail::throw_last(where("sethostname", host));
}

int getprotobyname(text protocolname) {
  const std::string name = c_name("getprotobyname", protocolname);
  const int number = detail::sys::getprotobyname(name.c_str());
  if (number < 0) throw_error(errc::protocol_not_found, where("getprotobyname", name));
  return number;
}

int getservbyname(text servicename, const std::optional<text>& protocolname) {
  const std::string name = c_name("getservbyname", servicename);
  const c_proto proto("getservbyname", protocolname);
  const int port = detail::sys::getservbyname(name.c_str(), proto.get());
  if (port < 0) throw_error(errc::service_not_found, where("getservbyname", name));
  return port;
}

std::string getservbyport(int port, const std::optional<text>& protocolname) {
  const c_proto proto("getservbyport", protocolname);
  const std::string operation = "getservbyport " + std::to_string(port);
  if (port < 0 || port > 65535) throw_error(bad_argument::port, operation);
  std::string name = detail::sys::getservbyport(port, proto.get());
  if (name.empty()) throw_error(errc::port_not_found, operation);
  return name;
}

namespace detail {

sockaddr_view resolve(const address& a, int family, endpoint& storage, std::error_code& ec) noexcept {
  if (!a) {
    ec = bad_argument::address_missing;
  } else if (const auto* name = a.get_if<host_address>()) {
    ec = resolve_host(*name, family, storage);
    if (!ec) return {storage.data(), storage.size()};
  } else if (const auto* raw = a.get_if<endpoint>()) {
    return {raw->data(), raw->size()};  // the system knows its families better than we do
  } else if (a.family() == AF_UNIX || family == AF_UNIX) {
    ec = bad_argument::address_form;
  } else if (family == AF_INET || family == AF_INET6) {
    if (is_broadcast(a))
      ec = errc::family_mismatch;
    else
      ec = {wrong_family, gai_category()};
  } else {
    ec = errc::bad_family;
  }
  return {};
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
