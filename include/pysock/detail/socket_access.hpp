// SPDX-License-Identifier: MIT
// What the library's own parts may do with a socket and its users may not.
#pragma once

#include <cstdint>  // int64_t

#include "../names.hpp"
#include "../resolver.hpp"
#include "../socket.hpp"
#include "operation.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

struct socket_access {
  // A socket in the mode of `timeout` from the start, which saves the call that changes it.
  static socket open(const address_info& info, std::int64_t timeout) {
    const native_handle_type handle = sys::socket(info.family, info.type, info.proto, timeout >= 0);
    if (handle < 0) {
      throw_result(handle,
                   "socket (" + family_name(info.family) + ", " + type_name(info.type) + ")");
    }
    return socket(handle, info.family, info.type, info.proto, timeout);
  }

  // What the wait engine needs to know of it.
  static call_context context(const socket& s) noexcept { return s.context(); }
};

}  // namespace detail
}  // namespace v1
}  // namespace pysock
