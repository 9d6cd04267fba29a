// SPDX-License-Identifier: MIT
// Sends and receives: what has not succeeded at once, and what returns its own bytes.
#include "socket_parts.hpp"

namespace pysock {
inline namespace v1 {

using detail::transferred;
using detail::sys::event;

// ---- sending ----

std::size_t socket::finish_send(const_bytes data, int flags, int error,
                                std::error_code& ec) noexcept {
  const detail::call_context calling = context();
  detail::deadline until(calling.timeout);
  detail::operation op(calling, event::write, until, flags);
  const auto attempt = [&]() noexcept {
    return transferred(
        detail::sys::send(calling.handle, data.data(), data.size(), flags | calling.flags()));
  };
  const std::ptrdiff_t count = detail::complete(op, error, attempt, ec);
  return count < 0 ? 0 : static_cast<std::size_t>(count);
}

std::size_t socket::finish_send(const_bytes data, int flags, int error) {
  std::error_code ec;
  const std::size_t count = finish_send(data, flags, error, ec);
  if (ec) detail::throw_error(ec, "send");
  return count;
}

std::size_t socket::finish_sendall(const_bytes data, int flags, std::size_t sent, int error,
                                   std::error_code& ec) noexcept {
  const detail::call_context calling = context();
  detail::deadline until(calling.timeout);
  detail::operation op(calling, event::write, until, flags);
  const auto attempt = [&](std::size_t done) noexcept {
    const const_bytes rest = data.after(done);
    return transferred(
        detail::sys::send(calling.handle, rest.data(), rest.size(), flags | calling.flags()));
  };
  ec.clear();
  if (sent == 0 || op.proceed(ec)) detail::complete_all(op, error, data.size(), sent, attempt, ec);
  return sent;
}

std::size_t socket::finish_sendall(const_bytes data, int flags, std::size_t sent, int error) {
  std::error_code ec;
  sent = finish_sendall(data, flags, sent, error, ec);
  if (ec) detail::throw_error(ec, "sendall", sent);
  return sent;
}

std::size_t socket::finish_sendto(const_bytes data, int flags, detail::sockaddr_view to, int error,
                                  std::error_code& ec) noexcept {
  return send_connecting(flags, error, ec, [&](int with, bool to_peer) noexcept {
    return transferred(
        to_peer ? detail::sys::send(fileno(), data.data(), data.size(), with)
                : detail::sys::sendto(fileno(), data.data(), data.size(), with, to.data, to.size));
  });
}

std::size_t socket::finish_sendto(const_bytes data, int flags, const endpoint& to, int error) {
  std::error_code ec;
  const std::size_t count = finish_sendto(data, flags, {to.data(), to.size()}, error, ec);
  if (ec) detail::throw_failed(ec, "sendto", address(to));
  return count;
}

std::size_t socket::sendto(const_bytes data, int flags, const address& to,
                           std::error_code& ec) noexcept {
  endpoint storage;
  const detail::sockaddr_view target = detail::fit(to, family_, storage, ec);
  if (target.size == 0) return 0;
  int error = 0;
  const int mode = this->mode();
  if (mode >= 0) {
    const std::ptrdiff_t count = detail::sys::sendto(fileno(), data.data(), data.size(),
                                                     flags | mode, target.data, target.size);
    if (count >= 0) {
      ec.clear();
      return static_cast<std::size_t>(count);
    }
    error = detail::sys::last_error();
  }
  return finish_sendto(data, flags, target, error, ec);
}

std::size_t socket::sendto(const_bytes data, int flags, const address& to) {
  std::error_code ec;
  const std::size_t count = sendto(data, flags, to, ec);
  if (ec) detail::throw_failed(ec, "sendto", to);
  return count;
}

// ---- receiving ----

std::size_t socket::finish_recv_into(mutable_bytes buffer, int flags, int error,
                                     std::error_code& ec) noexcept {
  const auto attempt = [&, with = flags | context().flags()]() noexcept {
    return transferred(detail::sys::recv(fileno(), buffer.data(), buffer.size(), with));
  };
  const std::ptrdiff_t count = finish_receive(flags, error, attempt, ec);
  return count < 0 ? 0 : static_cast<std::size_t>(count);
}

std::size_t socket::finish_recv_into(mutable_bytes buffer, int flags, int error) {
  std::error_code ec;
  const std::size_t count = finish_recv_into(buffer, flags, error, ec);
  if (ec) detail::throw_error(ec, "recv_into");
  return count;
}

std::size_t socket::finish_recvfrom_into(mutable_bytes buffer, endpoint& from, int flags, int error,
                                         std::error_code& ec) noexcept {
  const auto attempt = [&, with = flags | context().flags()]() noexcept {
    return transferred(detail::receive_from(fileno(), buffer, with, from));
  };
  const std::ptrdiff_t count = finish_receive(flags, error, attempt, ec);
  return count < 0 ? 0 : static_cast<std::size_t>(count);
}

std::size_t socket::finish_recvfrom_into(mutable_bytes buffer, endpoint& from, int flags,
                                         int error) {
  std::error_code ec;
  const std::size_t count = finish_recvfrom_into(buffer, from, flags, error, ec);
  if (ec) detail::throw_error(ec, "recvfrom_into");
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
  std::error_code ec;
  recvfrom_into_result result = recvfrom_into(buffer, nbytes, flags, ec);
  if (ec) detail::throw_error(ec, "recvfrom_into");
  return result;
}

}  // namespace v1
}  // namespace pysock
