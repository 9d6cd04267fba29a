// SPDX-License-Identifier: MIT
// The attempts of create_connection.
#include "connecting.hpp"

#include <algorithm>
#include <pysock/detail/socket_access.hpp>

#include "socket_parts.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

// If the system supports it, it chooses the port of a source address without one when the socket
// connects: connections to different servers can then share a port, so there can be more of them
// than ports. IPv6 sockets have the option at the same level.
void choose_port_late([[maybe_unused]] const socket& s) noexcept {
#ifdef IP_BIND_ADDRESS_NO_PORT
  const int on = 1;
  sys::setsockopt(s.fileno(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
                  sizeof on);  // older kernels lack this option, and choose the port in bind()
#endif
}

// No system chooses a lower port for a connection.
constexpr int first_unprivileged_port = 1024;

// Whether the socket is connected to itself. If no socket listens on a local port and the system
// chooses that port as the source, TCP's simultaneous open (RFC 9293, 3.5) does that.
bool is_its_own_peer(const socket& s, const address& to) noexcept {
  if (to.port() < first_unprivileged_port) return false;
  sockaddr_any name;
  socklen_t size = sizeof name;
  if (sys::getsockname(s.fileno(), &name.base, &size) < 0) return false;
  const address own(&name.base, size);
  if (own.port() != to.port()) return false;
  size = sizeof name;
  if (sys::getpeername(s.fileno(), &name.base, &size) < 0) return false;
  return own == address(&name.base, size);
}

}  // namespace

socket connect_plan::open(const address_info& to, bool nonblocking) const {
  const bool is_nonblocking = nonblocking || timeout != no_timeout || interrupter;
  socket s = socket_access::open(to, timeout, is_nonblocking);
  if (interrupter) socket_access::set_interrupter(s, interrupter);
  const address& source = options.source_address();
  if (source) {
    if (source.port() == 0) choose_port_late(s);
    s.bind(source);
  }
  return s;
}

void connect_plan::check(const socket& s, const address& to) const {
  if (options.source_address().port() != 0 || !is_its_own_peer(s, to)) return;
  // Reset it: after a regular close no server could use that port for a minute.
  const linger reset{1, 0};
  sys::setsockopt(s.fileno(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  throw_failed(system_code(sys::numbers().connection_refused), "connect", to);
}

void interleave(std::vector<address_info>& addresses, int first) {
  if (first < 1) return;
  // One list for each family, in the order of their first addresses.
  std::vector<std::vector<address_info>> families;
  for (address_info& one : addresses) {
    const auto found = std::find_if(families.begin(), families.end(), [&one](const auto& list) {
      return list.front().family == one.family;
    });
    if (found == families.end())
      families.emplace_back().push_back(std::move(one));
    else
      found->push_back(std::move(one));
  }
  addresses.clear();
  std::vector<std::size_t> taken(families.size(), 0);
  const auto take = [&](std::size_t family) {
    if (taken[family] < families[family].size())
      addresses.push_back(std::move(families[family][taken[family]++]));
  };
  const std::size_t total = [&families] {
    std::size_t count = 0;
    for (const auto& list : families) count += list.size();
    return count;
  }();
  for (int i = 1; i < first && !families.empty(); ++i) take(0);
  while (addresses.size() < total) {
    for (std::size_t family = 0; family < families.size(); ++family) take(family);
  }
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
