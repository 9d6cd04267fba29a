// SPDX-License-Identifier: MIT
// Options, and the socket's names.
#include <pysock/socket.hpp>

#include <climits>
#include <cstring>

#include "option_names.hpp"

namespace pysock {
inline namespace v1 {
namespace {

[[noreturn]] void throw_option(int result, const char* operation, int level, int name) {
  detail::throw_result(result, operation + (" " + detail::option_text(level, name)));
}

}  // namespace

bool socket::get_inheritable() const {
  const int inheritable = detail::sys::get_inheritable(fileno());
  if (inheritable < 0) detail::throw_result(inheritable, "get_inheritable");
  return inheritable != 0;
}

void socket::set_inheritable(bool inheritable) {
  const int result = detail::sys::set_inheritable(fileno(), inheritable);
  if (result < 0) detail::throw_result(result, "set_inheritable");
}

socklen_t socket::read_option(int level, int name, void* value, socklen_t size) const {
  const int result = detail::sys::getsockopt(fileno(), level, name, value, &size);
  if (result < 0) throw_option(result, "getsockopt", level, name);
  return size;
}

int socket::getsockopt(int level, int name) const {
  int value = 0;
  if (read_option(level, name, &value, sizeof value) != 1) return value;
  unsigned char byte = 0;  // some systems write a flag as one byte, whatever the given size
  std::memcpy(&byte, &value, 1);
  return byte;
}

std::string socket::getsockopt(int level, int name, int buflen) const {
  if (buflen < 1 || buflen > 1024) detail::throw_error(errc::buflen_out_of_range, {});
  std::string value(static_cast<std::size_t>(buflen), '\0');
  const socklen_t size = read_option(level, name, value.data(), static_cast<socklen_t>(buflen));
  if (static_cast<std::size_t>(size) < value.size()) value.resize(static_cast<std::size_t>(size));
  return value;
}

void socket::setsockopt(int level, int name, const_bytes value) {
  if (value.size() > INT_MAX) detail::throw_error(bad_argument::value_range, "setsockopt");
  const int result = detail::sys::setsockopt(fileno(), level, name, value.data(),
                                             static_cast<socklen_t>(value.size()));
  if (result < 0) throw_option(result, "setsockopt", level, name);
}

void socket::setsockopt(int level, int name, std::nullptr_t, socklen_t optlen) {
  const int result = detail::sys::setsockopt(fileno(), level, name, nullptr, optlen);
  if (result < 0) throw_option(result, "setsockopt", level, name);
}

#ifdef SIO_RCVALL
void socket::ioctl(unsigned long control, unsigned long option) {
  const int result = detail::sys::ioctl(fileno(), control, &option, sizeof option);
  if (result < 0) detail::throw_result(result, "ioctl");
}

void socket::ioctl(unsigned long control, const tcp_keepalive& option) {
  const int result = detail::sys::ioctl(fileno(), control, &option, sizeof option);
  if (result < 0) detail::throw_result(result, "ioctl");
}
#endif

address socket::getpeername() const {
  detail::sockaddr_any peer;
  socklen_t size = sizeof peer;
  const int result = detail::sys::getpeername(fileno(), &peer.base, &size);
  if (result < 0) detail::throw_result(result, "getpeername");
  return name_from(&peer.base, size);
}

address socket::getsockname() const {
  detail::sockaddr_any own;
  socklen_t size = sizeof own;
  const int result = detail::sys::getsockname(fileno(), &own.base, &size);
  if (result < 0) detail::throw_result(result, "getsockname");
  return name_from(&own.base, size);
}

}  // namespace v1
}  // namespace pysock
