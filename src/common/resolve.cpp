// SPDX-License-Identifier: MIT
// From an address to the system's form for a socket, which for a host name asks the resolver.
#include "lookup.hpp"

namespace pysock {
inline namespace v1 {
namespace {

// The numeric address of the other family, where the system has a number of its own for it.
#ifdef EAI_ADDRFAMILY
constexpr int wrong_family = EAI_ADDRFAMILY;
#else
constexpr int wrong_family = EAI_FAMILY;
#endif

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

// The IPv4 address in an IPv4-mapped one (RFC 4291), which is how a server for both families sees
// its IPv4 peers. False for any other, and for parts that AF_INET does not have.
bool unmapped(const address& a, endpoint& out) noexcept {
  constexpr unsigned char prefix[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  const auto* in6 = a.get_if<inet6_address>();
  if (in6 == nullptr || in6->flowinfo() != 0 || in6->scope_id() != 0 ||
      std::memcmp(in6->bytes(), prefix, sizeof prefix) != 0)
    return false;
  unsigned char packed[4];
  std::memcpy(packed, in6->bytes() + sizeof prefix, sizeof packed);
  sockaddr_in in;
  detail::fill(in, packed, in6->port());
  store(inet_address(in), out);
  return true;
}

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
    if (const std::error_code ec = detail::lookup(a.host, family, found)) return ec;
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

}  // namespace

namespace detail {

std::error_code lookup(const std::string& host, int family, endpoint& out) noexcept {
  const addrinfo hints = make_hints(family, SOCK_DGRAM, 0, idn_flag(host));
  results found;
  const std::error_code ec = code_of(sys::getaddrinfo(host.c_str(), nullptr, &hints, &found.first));
  if (ec) return ec;
  if (found.first == nullptr) return errc::no_addresses;
  out = endpoint(found.first->ai_addr, static_cast<socklen_t>(found.first->ai_addrlen));
  return {};
}

sockaddr_view resolve(const address& a, int family, endpoint& storage,
                      std::error_code& ec) noexcept {
  if (!a) {
    ec = bad_argument::address_missing;
  } else if (const auto* name = a.get_if<host_address>()) {
    ec = resolve_host(*name, family, storage);
    if (!ec) return {storage.data(), storage.size()};
  } else if (const auto* raw = a.get_if<endpoint>()) {
    return {raw->data(), raw->size()};  // the system knows its families better than we do
  } else if (a.family() == AF_UNIX || family == AF_UNIX) {
    ec = bad_argument::address_form;
  } else if (family == AF_INET && unmapped(a, storage)) {
    return {storage.data(), storage.size()};
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
