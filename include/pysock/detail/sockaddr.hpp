// SPDX-License-Identifier: MIT
// A buffer for the operating system's socket addresses.
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

}  // namespace detail
}  // namespace v1
}  // namespace pysock
