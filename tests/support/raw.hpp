// SPDX-License-Identifier: MIT
// The system's calls without the library: for comparison, and to probe for features. A probe
// returns the reason for skipping a test, or an empty text.
#pragma once

#if __has_include(<sys/select.h>)
#include <sys/select.h>
#endif

#include <initializer_list>
#include <pysock/socket.hpp>
#include <string>
#include <utility>

#include "background.hpp"
#include "failure.hpp"
#include "sockets.hpp"

namespace test_support {

inline native_socket raw(const pysock::socket& s) { return static_cast<native_socket>(s.fileno()); }

#ifdef MSG_NOSIGNAL
inline constexpr int no_signal = MSG_NOSIGNAL;
#else
inline constexpr int no_signal = 0;
#endif

template <class T>
int raw_option(const pysock::socket& s, int level, int name, const T& value) {
  return ::setsockopt(raw(s), level, name, reinterpret_cast<const char*>(&value), sizeof value);
}

/// The result of a system call in the form of `failure_of`.
template <class F>
std::string system_says(const F& call) {
  return failure_of([&call] {
    if (call() >= 0) return;
    const int number = pysock::detail::sys::last_error();
    pysock::detail::throw_result(-number, "the system's call");
  });
}

/// A reason to skip: the call that has just failed, and its error.
inline std::string because(const char* call) {
  const int number = pysock::detail::sys::last_error();
  return std::string(call) + " fails with " + std::to_string(number);
}

/// Whether the socket has no local address. Winsock then reports an error.
inline bool is_unbound(const pysock::socket& s) {
  std::string name;
  const std::string outcome = failure_of([&] { name = s.getsockname().to_string(); });
  if (outcome != "none") return outcome == failure("error", EINVAL);
  return name == (s.family() == AF_INET6 ? "('::', 0, 0, 0)" : "('0.0.0.0', 0)");
}

/// The resolver's result for a numeric host of another family.
inline int wrong_family_of_resolver(int family) {
  addrinfo hints{};
  hints.ai_family = family;
  addrinfo* found = nullptr;
  const int number =
      ::getaddrinfo(family == AF_INET6 ? "127.1" : "0:0::1", nullptr, &hints, &found);
  if (number == 0) ::freeaddrinfo(found);
  return number;
}

/// Probes whether shutdown wakes a thread that receives.
inline std::string why_shutdown_wakes_nobody() {
  auto [client, server] = connected();
  client.settimeout(std::nullopt);
  background<int> waiting([s = raw(client)] {
    char buffer[1];
    return static_cast<int>(::recv(s, buffer, sizeof buffer, 0));
  });
  waiting.wait_until_asleep();
  ::shutdown(raw(client), SHUT_RDWR);
  for (int i = 0; i < 300 && !waiting.done(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  if (waiting.done()) return "";
  server.close();
  client.close();
  return "::shutdown wakes no thread that is in ::recv";
}

/// Probes whether recv reports a reset that poll() has reported before.
inline std::string why_waiting_hides_resets() {
  auto [client, server] = connected();
  server.setsockopt(SOL_SOCKET, SO_LINGER, linger{1, 0});
  server.close();
  fd_set readable;
  FD_ZERO(&readable);
  FD_SET(raw(client), &readable);
  timeval limit{10, 0};
  ::select(static_cast<int>(raw(client)) + 1, &readable, nullptr, nullptr, &limit);
  char buffer[1];
  const auto count = ::recv(raw(client), buffer, sizeof buffer, 0);
  return count < 0 ? "" : "::recv after ::select takes a reset for an end";
}

/// Probes whether MSG_WAITALL waits for all bytes.
inline std::string why_no_waitall() {
  auto [client, server] = connected();
  server.settimeout(std::nullopt);
  client.sendall("part");
  background<int> waiting([s = raw(server)] {
    char buffer[8];
    return static_cast<int>(::recv(s, buffer, sizeof buffer, MSG_WAITALL));
  });
  waiting.wait_until_asleep();
  client.sendall("rest");
  const int count = waiting.get();
  return count == 8 ? "" : "::recv with MSG_WAITALL for 8 bytes gave " + std::to_string(count);
}

/// Probes whether reading SO_ERROR clears it.
inline std::string why_so_error_stays() {
  pysock::socket closed_port;
  closed_port.bind({"127.0.0.1", 0});
  pysock::socket s;
  s.setblocking(false);
  (void)s.connect_ex(closed_port.getsockname());
  if (!wait_for(s.fileno(), POLLOUT)) return "a connect to a closed port never ends";
  int number = 0;
  for (int i = 0; i < 2; ++i) {
    socklen_t size = sizeof number;
    ::getsockopt(raw(s), SOL_SOCKET, SO_ERROR, reinterpret_cast<char*>(&number), &size);
  }
  return number == 0 ? ""
                     : "::getsockopt gives SO_ERROR " + std::to_string(number) + " time and again";
}

/// Probes whether the system's resolver accepts interface names as scopes.
inline std::string why_no_scope_names(const std::string& interface) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST;
  addrinfo* found = nullptr;
  const int number = ::getaddrinfo(("fe80::1%" + interface).c_str(), nullptr, &hints, &found);
  if (number != 0)
    return "::getaddrinfo of fe80::1%" + interface + " fails with " + std::to_string(number);
  ::freeaddrinfo(found);
  return "";
}

}  // namespace test_support
