// SPDX-License-Identifier: MIT
// Sockets that many tests use: on the loopback, with ports that the system chooses, and a timeout
// for every wait.
#pragma once

#include <chrono>
#include <pysock/descriptor.hpp>
#include <pysock/names.hpp>
#include <pysock/socket.hpp>
#include <string>
#include <utility>
#include <vector>

#include "descriptors.hpp"

namespace test_support {

/// The timeout for events that must occur; long, for busy machines.
inline constexpr std::chrono::seconds patience{30};

inline const char* loopback(int family) { return family == AF_INET6 ? "::1" : "127.0.0.1"; }

using native_socket = decltype(::socket(0, 0, 0));

/// A socket made by the system's call; empty if the call failed.
inline pysock::descriptor system_socket(int family, int type) {
  const pysock::socket starts_winsock;
  return pysock::descriptor(static_cast<pysock::native_handle_type>(::socket(family, type, 0)));
}

/// Whether this host has an IPv6 loopback.
inline bool host_has_ipv6() {
  const pysock::descriptor probe = system_socket(AF_INET6, SOCK_STREAM);
  sockaddr_in6 where{};
  where.sin6_family = AF_INET6;
  where.sin6_addr = in6addr_loopback;
  return probe && ::bind(static_cast<native_socket>(probe.get()),
                         reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0;
}

/// Why there are no AF_UNIX sockets of this type here; empty if there are. Some systems have only
/// streams.
inline std::string why_no_unix(int type = SOCK_STREAM) {
  if (system_socket(AF_UNIX, type)) return "";
  const int number = pysock::detail::sys::last_error();
  return "::socket of AF_UNIX, " + pysock::type_name(type) + ", fails with " +
         std::to_string(number);
}

/// A listener on the loopback.
inline pysock::socket listening(int family = AF_INET,
                                int backlog = pysock::socket::default_backlog) {
  pysock::socket made(family);
  made.settimeout(patience);
  made.bind({loopback(family), 0});
  made.listen(backlog);
  return made;
}

/// A bound datagram socket.
inline pysock::socket bound_udp(int family = AF_INET) {
  pysock::socket made(family, SOCK_DGRAM);
  made.settimeout(patience);
  made.bind({loopback(family), 0});
  return made;
}

/// The client's and the server's end of a TCP connection.
inline std::pair<pysock::socket, pysock::socket> connected(int family = AF_INET) {
  pysock::socket listener = listening(family);
  pysock::socket client(family);
  client.settimeout(patience);
  client.connect(listener.getsockname());
  pysock::socket server = listener.accept().conn;
  server.settimeout(patience);
  return {std::move(client), std::move(server)};
}

/// A listener whose queue is full: another connection hangs until `listener.accept()`.
struct full_listener {
  full_listener() {
    for (;;) {
      pysock::socket s;
      s.settimeout(0.1);
      if (s.connect_ex(address()) != 0) return;
      queued.push_back(std::move(s));
    }
  }
  [[nodiscard]] pysock::address address() const { return listener.getsockname(); }
  pysock::socket listener = listening(AF_INET, 0);
  std::vector<pysock::socket> queued;
};

/// Receives `size` bytes, or fewer if the stream ends.
inline std::string receive(pysock::socket& s, std::size_t size) {
  std::string all;
  while (all.size() < size) {
    const std::string piece = s.recv(size - all.size());
    if (piece.empty()) break;
    all += piece;
  }
  return all;
}

/// Receives up to the end of the stream. Returns the number of bytes.
inline std::size_t drain(pysock::socket& s) {
  std::string buffer(65536, '\0');
  std::size_t total = 0;
  while (const std::size_t count = s.recv_into(buffer)) total += count;
  return total;
}

/// A TCP connection whose first end cannot send any more, and the number of bytes sent.
struct full_connection {
  full_connection() {
    const std::string piece(100000, 'x');
    client.setsockopt(SOL_SOCKET, SO_SNDBUF, 16384);  // stops the growth of the buffers
    server.setsockopt(SOL_SOCKET, SO_RCVBUF, 16384);
    client.setblocking(false);
    std::error_code ec;
    do {
      for (ec.clear(); !ec;) under_way += client.send(piece, ec);
    } while (wait_for(client.fileno(), POLLOUT, 50));  // the other end may take data later
  }
  std::size_t under_way = 0;
  std::pair<pysock::socket, pysock::socket> both = connected();
  pysock::socket& client = both.first;
  pysock::socket& server = both.second;
};

/// Sets the default timeout for its lifetime.
class default_timeout_scope {
 public:
  explicit default_timeout_scope(pysock::timeout_value value) { pysock::setdefaulttimeout(value); }
  default_timeout_scope(const default_timeout_scope&) = delete;
  default_timeout_scope& operator=(const default_timeout_scope&) = delete;
  ~default_timeout_scope() { pysock::setdefaulttimeout(std::nullopt); }
};

/// Measures the seconds since its construction with a monotonic clock.
class stopwatch {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace test_support
