// SPDX-License-Identifier: MIT
// A link-local address of this host, found without the library if possible.
#pragma once

#include <optional>
#include <pysock/address.hpp>

#if __has_include(<ifaddrs.h>)
#include <ifaddrs.h>
#include <net/if.h>
#else
#include <pysock/resolver.hpp>
#endif

namespace test_support {

/// Empty if no active interface has one.
inline std::optional<pysock::inet6_address> link_local_address() {
#if __has_include(<ifaddrs.h>)
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return std::nullopt;
  std::optional<pysock::inet6_address> found;
  for (const ifaddrs* one = all; one != nullptr && !found; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET6 ||
        (one->ifa_flags & IFF_UP) == 0)
      continue;
    const pysock::inet6_address address(*reinterpret_cast<const sockaddr_in6*>(one->ifa_addr));
    if (IN6_IS_ADDR_LINKLOCAL(reinterpret_cast<const in6_addr*>(address.bytes()))) found = address;
  }
  ::freeifaddrs(all);
  return found;
#else
  try {
    for (const pysock::address_info& one :
         pysock::getaddrinfo(pysock::gethostname(), std::nullopt, AF_INET6)) {
      const auto* address = one.sockaddr.get_if<pysock::inet6_address>();
      if (address != nullptr && address->bytes()[0] == 0xFE &&
          (address->bytes()[1] & 0xC0U) == 0x80)
        return *address;
    }
  } catch (const pysock::gaierror&) {  // the resolver does not know this host's name
  }
  return std::nullopt;
#endif
}

}  // namespace test_support
