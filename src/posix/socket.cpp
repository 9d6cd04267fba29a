// SPDX-License-Identifier: MIT
// Names, connections and options.
#include "features.hpp"

#include <pysock/detail/sys.hpp>

namespace pysock {
inline namespace v1 {
namespace detail {

int sys::bind(native_handle_type s, const sockaddr* address, socklen_t size) noexcept {
  return outcome(::bind(s, address, size));
}

int sys::listen(native_handle_type s, int backlog) noexcept {
  return outcome(::listen(s, backlog));
}

int sys::connect(native_handle_type s, const sockaddr* address, socklen_t size) noexcept {
  return outcome(::connect(s, address, size));
}

int sys::shutdown(native_handle_type s, int how) noexcept { return outcome(::shutdown(s, how)); }

int sys::getsockname(native_handle_type s, sockaddr* address, socklen_t* size) noexcept {
  return outcome(::getsockname(s, address, size));
}

int sys::getpeername(native_handle_type s, sockaddr* address, socklen_t* size) noexcept {
  return outcome(::getpeername(s, address, size));
}

int sys::getsockopt(native_handle_type s, int level, int name, void* value,
                    socklen_t* size) noexcept {
  return outcome(::getsockopt(s, level, name, value, size));
}

int sys::setsockopt(native_handle_type s, int level, int name, const void* value,
                    socklen_t size) noexcept {
  return outcome(::setsockopt(s, level, name, value, size));
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
