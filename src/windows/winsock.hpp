// SPDX-License-Identifier: MIT
// Winsock for the files of this folder: its start, and its handles.
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

// What a function of the seam returns: the result, or the negative error number. For calls that set
// WSAGetLastError(), which is GetLastError().
template <class Result>
Result outcome(Result result) noexcept {
  return result < 0 ? static_cast<Result>(-last_error()) : result;
}

// Lengths are ints.
inline int cut(std::size_t size) noexcept {
  return static_cast<int>((std::min)(size, std::size_t{INT_MAX}));
}

// UTF-8, which is what all narrow strings of the library are, as the system's functions with a W
// take it. False, with the reason in last_error(), where `text` is not UTF-8.
inline bool widen(const char* text, std::wstring& out) {
  const int size = ::MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, nullptr, 0);
  if (size <= 0) return false;
  out.resize(static_cast<std::size_t>(size));
  ::MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, out.data(), size);
  out.pop_back();  // the NUL
  return true;
}

// The same the other way. A lone surrogate becomes U+FFFD.
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
