// SPDX-License-Identifier: MIT
// A link-local address of this host, asked without the library.
#pragma once

#include <ifaddrs.h>
#include <netinet/in.h>

#include <optional>
#include <pysock/address.hpp>

namespace test_support {

/// Empty where no interface that is up has one.
inline std::optional<pysock::inet6_address> link_local_address() {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return std::nullopt;
  std::optional<pysock::inet6_address> found;
  for (const ifaddrs* one = all; one != nullptr && !found; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET6 || (one->ifa_flags & IFF_UP) == 0) continue;
    const pysock::inet6_address address(*reinterpret_cast<const sockaddr_in6*>(one->ifa_addr));
    if (IN6_IS_ADDR_LINKLOCAL(reinterpret_cast<const in6_addr*>(address.bytes()))) found = address;
  }
  ::freeifaddrs(all);
  return found;
}

}  // namespace test_support
