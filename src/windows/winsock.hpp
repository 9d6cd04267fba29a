// SPDX-License-Identifier: MIT
// Initialisation of Winsock, and its handles.
#pragma once

#include <algorithm>
#include <climits>
#include <pysock/detail/sys.hpp>
#include <string_view>

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

// Initialises Winsock, once; false with the reason in last_error() if that fails. Called by every
// function that may be a program's first call, also before main(). WSACleanup is never called:
// sockets may outlive every object of the library, and the system cleans up when the process ends.
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

// The result of a function of the seam, or the negative error number. For calls that set
// WSAGetLastError(), which is GetLastError().
template <class Result>
Result outcome(Result result) noexcept {
  return result < 0 ? static_cast<Result>(-last_error()) : result;
}

// Lengths are ints.
inline int cut(std::size_t size) noexcept {
  return static_cast<int>((std::min)(size, std::size_t{INT_MAX}));
}

// Converts UTF-8, the encoding of all narrow strings of the library, to UTF-16. False, with the
// reason in last_error(), if `text` is not UTF-8.
inline bool widen(const char* text, std::wstring& out) {
  const int size = ::MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, nullptr, 0);
  if (size <= 0) return false;
  out.resize(static_cast<std::size_t>(size));
  ::MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, out.data(), size);
  out.pop_back();  // the NUL
  return true;
}

// Converts UTF-16 to UTF-8. A lone surrogate becomes U+FFFD.
inline std::string narrow(std::wstring_view text) {
  const int given = cut(text.size());
  const int size =
      ::WideCharToMultiByte(CP_UTF8, 0, text.data(), given, nullptr, 0, nullptr, nullptr);
  std::string out(static_cast<std::size_t>(size), '\0');
  ::WideCharToMultiByte(CP_UTF8, 0, text.data(), given, out.data(), size, nullptr, nullptr);
  return out;
}

}  // namespace winsock
}  // namespace sys
}  // namespace detail
}  // namespace v1
}  // namespace pysock
