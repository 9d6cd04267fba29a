// SPDX-License-Identifier: MIT
// Addresses from text and from the system, and their parts.
#include <pysock/address.hpp>

namespace pysock {
inline namespace v1 {

address::address(detail::sockaddr_view native) noexcept {
  if (native.size < static_cast<socklen_t>(offsetof(sockaddr, sa_data))) return;  // no family
  const auto size = static_cast<std::size_t>(native.size);
  if (native.data->sa_family == AF_INET && size >= sizeof(sockaddr_in)) {
    value_.emplace<inet_address>(*reinterpret_cast<const sockaddr_in*>(native.data));
  } else if (native.data->sa_family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
    value_.emplace<inet6_address>(*reinterpret_cast<const sockaddr_in6*>(native.data));
  } else if (native.data->sa_family == AF_UNIX) {
    value_.emplace<unix_address>(*reinterpret_cast<const sockaddr_un*>(native.data), native.size);
  } else {
    auto& raw = value_.emplace<endpoint>();
    std::memcpy(raw.buffer(), native.data,
                size < sizeof(detail::sockaddr_any) ? size : sizeof(detail::sockaddr_any));
    raw.resize(native.size);
  }
}

// IPv6 text becomes binary at once, except with a scope by name, which only the system can look up.
void address::parse_other(std::string_view name, int port, std::uint32_t flowinfo,
                          std::uint32_t scope_id, bool inet6_only) {
  if (name.find('\0') != std::string_view::npos)
    detail::throw_error(bad_argument::embedded_null, "address: host");
  unsigned char v6[16];
  std::uint32_t scope = 0;
  if (detail::parse_scoped_ipv6(name, v6, scope)) {
    sockaddr_in6 native;
    detail::fill(native, v6, port, flowinfo, scope_id != 0 ? scope_id : scope);
    value_.emplace<inet6_address>(native);
    return;
  }
  value_.emplace<host_address>(
      host_address{std::string(name), port, flowinfo, scope_id, inet6_only});
}

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

}  // namespace v1
}  // namespace pysock
