// SPDX-License-Identifier: MIT
// A buffer for the operating system's socket addresses.
#pragma once

#include "../constants.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

// A buffer for any address that the system can return, including AF_UNIX with all its bytes; not
// initialised, which would cost time.
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
