// SPDX-License-Identifier: MIT
// Access to a socket for other parts of the library.
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
  // A socket in its mode from the start, which saves the call that changes it. `timeout` is a word
  // as in timeout.hpp.
  static socket open(const address_info& info, std::int64_t timeout, bool nonblocking) {
    const native_handle_type handle = sys::socket(info.family, info.type, info.proto, nonblocking);
    if (handle < 0) {
      throw_result(handle,
                   "socket (" + family_name(info.family) + ", " + type_name(info.type) + ")");
    }
    return socket(handle, info.family, info.type, info.proto, timeout);
  }

  // For a socket whose descriptor is non-blocking already.
  static void set_interrupter(socket& s, const interrupt_link& link) { s.change_interrupter(link); }

  // The state that the wait engine needs.
  static call_context context(const socket& s) noexcept { return s.context(); }
};

}  // namespace detail
}  // namespace v1
}  // namespace pysock
