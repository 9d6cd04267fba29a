// SPDX-License-Identifier: MIT
// What the library's own parts may do with a socket and its users may not.
#pragma once

#include <cstdint>  // int64_t

#include "../socket.hpp"
#include "call.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

struct socket_access {
  // The mode is the asked one from birth, which saves the call that changes it.
  static socket open(const address_info& info, std::int64_t timeout) {
    socket made(invalid_handle, info.family, info.type, info.proto, timeout);
    const native_handle_type handle = sys::socket(info.family, info.type, info.proto, timeout >= 0);
    if (handle == invalid_handle) throw_socket_failed(last_code(), info.family, info.type);
    made.handle_.store(handle, std::memory_order_relaxed);
    return made;
  }

  // What the wait engine needs to know of it.
  static call_context context(const socket& s) noexcept { return s.context(); }
};

}  // namespace detail
}  // namespace v1
}  // namespace pysock
