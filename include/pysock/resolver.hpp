// SPDX-License-Identifier: MIT
/// \file
/// Host, service and protocol names. Every function may block for as long as the system's resolver
/// does: the timeout of a socket does not limit it, but `getaddrinfo` has one of its own. All are
/// thread-safe. If the system cannot do the lookup, because of EMFILE, ENFILE and the like, each
/// throws `error` with that number, and not the error for an unknown name.
#pragma once

#include <optional>      // optional
#include <string>        // string
#include <system_error>  // error_code
#include <type_traits>   // enable_if_t
#include <utility>       // forward
#include <vector>        // vector

#include "address.hpp"
#include "interrupter.hpp"
#include "timeout.hpp"

namespace pysock {
inline namespace v1 {

/// A port as a parameter: a number, a service name (`"http"`, `"80"`), or `std::nullopt` for none.
class service {
 public:
  /// No port. (Python: None)
  service(std::nullopt_t) noexcept {}
  /// A port number, of any type that converts to `port_number`; checked when it is used.
  template <class T, detail::if_port_value<T> = 0>
  service(T port) noexcept : number_(port_number(port).value()) {}
  /// \overload
  template <class T, detail::if_port_object<T> = 0>
  service(const T& port) : number_(port_number(port).value()) {}
  /// A service name or decimal digits; `""` is port 0 for no host, and no port for any other.
  template <class T, class = std::enable_if_t<std::is_convertible_v<T&&, text>>>
  service(T&& name) : has_name_(true), name_(text(std::forward<T>(name)).str()) {}
  /// `bool` does not compile.
  service(bool) = delete;

  /// Whether there is a port; false for `std::nullopt` alone.
  [[nodiscard]] bool has_value() const noexcept { return number_ || has_name_; }
  /// The number, if this was made from one.
  [[nodiscard]] std::optional<long long> number() const noexcept { return number_; }
  /// The name; empty for a number or none.
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  std::optional<long long> number_;
  bool has_name_ = false;
  std::string name_;
};

/// One result of `getaddrinfo`, ready for `socket(family, type, proto)` and `connect(sockaddr)`.
/// (Python: the 5-tuple)
struct address_info {
  int family = 0;  ///< AF_*
  int type = 0;    ///< SOCK_*
  int proto = 0;   ///< IPPROTO_*
  std::string
      canonname;  ///< With AI_CANONNAME, the canonical name, in the first result only; else empty.
  pysock::address sockaddr;  ///< Where to connect or bind.
};

/// Looks up all addresses of a host and a service. (Python: `socket.getaddrinfo`; RFC 3493)
/// \param host a name, a numeric address, or `std::nullopt` or `""` for none: the loopback, or with
/// AI_PASSIVE the wildcard
/// \param port a number, a service name or `std::nullopt`. A name that is a number, which may
/// follow white space and a sign, is the same as that number. \param family AF_*, 0 for any \param
/// type SOCK_*, 0 for any: each address then comes once per type \param proto IPPROTO_*, 0 for any
/// \param flags AI_*
/// \throws std::out_of_range for a port number outside 0..65535; in a service name it is a
/// gaierror EAI_SERVICE
/// \throws std::invalid_argument for an embedded NUL
[[nodiscard]] PYSOCK_API std::vector<address_info> getaddrinfo(const std::optional<text>& host,
                                                               const service& port, int family = 0,
                                                               int type = 0, int proto = 0,
                                                               int flags = 0);

/// The same with a timeout. The lookup of a host name then runs in a worker thread, whose result is
/// dropped if it is late, because the system's resolver cannot be stopped. There are at most 32 of
/// these threads, including those whose lookup has timed out; when all are busy, a lookup waits for
/// one. Numeric hosts need no thread. Python has no such function. \param host as above \param port
/// as above \param family as above \param type as above \param proto as above \param flags as above
/// \param timeout for the whole lookup; 0 works only for numeric hosts
/// \throws timeout when it is over \throws as above, error EAGAIN if no thread can be started,
/// EMFILE
[[nodiscard]] PYSOCK_API std::vector<address_info> getaddrinfo(const std::optional<text>& host,
                                                               const service& port, int family,
                                                               int type, int proto, int flags,
                                                               timeout_value timeout);
/// \overload
/// \param host as above \param port as above \param family as above \param type as above
/// \param proto as above \param flags as above \param timeout as above
/// \param stop ends the lookup as well \throws interrupted_error when it does
[[nodiscard]] PYSOCK_API std::vector<address_info> getaddrinfo(const std::optional<text>& host,
                                                               const service& port, int family,
                                                               int type, int proto, int flags,
                                                               timeout_value timeout,
                                                               const interrupter& stop);

/// What `getnameinfo` returns.
struct name_info {
  std::string host;  ///< Name or numeric text, with `%scope` where the address has one.
  std::string port;  ///< Service name or digits.
};

/// An address as host and service names. (Python: `socket.getnameinfo`)
/// \param sockaddr an AF_INET or AF_INET6 address with a numeric host
/// \param flags NI_*
/// \throws gaierror EAI_NONAME for a host name, and the resolver's other errors \throws
/// std::invalid_argument for other kinds of address
[[nodiscard]] PYSOCK_API name_info getnameinfo(const address& sockaddr, int flags);

/// The entry of one host in the hosts database. (Python: the triple)
struct host_info {
  std::string hostname;                 ///< The primary name.
  std::vector<std::string> aliaslist;   ///< Other names, in the database's order.
  std::vector<std::string> ipaddrlist;  ///< Addresses as text, all of one family.
};

/// The first IPv4 address of a host, as text; a dotted quad is returned unchanged, `""` is 0.0.0.0,
/// `"<broadcast>"` 255.255.255.255. (Python: `socket.gethostbyname`) \throws gaierror \throws
/// std::invalid_argument for an embedded NUL
[[nodiscard]] PYSOCK_API std::string gethostbyname(text hostname);

/// Primary name, aliases and all IPv4 addresses of a host. (Python: `socket.gethostbyname_ex`)
/// \throws gaierror if the name is unknown \throws herror if the database has no entry \throws
/// std::invalid_argument for an embedded NUL
[[nodiscard]] PYSOCK_API host_info gethostbyname_ex(text hostname);

/// The reverse: names of an IPv4 or IPv6 address; a name is resolved first. (Python:
/// `socket.gethostbyaddr`) \throws gaierror, herror as above \throws error
/// `errc::wildcard_ambiguous` for `""` \throws std::invalid_argument for an embedded NUL
[[nodiscard]] PYSOCK_API host_info gethostbyaddr(text ip_address);

/// The fully qualified name of a host: the first of its names with a dot, else its primary name;
/// the name itself if it is unknown. (Python: `socket.getfqdn`) \param name `""`,
/// `"0.0.0.0"` and `"::"` stand for this machine; white space around it is ignored \throws error if
/// this machine's own name cannot be read
[[nodiscard]] PYSOCK_API std::string getfqdn(text name = "");

/// This machine's name. (Python: `socket.gethostname`; gethostname(2)) \throws error
[[nodiscard]] PYSOCK_API std::string gethostname();

/// Sets this machine's name; privileged. (Python: `socket.sethostname`)
/// \throws permission_error without the privilege \throws error EINVAL if too long \throws
/// std::invalid_argument for an embedded NUL
PYSOCK_API void sethostname(text name);

/// The number of a protocol such as `"icmp"`. (Python: `socket.getprotobyname`)
/// \throws error `errc::protocol_not_found` \throws std::invalid_argument for an embedded NUL
[[nodiscard]] PYSOCK_API int getprotobyname(text protocolname);

/// The port of a service, in host order. (Python: `socket.getservbyname`)
/// \param servicename such as `"http"` \param protocolname `"tcp"`, `"udp"`, or any if not given
/// \throws error `errc::service_not_found` \throws std::invalid_argument for an embedded NUL
[[nodiscard]] PYSOCK_API int getservbyname(text servicename,
                                           const std::optional<text>& protocolname = std::nullopt);

/// The service of a port. (Python: `socket.getservbyport`) \param port 0..65535 \param protocolname
/// as above \throws error `errc::port_not_found` \throws std::out_of_range for the port \throws
/// std::invalid_argument for an embedded NUL
[[nodiscard]] PYSOCK_API std::string getservbyport(
    port_number port, const std::optional<text>& protocolname = std::nullopt);

}  // namespace v1
}  // namespace pysock
