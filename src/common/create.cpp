// SPDX-License-Identifier: MIT
// Connected and listening sockets, put together from the calls of the socket class.
#include <pysock/create.hpp>
#include <pysock/detail/socket_access.hpp>

#include "repr.hpp"
#include "socket_parts.hpp"

namespace pysock {
inline namespace v1 {
namespace {

using detail::throw_error;

// What lets a stopped server start again. Where SO_REUSEADDR would let a stranger share the port,
// there is another option for it.
#ifdef SO_EXCLUSIVEADDRUSE
constexpr int restart_option = SO_EXCLUSIVEADDRUSE;
#else
constexpr int restart_option = SO_REUSEADDR;
#endif

constexpr int no_option = -1;
#ifdef SO_REUSEPORT
constexpr int reuse_port_option = SO_REUSEPORT;
#else
constexpr int reuse_port_option = no_option;
#endif

// Where the system can, the port of a source address without one is chosen when the socket
// connects: it may then be shared by connections to different servers, of which there can be more
// than ports. IPv6 sockets have the option at the same level.
void choose_port_late([[maybe_unused]] const socket& s) noexcept {
#ifdef IP_BIND_ADDRESS_NO_PORT
  const int on = 1;
  detail::sys::setsockopt(s.fileno(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
                          sizeof on);  // older kernels have no such option, and choose in bind()
#endif
}

// No system chooses a port below this one for a connection.
constexpr int first_unprivileged_port = 1024;

// Whether the port that the system chose is the one to connect to, on this machine, where nobody
// listens: by TCP's simultaneous open (RFC 9293, 3.5) a socket then connects to itself.
bool is_its_own_peer(const socket& s, const address& to) noexcept {
  if (to.port() < first_unprivileged_port) return false;
  detail::sockaddr_any name;
  socklen_t size = sizeof name;
  if (detail::sys::getsockname(s.fileno(), &name.base, &size) < 0) return false;
  const address own(&name.base, size);
  if (own.port() != to.port()) return false;
  size = sizeof name;
  if (detail::sys::getpeername(s.fileno(), &name.base, &size) < 0) return false;
  return own == address(&name.base, size);
}

socket connected(const address_info& to, std::int64_t timeout, const address& source) {
  socket s = detail::socket_access::open(to, timeout);
  const bool any_port = source.port() == 0;
  if (source) {
    if (any_port) choose_port_late(s);
    s.bind(source);
  }
  s.connect(to.sockaddr);
  if (any_port && is_its_own_peer(s, to.sockaddr)) {
    // Closed in order, it would keep a server from that port for a minute.
    const linger reset{1, 0};
    detail::sys::setsockopt(s.fileno(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    const std::error_code refused(detail::sys::numbers().connection_refused,
                                  detail::sys::category());
    detail::throw_failed(refused, "connect", to.sockaddr);
  }
  return s;
}

std::vector<address_info> addresses_of(const host_port& to, const std::string& operation) {
  std::optional<text> host;
  if (to.host()) host = *to.host();
  try {
    return getaddrinfo(host, to.port(), AF_UNSPEC, SOCK_STREAM);
  } catch (const error& e) {
    throw_error(e.code(), operation);
  }
}

// What a socket for both IPv4 and IPv6 fails with.
std::error_code try_dualstack() noexcept {
  const native_handle_type handle = detail::sys::socket(AF_INET6, SOCK_STREAM, 0, false);
  if (handle < 0) return detail::failure_code(handle);
  const descriptor probe(handle);
  const int off = 0;
  const int result =
      detail::sys::setsockopt(probe.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  return result < 0 ? detail::failure_code(result) : std::error_code();
}

// Whether the system lacks what was tried, and not descriptors or memory for it.
bool means_unsupported(const std::error_code& ec) noexcept {
  return ec == std::errc::address_family_not_supported || ec == std::errc::protocol_not_supported ||
         ec == std::errc::no_protocol_option || ec == std::errc::operation_not_supported ||
         ec == std::errc::not_supported || ec == std::errc::invalid_argument;
}

void check(const server_options& options) {
  if (options.reuse_port() && reuse_port_option == no_option) {
    throw_error(bad_argument::option, "create_server: SO_REUSEPORT not supported on this platform");
  }
  if (!options.dualstack_ipv6()) return;
  if (const std::error_code ec = try_dualstack()) {
    if (!means_unsupported(ec)) throw_error(ec, "create_server: dualstack_ipv6");
    throw_error(bad_argument::option,
                "create_server: dualstack_ipv6 not supported on this platform");
  }
  if (options.family() != AF_INET6)
    throw_error(bad_argument::option, "create_server: dualstack_ipv6 requires AF_INET6 family");
}

}  // namespace

host_port::host_port(const std::optional<text>& host, service port) : port_(std::move(port)) {
  if (host) host_ = host->str();
}

host_port::host_port(const address& a) : host_(a.host()), port_(a.port()) {
  if (!a) throw_error(bad_argument::address_missing, "create_connection");
  const auto* name = a.get_if<host_address>();
  const bool is_pair = a.get_if<inet_address>() != nullptr ||
                       a.get_if<inet6_address>() != nullptr ||
                       (name != nullptr && !name->inet6_only);
  if (!is_pair || a.flowinfo() != 0)
    throw_error(bad_argument::address_form, "create_connection " + a.to_string());
  if (a.scope_id() != 0) *host_ += "%" + std::to_string(a.scope_id());
}

std::string host_port::to_string() const {
  detail::tuple pair;
  host_ ? pair.text(*host_) : pair.word("None");
  if (port_.number()) return pair.number(*port_.number()).done();
  return (port_.has_value() ? pair.text(port_.name()) : pair.word("None")).done();
}

error_group::error_group(std::string_view operation, std::vector<error> exceptions)
    : error(errc::several_failures, operation),
      exceptions_(std::make_shared<const std::vector<error>>(std::move(exceptions))) {}

socket create_connection(const host_port& address, connection_timeout timeout,
                         const connection_options& options) {
  const std::string operation = "create_connection " + address.to_string();
  if (address.host() && address.host()->empty())
    throw_error({EAI_NONAME, gai_category()}, operation);

  const std::int64_t limit = timeout.nanoseconds();
  std::vector<error> failures;
  const std::vector<address_info> found = addresses_of(address, operation);
  for (const address_info& one : found) {
    try {
      return connected(one, limit, options.source_address());
    } catch (const error& e) {
      if (&one == &found.back() && !options.all_errors())
        throw_error(e.code(), operation + ": " + std::string(e.operation()), e.transferred());
      failures.push_back(e);
    }
  }
  if (failures.empty()) throw_error(errc::no_addresses, operation);
  throw error_group(operation, std::move(failures));
}

socket create_server(const address& address, const server_options& options) {
  check(options);
  socket s(options.family(), SOCK_STREAM);
  const int on = 1;
  detail::sys::setsockopt(s.fileno(), SOL_SOCKET, restart_option, &on,
                          sizeof on);  // a failure shows in bind(), if it matters
  if (options.reuse_port()) s.setsockopt(SOL_SOCKET, reuse_port_option, 1);
  if (options.family() == AF_INET6)
    s.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, options.dualstack_ipv6() ? 0 : 1);
  s.bind(address);
  s.listen(options.backlog());
  return s;
}

bool has_dualstack_ipv6() noexcept { return !try_dualstack(); }

}  // namespace v1
}  // namespace pysock
