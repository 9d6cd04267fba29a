// SPDX-License-Identifier: MIT
// Conversion of an address to the system's form.
#pragma once

#include <pysock/address.hpp>
#include <string>
#include <system_error>

namespace pysock {
inline namespace v1 {
namespace detail {

// The form for a socket of `family`: the binary form of `a`, or the result of a lookup or
// conversion for that family; empty with the reason in `ec` if there is none. Blocks in the
// resolver only for host names.
endpoint resolve(const address& a, int family, std::error_code& ec) noexcept;

// The first address that the resolver returns for `host` in that family (AF_UNSPEC: AF_INET or
// AF_INET6), with port 0; empty with the reason in `ec`. `flags` are AI_*.
endpoint lookup(const std::string& host, int family, int flags, std::error_code& ec) noexcept;

}  // namespace detail
}  // namespace v1
}  // namespace pysock
