// SPDX-License-Identifier: MIT
/// \file
/// Connected and listening sockets in one call.
#pragma once

#include <cstdint>      // int64_t
#include <memory>       // shared_ptr
#include <optional>     // optional
#include <string>       // string
#include <type_traits>  // enable_if_t
#include <vector>       // vector

#include "resolver.hpp"
#include "socket.hpp"

namespace pysock {
inline namespace v1 {

/// The type of `use_default_timeout`.
struct use_default_timeout_t {};
/// As a timeout: the value of `getdefaulttimeout()` at the time of the call.
inline constexpr use_default_timeout_t use_default_timeout{};

class connection_timeout;
namespace detail {
std::int64_t timeout_word(const connection_timeout& value) noexcept;
}

/// The timeout of `create_connection`: what makes a `timeout_value`, or `use_default_timeout`.
/// `std::nullopt` blocks, whatever the default.
class connection_timeout {
 public:
  /// The default timeout.
  constexpr connection_timeout(use_default_timeout_t) noexcept {}
  /// This timeout, throwing as `timeout_value` does.
  template <class T, std::enable_if_t<std::is_convertible_v<const T&, timeout_value>, int> = 0>
  constexpr connection_timeout(const T& value)
      : word_(detail::timeout_word(timeout_value(value))) {}

 private:
  friend std::int64_t detail::timeout_word(const connection_timeout& value) noexcept;

  std::optional<std::int64_t> word_;
};

namespace detail {
inline std::int64_t timeout_word(const connection_timeout& value) noexcept {
  return value.word_ ? *value.word_ : default_timeout();
}
}  // namespace detail

/// The address for `create_connection`: a host and a port, or an AF_UNIX path. (Python: the
/// pair)
class host_port {
 public:
  /// \param host a name, a numeric address of either family, or `std::nullopt` for this machine;
  /// `""` is refused when it is used \param port a number or a service name
  PYSOCK_API host_port(const std::optional<text>& host, service port);

  /// The host and port of an address, with its scope, or an AF_UNIX address. \throws
  /// std::invalid_argument if it has more (a flow label) or neither
  PYSOCK_API host_port(const address& a);

  /// An AF_UNIX path or abstract name. (Python has no such function.) Throws as `unix_address`.
  template <class T, class = std::enable_if_t<std::is_convertible_v<T&&, file_path>>>
  host_port(T&& path) : host_port(address(std::forward<T>(path))) {}

  /// The host, with `%scope` where it has one; empty for this machine.
  [[nodiscard]] const std::optional<std::string>& host() const noexcept { return host_; }
  /// The port.
  [[nodiscard]] const service& port() const noexcept { return port_; }
  /// The AF_UNIX address; no address for a host and a port.
  [[nodiscard]] const address& unix_path() const noexcept { return unix_path_; }

  /// As Python prints it: ``('localhost', 80)``.
  [[nodiscard]] PYSOCK_API std::string to_string() const;

 private:
  std::optional<std::string> host_;
  service port_;
  address unix_path_;
};

namespace detail {
struct connection_access;
struct connect_plan;
// Connects to several addresses at a time: a pointer, so that only programs that do so link it.
using race_function = socket (*)(const connect_plan& plan,
                                 const std::vector<address_info>& addresses, std::int64_t delay,
                                 std::vector<error>& failures);
}  // namespace detail

/// Optional parameters of `create_connection`.
class connection_options {
 public:
  /// The local address; default: the system chooses. An address of another family than the
  /// remote one's fails that attempt. Where the system has IP_BIND_ADDRESS_NO_PORT, connections to
  /// different servers may share the port that it chooses for port 0.
  connection_options& source_address(address value) {
    source_address_ = std::move(value);
    return *this;
  }
  /// Tries the addresses at the same time (RFC 8305, Happy Eyeballs): if an attempt has not ended
  /// after this delay, the next address is tried as well, and if it has failed, the next one is
  /// tried at once. The first connection that succeeds is returned, and the others are closed. RFC
  /// 8305 recommends 0.25; default: `std::nullopt`, one address after the other. Has no effect if
  /// the timeout is 0. (Python: `asyncio.loop.create_connection`) \throws std::invalid_argument for
  /// a time point
  PYSOCK_API connection_options& happy_eyeballs_delay(timeout_value value);
  /// Whether addresses of different families alternate: 0 keeps the resolver's order, another
  /// number is how many addresses of the first family come before the first of another. Default: 1
  /// with a `happy_eyeballs_delay`, else 0. (Python: `asyncio.loop.create_connection`) \throws
  /// std::invalid_argument if negative
  PYSOCK_API connection_options& interleave(int value);
  /// Ends the lookup and every attempt with `interrupted_error`. The new socket uses it, too.
  connection_options& interrupter(const pysock::interrupter& stop) {
    link_ = detail::interrupter_access::link(stop);
    return *this;
  }
  /// Whether a failure reports every attempt, as an `error_group`, or the last one alone; default:
  /// false.
  connection_options& all_errors(bool value) noexcept {
    all_errors_ = value;
    return *this;
  }

  [[nodiscard]] const address& source_address() const noexcept {
    return source_address_;
  }                                                                       ///< As set.
  [[nodiscard]] bool all_errors() const noexcept { return all_errors_; }  ///< As set.
  /// As set.
  [[nodiscard]] std::optional<seconds> happy_eyeballs_delay() const noexcept {
    return detail::timeout_left(delay_);
  }
  [[nodiscard]] int interleave() const noexcept { return interleave_; }  ///< As set; -1: not set.

 private:
  friend struct detail::connection_access;

  address source_address_;
  bool all_errors_ = false;
  std::int64_t delay_ = detail::no_timeout;
  detail::race_function race_ = nullptr;  // set with the delay
  int interleave_ = -1;
  detail::interrupt_link link_;
};

PYSOCK_EXPORTED_CLASSES_BEGIN

/// Thrown by `create_connection` with `all_errors(true)`: `errc::several_failures`.
/// (Python: ExceptionGroup) Copying never throws.
class PYSOCK_API error_group : public error {
 public:
  /// \param operation the call, and the address where there is one \param exceptions one failure
  /// for each attempt
  error_group(std::string_view operation, std::vector<error> exceptions);
  error_group(const error_group&) noexcept = default;             ///< Shares the list.
  error_group& operator=(const error_group&) noexcept = default;  ///< Shares the list.

  /// The failure of each attempt; its `code()` tells the kind of error. (Python:
  /// `e.exceptions`)
  [[nodiscard]] const std::vector<error>& exceptions() const noexcept { return *exceptions_; }

 private:
  std::shared_ptr<const std::vector<error>> exceptions_;
};

PYSOCK_EXPORTED_CLASSES_END

/// A TCP connection to a host and a port: each address that the host resolves to is tried in turn.
/// (Python: `socket.create_connection`)
///
/// An attempt also fails with ECONNREFUSED if the system connected the socket to itself, which can
/// happen if no socket listens on a local port. (Python returns such a socket.)
///
/// \param address `{host, port}`, or an AF_UNIX path
/// \param timeout limits each attempt, so that a host with two addresses that do not answer takes
/// twice as long, and is then the new socket's timeout. It does not limit the lookup of the host,
/// which takes as long as the system's resolver does. A time point limits everything together, the
/// lookup too; the socket keeps it as its deadline until `settimeout`. \param options the source
/// address, parallel attempts, and whether a failure reports all attempts \throws gaierror if the
/// host is unknown, and EAI_NONAME for `""` \throws error of the last attempt:
/// connection_refused_error, timeout, gaierror from the source address, ...;
///   with `all_errors` an `error_group` of all of them
/// \throws std::invalid_argument for a NUL in the host and an unfit form of address
[[nodiscard]] PYSOCK_API socket
create_connection(const host_port& address, connection_timeout timeout = use_default_timeout,
                  const connection_options& options = connection_options());

/// Optional parameters of `create_server`.
class server_options {
 public:
  /// AF_INET, AF_INET6 or AF_UNIX. Default: AF_UNSPEC, which is the address's own family, and
  /// AF_INET for a host name and for `""`. (Python: AF_INET)
  server_options& family(int value) noexcept {
    family_ = value;
    return *this;
  }
  /// How many connections may queue, as for `socket::listen`; default: `socket::default_backlog`.
  server_options& backlog(int value) noexcept {
    backlog_ = value;
    return *this;
  }
  /// Whether several sockets may share the address, if all of them ask for it (SO_REUSEPORT);
  /// default: false.
  server_options& reuse_port(bool value) noexcept {
    reuse_port_ = value;
    return *this;
  }
  /// Whether an AF_INET6 socket serves IPv4 as well; IPv4 peers then have mapped addresses,
  /// `0:0:0:0:0:ffff:a.b.c.d`. Default: false.
  server_options& dualstack_ipv6(bool value) noexcept {
    dualstack_ipv6_ = value;
    return *this;
  }

  [[nodiscard]] int family() const noexcept { return family_; }                   ///< As set.
  [[nodiscard]] int backlog() const noexcept { return backlog_; }                 ///< As set.
  [[nodiscard]] bool reuse_port() const noexcept { return reuse_port_; }          ///< As set.
  [[nodiscard]] bool dualstack_ipv6() const noexcept { return dualstack_ipv6_; }  ///< As set.

 private:
  int family_ = AF_UNSPEC;
  int backlog_ = socket::default_backlog;
  bool reuse_port_ = false;
  bool dualstack_ipv6_ = false;
};

/// A SOCK_STREAM socket that listens. (Python: `socket.create_server`)
///
/// A server that was just stopped can be started again at once: SO_REUSEADDR is set, on Windows
/// SO_EXCLUSIVEADDRUSE. IPV6_V6ONLY is always set or cleared explicitly. The socket has the default
/// timeout. \param address where to listen: `{"", port}` for every interface, port 0 for one that
/// the system chooses \param options family, backlog, and whether the port is shared or serves IPv4
/// as well \throws error EADDRINUSE, EADDRNOTAVAIL, with the address; EMFILE and the like \throws
/// permission_error \throws gaierror for an unknown host and for one of another family \throws
/// std::invalid_argument if the options contradict each other or this system lacks them
[[nodiscard]] PYSOCK_API socket create_server(const address& address,
                                              const server_options& options = server_options());

/// Whether this machine can serve IPv4 and IPv6 with one socket; tries it, so the result is false
/// if the process has no descriptor left. (Python: `socket.has_dualstack_ipv6`)
[[nodiscard]] PYSOCK_API bool has_dualstack_ipv6() noexcept;

}  // namespace v1
}  // namespace pysock
