// SPDX-License-Identifier: MIT
// Connected and listening sockets, made with the calls of the class socket.
#include <pysock/create.hpp>

#include <algorithm>

#include "connecting.hpp"
#include "lookup_worker.hpp"
#include "repr.hpp"
#include "socket_parts.hpp"

namespace pysock {
inline namespace v1 {
namespace {

using detail::throw_error;

// The option that allows a stopped server to start again. On systems where SO_REUSEADDR would allow
// other processes to share the port it is another one.
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

// The error of a socket for both IPv4 and IPv6.
std::error_code try_dualstack() noexcept {
  const native_handle_type handle = detail::sys::socket(AF_INET6, SOCK_STREAM, 0, false);
  if (handle < 0) return detail::failure_code(handle);
  const descriptor probe(handle);
  const int off = 0;
  const int result =
      detail::sys::setsockopt(probe.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  return result < 0 ? detail::failure_code(result) : std::error_code();
}

// Whether the system does not support the attempt, rather than lacking descriptors or memory.
bool means_unsupported(const std::error_code& ec) noexcept {
  constexpr std::errc reasons[] = {std::errc::address_family_not_supported,
                                   std::errc::protocol_not_supported,
                                   std::errc::no_protocol_option,
                                   std::errc::operation_not_supported,
                                   std::errc::not_supported,
                                   std::errc::invalid_argument};
  return std::any_of(std::begin(reasons), std::end(reasons),
                     [&ec](std::errc reason) { return ec == reason; });
}

// A deadline and an interrupter also apply to the lookup.
std::vector<address_info> addresses_of(const host_port& where, const std::string& operation,
                                       const detail::connect_plan& plan) {
  if (where.unix_path()) return {{AF_UNIX, SOCK_STREAM, 0, "", where.unix_path()}};
  std::optional<text> host;
  if (where.host()) host = *where.host();
  const detail::lookup_limit limit{
      detail::is_absolute(plan.timeout) ? plan.timeout : detail::no_timeout,
      plan.interrupter.get()};
  try {
    return detail::getaddrinfo_within(limit, host, where.port(), AF_UNSPEC, SOCK_STREAM, 0, 0);
  } catch (const error& e) {
    throw_error(e.code(), operation);
  }
}

// A connected socket, or a closed one and all failures. An interruption ends it, and after a
// deadline the remaining addresses are not tried.
socket connect_in_turn(const detail::connect_plan& plan, const std::vector<address_info>& addresses,
                       std::vector<error>& failures) {
  detail::deadline until(detail::is_absolute(plan.timeout) ? plan.timeout : detail::no_timeout);
  for (const address_info& to : addresses) {
    if (!until.begin_step()) break;
    try {
      socket s = plan.open(to);
      s.connect(to.sockaddr);
      plan.check(s, to.sockaddr);
      return s;
    } catch (const interrupted_error&) {
      throw;
    } catch (const error& e) {
      failures.push_back(e);
    }
  }
  return socket(nullptr);
}

// The family of a server without the option.
int family_of(const address& where, const server_options& options) noexcept {
  if (options.family() != AF_UNSPEC) return options.family();
  const int family = where.family();
  return family == AF_UNSPEC ? AF_INET : family;
}

void check(const server_options& options, int family) {
  // Not covered: Linux has SO_REUSEPORT.
  if (options.reuse_port() && reuse_port_option == no_option) {
    throw_error(bad_argument::option, "create_server: SO_REUSEPORT not supported on this platform");
  }
  if (!options.dualstack_ipv6()) return;
  if (const std::error_code ec = try_dualstack()) {
    if (!means_unsupported(ec)) throw_error(ec, "create_server: dualstack_ipv6");
    throw_error(bad_argument::option,
                "create_server: dualstack_ipv6 not supported on this platform");
  }
  if (family != AF_INET6)
    throw_error(bad_argument::option, "create_server: dualstack_ipv6 requires AF_INET6 family");
}

}  // namespace

host_port::host_port(const std::optional<text>& host, service port) : port_(std::move(port)) {
  if (host) host_ = host->str();
}

host_port::host_port(const address& a) : host_(a.host()), port_(a.port()) {
  if (!a) throw_error(bad_argument::address_missing, "create_connection");
  if (a.family() == AF_UNIX) {
    unix_path_ = a;
    return;
  }
  const auto* name = a.get_if<host_address>();
  const bool is_pair = a.get_if<inet_address>() != nullptr ||
                       a.get_if<inet6_address>() != nullptr ||
                       (name != nullptr && !name->inet6_only);
  if (!is_pair || a.flowinfo() != 0)
    throw_error(bad_argument::address_form, "create_connection " + a.to_string());
  if (a.scope_id() != 0) *host_ += "%" + std::to_string(a.scope_id());
}

std::string host_port::to_string() const {
  if (unix_path_) return unix_path_.to_string();
  detail::tuple pair;
  host_ ? pair.text(*host_) : pair.word("None");
  if (port_.number()) return pair.number(*port_.number()).done();
  return (port_.has_value() ? pair.text(port_.name()) : pair.word("None")).done();
}

connection_options& connection_options::interleave(int value) {
  if (value < 0) throw_error(bad_argument::option, "interleave: negative");
  interleave_ = value;
  return *this;
}

error_group::error_group(std::string_view operation, std::vector<error> exceptions)
    : error(errc::several_failures, operation),
      exceptions_(std::make_shared<const std::vector<error>>(std::move(exceptions))) {}

socket create_connection(const host_port& address, connection_timeout timeout,
                         const connection_options& options) {
  const std::string operation = "create_connection " + address.to_string();
  if (!address.unix_path() && address.host() && address.host()->empty())
    throw_error({EAI_NONAME, gai_category()}, operation);

  const detail::connect_plan plan{options, detail::timeout_word(timeout),
                                  detail::connection_access::link(options)};
  std::vector<address_info> found = addresses_of(address, operation, plan);
  const std::int64_t delay = detail::connection_access::delay(options);
  const bool races = delay != detail::no_timeout && plan.timeout != 0 && found.size() > 1;
  const int first = options.interleave() >= 0 ? options.interleave() : delay >= 0 ? 1 : 0;
  detail::interleave(found, first);
  std::vector<error> failures;
  socket s = races ? detail::connection_access::race(options)(plan, found, delay, failures)
                   : connect_in_turn(plan, found, failures);
  if (s) return s;
  if (failures.empty()) throw_error(errc::no_addresses, operation);
  if (options.all_errors()) throw error_group(operation, std::move(failures));
  const error& last = failures.back();
  throw_error(last.code(), operation + ": " + std::string(last.operation()), last.transferred());
}

socket create_server(const address& address, const server_options& options) {
  const int family = family_of(address, options);
  check(options, family);
  socket s(family, SOCK_STREAM);
  const int on = 1;
  detail::sys::setsockopt(s.fileno(), SOL_SOCKET, restart_option, &on,
                          sizeof on);  // a failure shows in bind(), if it matters
  if (options.reuse_port()) s.setsockopt(SOL_SOCKET, reuse_port_option, 1);
  if (family == AF_INET6) s.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, options.dualstack_ipv6() ? 0 : 1);
  s.bind(address);
  s.listen(options.backlog());
  return s;
}

bool has_dualstack_ipv6() noexcept { return !try_dualstack(); }

}  // namespace v1
}  // namespace pysock
