// SPDX-License-Identifier: MIT
// Winsock for the files of this folder: its start, and its handles.
#pragma once

#include <algorithm>
#include <climits>
#include <pysock/detail/sys.hpp>

namespace pysock {
inline namespace v1 {
namespace detail {
namespace sys {
namespace winsock {

inline int start() noexcept {
  WSADATA data{};
  const WORD wanted = MAKEWORD(2, 2);
  const int reason = ::WSAStartup(wanted, &data);
  if (reason != 0) return reason;
  return data.wVersion == wanted ? 0 : WSAVERNOTSUPPORTED;
}

// Starts Winsock, once; false with the reason in last_error() where that fails. Called by whatever
// may be a program's first call, and so also before main(). It is never ended: sockets may outlive
// every object of ours, and the system ends it with the process.
inline bool started() noexcept {
  static const int reason = start();
  if (reason != 0) ::WSASetLastError(reason);
  return reason == 0;
}

inline SOCKET to_socket(native_handle_type s) noexcept { return static_cast<SOCKET>(s); }
inline native_handle_type to_native(SOCKET s) noexcept {
  return static_cast<native_handle_type>(s);
}
inline HANDLE to_handle(native_handle_type h) noexcept { return reinterpret_cast<HANDLE>(h); }

// Fails with this reason.
inline int fail(int reason) noexcept {
  ::WSASetLastError(reason);
  return -1;
}

// Lengths are ints.
inline int cut(std::size_t size) noexcept {
  return static_cast<int>((std::min)(size, std::size_t{INT_MAX}));
}

}  // namespace winsock
}  // namespace sys
}  // namespace detail
}  // namespace v1
}  // namespace pysock
