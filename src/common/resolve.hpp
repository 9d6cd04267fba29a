// SPDX-License-Identifier: MIT
// From an address to the system's form of it.
#pragma once

#include <pysock/address.hpp>
#include <string>
#include <system_error>

namespace pysock {
inline namespace v1 {
namespace detail {

// The form that a socket of `family` takes: `a`'s own, or looked up or converted for that family;
// empty with the reason in `ec` if there is none. Blocks in the resolver for host names only.
endpoint resolve(const address& a, int family, std::error_code& ec) noexcept;

// The first address that the resolver has for `host` in that family (AF_UNSPEC: AF_INET or
// AF_INET6), with port 0; empty with the reason in `ec`. `flags` are AI_*.
endpoint lookup(const std::string& host, int family, int flags, std::error_code& ec) noexcept;

}  // namespace detail
}  // namespace v1
}  // namespace pysock
