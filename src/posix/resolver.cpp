// SPDX-License-Identifier: MIT
// Names to addresses. Separate from the other databases, so that a program that only connects does
// not link those.
#include "resolver.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

sys::resolver_status sys::getaddrinfo(const char* host, const char* service, const addrinfo* hints,
                                      addrinfo** results) noexcept {
  errno = 0;
  const int number = ::getaddrinfo(host, service, hints, results);
  return status_of(number, errno);
}

void sys::freeaddrinfo(addrinfo* results) noexcept { ::freeaddrinfo(results); }

int sys::answered_protocol(int usual) noexcept { return usual; }

}  // namespace detail
}  // namespace v1
}  // namespace pysock
