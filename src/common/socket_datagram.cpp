// SPDX-License-Identifier: MIT
// Sends to an address, and receives that return a string or the sender's address.
#include "socket_parts.hpp"

namespace pysock {
inline namespace v1 {

using detail::transferred;

std::size_t socket::finish_sendto(const_bytes data, int flags, const endpoint& to, int error,
                                  std::error_code& ec) noexcept {
  return send_connecting(flags, error, ec, [&](int with, bool to_peer) noexcept {
    return transferred(to_peer ? detail::sys::send(fileno(), data.data(), data.size(), with)
                               : detail::sys::sendto(fileno(), data.data(), data.size(), with,
                                                     to.data(), to.size()));
  });
}

std::size_t socket::finish_sendto(const_bytes data, int flags, const endpoint& to, int error) {
  std::error_code ec;
  const std::size_t count = finish_sendto(data, flags, to, error, ec);
  if (ec) detail::throw_failed(ec, "sendto", address(to));
  return count;
}

// An address of the socket's family is passed unchanged.
std::size_t socket::sendto(const_bytes data, int flags, const address& to,
                           std::error_code& ec) noexcept {
  int error = 0;
  const int mode = this->mode();
  const sockaddr* const native = to.data();
  if (mode >= 0 && native != nullptr && native->sa_family == family_) {
    const std::ptrdiff_t count =
        detail::sys::sendto(fileno(), data.data(), data.size(), flags | mode, native, to.size());
    if (count >= 0) {
      ec.clear();
      return static_cast<std::size_t>(count);
    }
    error = detail::sys::last_error();
  }
  const endpoint target = detail::resolve(to, family_, ec);
  return ec ? 0 : finish_sendto(data, flags, target, error, ec);
}

std::size_t socket::sendto(const_bytes data, int flags, const address& to) {
  std::error_code ec;
  const std::size_t count = sendto(data, flags, to, ec);
  if (ec) detail::throw_failed(ec, "sendto", to);
  return count;
}

std::string socket::recv(std::size_t bufsize, int flags) {
  if (bufsize > detail::max_transfer) detail::throw_error(bad_argument::negative_size, "recv");
  if (bufsize == 0) return {};
  detail::scratch bytes(bufsize);
  detail::clear_for(flags, bytes.data(), bufsize);
  std::error_code ec;
  const std::size_t count = recv_into({bytes.data(), bufsize}, 0, flags, ec);
  if (ec) detail::throw_error(ec, "recv");
  return std::string(bytes.data(), detail::capped(count, bufsize));
}

recvfrom_result socket::recvfrom(std::size_t bufsize, int flags) {
  if (bufsize > detail::max_transfer) detail::throw_error(bad_argument::negative_size, "recvfrom");
  detail::scratch bytes(bufsize);
  detail::clear_for(flags, bytes.data(), bufsize);
  endpoint from;
  std::error_code ec;
  const std::size_t count = recvfrom_into({bytes.data(), bufsize}, from, flags, ec);
  if (ec) detail::throw_error(ec, "recvfrom");
  return {std::string(bytes.data(), detail::capped(count, bufsize)), address(from)};
}

recvfrom_into_result socket::recvfrom_into(mutable_bytes buffer, std::size_t nbytes, int flags,
                                           std::error_code& ec) noexcept {
  const std::size_t size = detail::wanted(buffer, nbytes);
  if (size > buffer.size()) {
    ec = bad_argument::buffer_too_small;
    return {};
  }
  endpoint from;
  const std::size_t count = recvfrom_into({buffer.data(), size}, from, flags, ec);
  return {count, address(from)};
}

recvfrom_into_result socket::recvfrom_into(mutable_bytes buffer, std::size_t nbytes, int flags) {
  const std::size_t size = detail::wanted(buffer, nbytes);
  if (size > buffer.size()) detail::throw_error(bad_argument::buffer_too_small, "recvfrom_into");
  endpoint from;
  const std::size_t count = recvfrom_into({buffer.data(), size}, from, flags);
  return {count, address(from)};
}

}  // namespace v1
}  // namespace pysock
