// SPDX-License-Identifier: MIT
// Addresses as text, and their order: nothing here is on the way of data.
#include <initializer_list>
#include <pysock/address.hpp>
#include <pysock/families.hpp>

namespace pysock {
inline namespace v1 {
namespace {

constexpr char hex_digits[] = "0123456789abcdef";

// Python's repr of text or, where `bytes` is set, of bytes.
std::string quote(std::string_view value, bool bytes) {
  const bool double_quotes = value.find('\'') != std::string_view::npos && value.find('"') == std::string_view::npos;
  const char mark = double_quotes ? '"' : '\'';
  std::string out = bytes ? "b" : "";
  out += mark;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == mark || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7F || (bytes && byte > 0x7F)) {
      out += "\\x";
      out += hex_digits[byte >> 4U];
      out += hex_digits[byte & 0xFU];
    } else {
      out += c;
    }
  }
  out += mark;
  return out;
}

std::string tuple(std::initializer_list<std::string> parts) {
  std::string out = "(";
  for (const std::string& part : parts) out += (&part == parts.begin() ? "" : ", ") + part;
  return out + (parts.size() == 1 ? ",)" : ")");
}

template <class Integer>
std::string number(Integer value) {
  return std::to_string(value);
}

struct to_text {
  std::string operator()(std::monostate) const { return "None"; }
  std::string operator()(const unix_address& a) const { return quote(a.view(), !a.view().empty() && a.view().front() == '\0'); }
  std::string operator()(const inet_address& a) const { return tuple({"'" + a.host() + "'", number(a.port())}); }
  std::string operator()(const inet6_address& a) const {
    return tuple({"'" + a.host() + "'", number(a.port()), number(a.flowinfo()), number(a.scope_id())});
  }
  std::string operator()(const endpoint& a) const {
#ifdef PACKET_HOST
    if (a.family() == AF_PACKET) {
      const packet_address known(a);
      return tuple({quote(known.ifname(), false), number(known.proto()), number(known.pkttype()), number(known.hatype()),
                    quote(known.addr(), true)});
    }
#endif
#ifdef NETLINK_ROUTE
    if (a.family() == AF_NETLINK) {
      const netlink_address known(a);
      return tuple({number(known.pid()), number(known.groups())});
    }
#endif
#ifdef VMADDR_CID_ANY
    if (a.family() == AF_VSOCK) {
      const vsock_address known(a);
      return tuple({number(known.cid()), number(known.port())});
    }
#endif
#ifdef CAN_RAW
    if (a.family() == AF_CAN) return tuple({quote(can_address(a).ifname(), false)});
#endif
#ifdef TIPC_ADDR_NAME
    if (a.family() == AF_TIPC) {
      const tipc_address known(a);
      return tuple({number(known.addr_type()), number(known.v1()), number(known.v2()), number(known.v3()), number(known.scope())});
    }
#endif
    const std::string_view bytes(reinterpret_cast<const char*>(a.data()), static_cast<std::size_t>(a.size()));
    const std::size_t skipped = offsetof(sockaddr, sa_data);
    return tuple({number(a.family()), quote(bytes.size() > skipped ? bytes.substr(skipped) : std::string_view(), true)});
  }
  std::string operator()(const host_address& a) const {
    if (a.inet6_only) return tuple({quote(a.host, false), number(a.port), number(a.flowinfo), number(a.scope_id)});
    return tuple({quote(a.host, false), number(a.port)});
  }
};

// Calls `f` with each part that equality looks at.
struct parts {
  template <class F>
  static void of(std::monostate, F&&) {}
  template <class F>
  static void of(const unix_address& a, F&& f) {
    f(a.view());
  }
  template <class F>
  static void of(const inet_address& a, F&& f) {
    f(std::string_view(reinterpret_cast<const char*>(a.bytes()), 4));
    f(static_cast<std::uint32_t>(a.port()));
  }
  template <class F>
  static void of(const inet6_address& a, F&& f) {
    f(std::string_view(reinterpret_cast<const char*>(a.bytes()), 16));
    f(static_cast<std::uint32_t>(a.port()));
    f(a.flowinfo());
    f(a.scope_id());
  }
  template <class F>
  static void of(const endpoint& a, F&& f) {
    f(std::string_view(reinterpret_cast<const char*>(a.data()), static_cast<std::size_t>(a.size())));
  }
  template <class F>
  static void of(const host_address& a, F&& f) {
    f(std::string_view(a.host));
    f(static_cast<std::uint32_t>(a.port));
    f(a.flowinfo);
    f(a.scope_id);
    f(static_cast<std::uint32_t>(a.inet6_only));
  }
};

// At most five parts, as keys that compare like the address itself.
struct key {
  std::string_view bytes;
  std::uint32_t numbers[4] = {};
  unsigned count = 0;
  void operator()(std::string_view part) noexcept { bytes = part; }
  void operator()(std::uint32_t part) noexcept { numbers[count++] = part; }
};

key key_of(const address& a) noexcept {
  key k;
  a.visit([&k](const auto& value) { parts::of(value, k); });
  return k;
}

}  // namespace

int address::family() const noexcept {
  const detail::sockaddr_view view = native();
  return view.size == 0 ? AF_UNSPEC : view.data->sa_family;
}

std::string address::host() const {
  if (const auto* in = get_if<inet_address>()) return in->host();
  if (const auto* in6 = get_if<inet6_address>()) return in6->host();
  if (const auto* name = get_if<host_address>()) return name->host;
  return {};
}

std::string address::path() const {
  const auto* un = get_if<unix_address>();
  return un != nullptr ? un->path() : std::string();
}

int address::port() const noexcept {
  if (const auto* in = get_if<inet_address>()) return in->port();
  if (const auto* in6 = get_if<inet6_address>()) return in6->port();
  if (const auto* name = get_if<host_address>()) return name->port;
  return 0;
}

std::uint32_t address::flowinfo() const noexcept {
  if (const auto* in6 = get_if<inet6_address>()) return in6->flowinfo();
  if (const auto* name = get_if<host_address>()) return name->flowinfo;
  return 0;
}

std::uint32_t address::scope_id() const noexcept {
  if (const auto* in6 = get_if<inet6_address>()) return in6->scope_id();
  if (const auto* name = get_if<host_address>()) return name->scope_id;
  return 0;
}

std::string address::to_string() const { return visit(to_text()); }

std::size_t address::hash() const noexcept {
  const key k = key_of(*this);
  std::size_t seed = std::hash<std::string_view>()(k.bytes) + value_.index();
  for (const std::uint32_t number : k.numbers) seed = seed * 31 + number;
  return seed;
}

int address::compare(const address& a, const address& b) noexcept {
  if (a.value_.index() != b.value_.index()) return a.value_.index() < b.value_.index() ? -1 : 1;
  const key left = key_of(a);
  const key right = key_of(b);
  if (const int order = left.bytes.compare(right.bytes); order != 0) return order;
  for (unsigned i = 0; i < left.count; ++i) {
    if (left.numbers[i] != right.numbers[i]) return left.numbers[i] < right.numbers[i] ? -1 : 1;
  }
  return 0;
}

// IPv6 text becomes binary at once, except with a scope by name, which only the system can look up.
void address::parse_other(std::string_view name, int port, std::uint32_t flowinfo, std::uint32_t scope_id, bool inet6_only) {
  if (name.find('\0') != std::string_view::npos) detail::throw_error(bad_argument::embedded_null, "address: host");
  unsigned char v6[16];
  std::uint32_t scope = 0;
  if (detail::parse_scoped_ipv6(name, v6, scope)) {
    sockaddr_in6 native;
    detail::fill(native, v6, port, flowinfo, scope_id != 0 ? scope_id : scope);
    value_.emplace<inet6_address>(native);
    return;
  }
  value_.emplace<host_address>(host_address{std::string(name), port, flowinfo, scope_id, inet6_only});
}

}  // namespace v1
}  // namespace pysock
