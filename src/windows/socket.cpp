// SPDX-License-Identifier: MIT
// Names, connections and options.
#include "winsock.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

using sys::winsock::to_socket;

int sys::bind(native_handle_type s, const sockaddr* address, socklen_t size) noexcept {
  return ::bind(to_socket(s), address, size);
}

int sys::listen(native_handle_type s, int backlog) noexcept {
  return ::listen(to_socket(s), backlog);
}

int sys::connect(native_handle_type s, const sockaddr* address, socklen_t size) noexcept {
  return ::connect(to_socket(s), address, size);
}

int sys::shutdown(native_handle_type s, int how) noexcept { return ::shutdown(to_socket(s), how); }

int sys::getsockname(native_handle_type s, sockaddr* address, socklen_t* size) noexcept {
  return ::getsockname(to_socket(s), address, size);
}

int sys::getpeername(native_handle_type s, sockaddr* address, socklen_t* size) noexcept {
  return ::getpeername(to_socket(s), address, size);
}

int sys::getsockopt(native_handle_type s, int level, int name, void* value,
                    socklen_t* size) noexcept {
  return ::getsockopt(to_socket(s), level, name, static_cast<char*>(value), size);
}

int sys::setsockopt(native_handle_type s, int level, int name, const void* value,
                    socklen_t size) noexcept {
  return ::setsockopt(to_socket(s), level, name, static_cast<const char*>(value), size);
}

int sys::ioctl(native_handle_type s, unsigned long control, const void* value,
               std::size_t size) noexcept {
  DWORD written = 0;
  return ::WSAIoctl(to_socket(s), control, const_cast<void*>(value), static_cast<DWORD>(size),
                    nullptr, 0, &written, nullptr, nullptr);
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
