// SPDX-License-Identifier: MIT
// The operating system's socket addresses as plain bytes: a view to pass down, and a buffer to be
// filled.
#pragma once

#include "../constants.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

// Room for any address the system can return, AF_UNIX with all its bytes included; left
// uninitialised on purpose.
union sockaddr_any {
  sockaddr base;
  sockaddr_in in;
  sockaddr_in6 in6;
  native_unix un;
  sockaddr_storage storage;
};

// An address to hand to the system; never owned.
struct sockaddr_view {
  const sockaddr* data = nullptr;
  socklen_t size = 0;
};

}  // namespace detail
}  // namespace v1
}  // namespace pysock
