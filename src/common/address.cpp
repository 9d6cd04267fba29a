// SPDX-License-Identifier: MIT
// Addresses from text and from the system, and their parts.
#include <pysock/address.hpp>

#include <cstring>
#include <new>
#include <pysock/detail/ip_text.hpp>
#include <pysock/error.hpp>

#include "packed_address.hpp"
#include "repr.hpp"

namespace pysock {
inline namespace v1 {
namespace {

using detail::call_text;
using detail::packed_address;
using detail::throw_error;

std::uint32_t checked_flowinfo(long long flowinfo) {
  if (flowinfo < 0 || flowinfo > 0xFFFFF) throw_error(bad_argument::flowinfo, "address");
  return static_cast<std::uint32_t>(flowinfo);
}

std::uint32_t checked_scope(long long scope_id) {
  if (scope_id < 0 || scope_id > 0xFFFFFFFFLL)
    throw_error(bad_argument::value_range, "address: scope_id");
  return static_cast<std::uint32_t>(scope_id);
}

// IPv6 text with an optional numeric scope ("fe80::1%2"); a scope by name needs the resolver and is
// not accepted.
bool parse_scoped_ipv6(std::string_view host, unsigned char (&packed)[16],
                       std::uint32_t& scope_id) noexcept {
  if (detail::parse_ipv6(host, packed)) return true;
  const std::size_t percent = host.find('%');
  if (percent == std::string_view::npos || !detail::parse_ipv6(host.substr(0, percent), packed))
    return false;
  const std::string_view digits = host.substr(percent + 1);
  if (digits.empty() || digits.size() > 10) return false;
  std::uint64_t value = 0;
  for (const char c : digits) {
    if (detail::decimal_digit(c) > 9) return false;
    value = value * 10 + detail::decimal_digit(c);
  }
  if (value > 0xFFFFFFFFU) return false;
  scope_id = static_cast<std::uint32_t>(value);
  return true;
}

}  // namespace

// ---- the kinds ----

int port_number::checked(const char* operation) const {
  if (!is_valid()) throw_error(bad_argument::port, operation);
  return static_cast<int>(value_);
}

endpoint::endpoint(const sockaddr* data, socklen_t size) : size_(size) {
  if (size == 0) return;
  if (!holds_family(size) || static_cast<std::size_t>(size) > sizeof storage_)
    throw_error(bad_argument::value_range, "endpoint: size");
  std::memcpy(&storage_, data, static_cast<std::size_t>(size));
}

unix_address::unix_address(const file_path& path) {
  const std::string_view bytes = path.view();
  const bool abstract_name = !bytes.empty() && bytes.front() == '\0';
  if (!abstract_name && bytes.find('\0') != std::string_view::npos)
    throw_error(bad_argument::embedded_null, call_text("unix_address", bytes));
  if (bytes.size() > max_size - (abstract_name ? 0 : 1))
    throw_error(errc::path_too_long, call_text("unix_address", bytes));
  assign(bytes);
}

unix_address::unix_address(const sockaddr_un& native, socklen_t size) noexcept {
  const std::size_t used =
      static_cast<std::size_t>(size) <= offset ? 0 : static_cast<std::size_t>(size) - offset;
  const char* const path = reinterpret_cast<const char*>(&native) + offset;
  const std::string_view bytes(path, used < max_size ? used : max_size);
  const bool whole = PYSOCK_ABSTRACT_NAMES != 0 && !bytes.empty() && bytes.front() == '\0';
  assign(whole ? bytes : bytes.substr(0, bytes.find('\0')));
}

void unix_address::assign(std::string_view bytes) noexcept {
  native_ = detail::native_unix{};
  native_.sun_family = AF_UNIX;
  length_ = bytes.size();
  if (!bytes.empty()) std::memcpy(native_.sun_path, bytes.data(), bytes.size());
}

inet_address::inet_address(text host, port_number port) {
  unsigned char packed[4];
  if (!detail::parse_ipv4(host.view(), packed)) {
    const bool broadcast = host.view() == "<broadcast>";
    if (!broadcast && !host.view().empty())
      throw_error(errc::illegal_inet_pton, call_text("inet_address", host.view()));
    std::memset(packed, broadcast ? 0xFF : 0, sizeof packed);
  }
  *this = packed_address(packed, port.checked("address"));
}

std::string inet_address::host() const {
  char out[detail::ipv4_text_max];
  return std::string(out, detail::print_ipv4(bytes(), out));
}

inet6_address::inet6_address(text host, port_number port, long long flowinfo, long long scope_id) {
  unsigned char packed[16] = {};
  std::uint32_t scope = 0;
  if (!host.view().empty() && !parse_scoped_ipv6(host.view(), packed, scope))
    throw_error(errc::illegal_inet_pton, call_text("inet6_address", host.view()));
  if (scope_id != 0) scope = checked_scope(scope_id);
  *this = packed_address(packed, port.checked("address"), checked_flowinfo(flowinfo), scope);
}

std::string inet6_address::host() const {
  char out[detail::ipv6_text_max];
  return std::string(out, detail::print_ipv6(bytes(), out));
}

// ---- address ----

address::address(text host, port_number port) : address() {
  parse(host.view(), port.checked("address"), 0, 0, false);
}

address::address(text host, port_number port, long long flowinfo, long long scope_id) : address() {
  parse(host.view(), port.checked("address"), checked_flowinfo(flowinfo), checked_scope(scope_id),
        true);
}

// IPv6 text becomes binary at once, except with a scope by name, which only the system can look up.
void address::parse(std::string_view host, int port, std::uint32_t flowinfo, std::uint32_t scope_id,
                    bool inet6_only) {
  unsigned char v4[4];
  unsigned char v6[16];
  std::uint32_t scope = 0;
  if (!inet6_only && detail::parse_ipv4(host, v4)) {
    new (&inet_) inet_address(packed_address(v4, port));
    kind_ = kind::inet;
  } else if (parse_scoped_ipv6(host, v6, scope)) {
    new (&inet6_)
        inet6_address(packed_address(v6, port, flowinfo, scope_id != 0 ? scope_id : scope));
    kind_ = kind::inet6;
  } else if (host.find('\0') != std::string_view::npos) {
    throw_error(bad_argument::embedded_null, call_text("address", host));
  } else {
    new (&host_) host_address{std::string(host), port, flowinfo, scope_id, inet6_only};
    kind_ = kind::host;
  }
}

address::address(const sockaddr* data, socklen_t size) noexcept : address() {
  if (size < static_cast<socklen_t>(offsetof(sockaddr, sa_data))) return;  // no family
  const auto bytes = static_cast<std::size_t>(size);
  if (data->sa_family == AF_INET && bytes >= sizeof(sockaddr_in)) {
    take(inet_address(*reinterpret_cast<const sockaddr_in*>(data)));
  } else if (data->sa_family == AF_INET6 && bytes >= sizeof(sockaddr_in6)) {
    take(inet6_address(*reinterpret_cast<const sockaddr_in6*>(data)));
  } else if (data->sa_family == AF_UNIX) {
    take(unix_address(*reinterpret_cast<const sockaddr_un*>(data), size));
  } else {
    new (&other_) endpoint();
    other_.resize(size);
    std::memcpy(other_.buffer(), data, static_cast<std::size_t>(other_.size()));
    kind_ = kind::other;
  }
}

address::address(const address& other) : address() { take(other); }

address::address(address&& other) noexcept : address() { take(std::move(other)); }

address& address::operator=(const address& other) {
  if (this != &other) {
    address copy(other);
    *this = std::move(copy);
  }
  return *this;
}

address& address::operator=(address&& other) noexcept {
  if (this != &other) {
    this->~address();
    kind_ = kind::none;
    take(std::move(other));
  }
  return *this;
}

void address::take(const address& other) {
  if (other.kind_ == kind::host) {
    new (&host_) host_address(other.host_);
    kind_ = kind::host;
  } else {
    take_resolved(other);
  }
}

void address::take(address&& other) noexcept {
  if (other.kind_ == kind::host) {
    new (&host_) host_address(std::move(other.host_));
    kind_ = kind::host;
  } else {
    take_resolved(other);
  }
}

void address::take_resolved(const address& other) noexcept {
  kind_ = other.kind_;
  switch (kind_) {
    case kind::unix_path:
      new (&unix_) unix_address(other.unix_);
      break;
    case kind::inet:
      new (&inet_) inet_address(other.inet_);
      break;
    case kind::inet6:
      new (&inet6_) inet6_address(other.inet6_);
      break;
    case kind::other:
      new (&other_) endpoint(other.other_);
      break;
    case kind::none:
    case kind::host:
      break;
  }
}

int address::family() const noexcept {
  const sockaddr* native = data();
  return native == nullptr ? AF_UNSPEC : native->sa_family;
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

}  // namespace v1
}  // namespace pysock
