// SPDX-License-Identifier: MIT
#include "resolve.hpp"

#include <cstring>

#include "lookup.hpp"
#include "packed_address.hpp"

namespace pysock {
inline namespace v1 {
namespace {

// The error for a numeric address of the other family, if the system has a number for it.
#ifdef EAI_ADDRFAMILY
constexpr int wrong_family = EAI_ADDRFAMILY;
#else
constexpr int wrong_family = EAI_FAMILY;
#endif

constexpr unsigned char any4[4] = {};
constexpr unsigned char any6[16] = {};
constexpr unsigned char broadcast4[4] = {0xFF, 0xFF, 0xFF, 0xFF};
constexpr unsigned char mapped_prefix[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

template <class Address>
endpoint to_endpoint(const Address& a) {
  return {a.data(), a.size()};
}

// A looked-up address with the port and scope that the caller gave.
endpoint with_parts(endpoint found, const host_address& a) noexcept {
  if (found.family() == AF_INET) {
    reinterpret_cast<sockaddr_in*>(found.buffer())->sin_port =
        htons(static_cast<std::uint16_t>(a.port));
  } else if (found.family() == AF_INET6) {
    auto* in6 = reinterpret_cast<sockaddr_in6*>(found.buffer());
    in6->sin6_port = htons(static_cast<std::uint16_t>(a.port));
    in6->sin6_flowinfo = htonl(a.flowinfo);
    if (a.scope_id != 0) in6->sin6_scope_id = a.scope_id;
  }
  return found;
}

endpoint resolve_host(const host_address& a, int family, std::error_code& ec) noexcept {
  const bool broadcast = a.host == "<broadcast>";
  if ((family != AF_INET && family != AF_INET6) || (family == AF_INET && a.inet6_only)) {
    ec = bad_argument::address_form;
  } else if (broadcast && family == AF_INET6) {
    ec = errc::family_mismatch;
  } else if (broadcast) {
    return to_endpoint(detail::packed_address(broadcast4, a.port));
  } else if (a.host.empty() && family == AF_INET) {
    return to_endpoint(detail::packed_address(any4, a.port));
  } else if (a.host.empty()) {
    return to_endpoint(detail::packed_address(any6, a.port, a.flowinfo, a.scope_id));
  } else {
    return with_parts(detail::lookup(a.host, family, detail::idn_flag(a.host), ec), a);
  }
  return {};
}

// Whether this is an IPv4-mapped address (RFC 4291), as a server for both families sees its IPv4
// peers, without parts that AF_INET does not have.
bool is_mapped(const inet6_address& a) noexcept {
  return a.flowinfo() == 0 && a.scope_id() == 0 &&
         std::memcmp(a.bytes(), mapped_prefix, sizeof mapped_prefix) == 0;
}

// A numeric address of another family than the socket's.
endpoint convert(const address& a, int family, std::error_code& ec) noexcept {
  const auto* in = a.get_if<inet_address>();
  const auto* in6 = a.get_if<inet6_address>();
  if (a.family() == AF_UNIX || family == AF_UNIX) {
    ec = bad_argument::address_form;
  } else if (family == AF_INET && is_mapped(*in6)) {
    unsigned char packed[4];
    std::memcpy(packed, in6->bytes() + sizeof mapped_prefix, sizeof packed);
    return to_endpoint(detail::packed_address(packed, in6->port()));
  } else if (family != AF_INET && family != AF_INET6) {
    ec = errc::bad_family;
  } else if (in != nullptr && std::memcmp(in->bytes(), broadcast4, sizeof broadcast4) == 0) {
    ec = errc::family_mismatch;
  } else {
    ec = {wrong_family, gai_category()};
  }
  return {};
}

}  // namespace

namespace detail {

endpoint resolve(const address& a, int family, std::error_code& ec) noexcept {
  ec.clear();
  if (a.size() != 0 && (a.family() == family || a.get_if<endpoint>() != nullptr))
    return to_endpoint(a);
  if (const auto* name = a.get_if<host_address>()) return resolve_host(*name, family, ec);
  if (a) return convert(a, family, ec);
  ec = bad_argument::address_missing;
  return {};
}

endpoint lookup(const std::string& host, int family, int flags, std::error_code& ec) noexcept {
  const addrinfo hints = make_hints(family, SOCK_DGRAM, 0, flags);
  results found;
  ec = code_of(sys::getaddrinfo(host.c_str(), nullptr, &hints, &found.first));
  if (ec || found.first == nullptr) {
    if (!ec) ec = errc::no_addresses;
    return {};
  }
  const address first(found.first->ai_addr, static_cast<socklen_t>(found.first->ai_addrlen));
  if (family != AF_INET6 && first.get_if<inet_address>() != nullptr) return to_endpoint(first);
  if (family != AF_INET && first.get_if<inet6_address>() != nullptr) return to_endpoint(first);
  ec = errc::bad_family;
  return {};
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
