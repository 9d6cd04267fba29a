// SPDX-License-Identifier: MIT
// Sends and receives that have not succeeded at once.
#include "socket_parts.hpp"

namespace pysock {
inline namespace v1 {

using detail::transferred;
using detail::sys::event;

// ---- sending ----

std::size_t socket::finish_send(const_bytes data, int flags, int error,
                                std::error_code& ec) noexcept {
  std::size_t done = 0;
  const auto call = [&](native_handle_type s) {
    return detail::sys::send(s, data.data(), data.size(), flags | detail::sys::dont_wait);
  };
  if (error == 0 && attempt_at_once<false>(error, done, call)) {
    ec.clear();
    return done;
  }
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
  std::size_t done = 0;
  const auto call = [&](native_handle_type s) {
    return detail::sys::send(s, data.data(), data.size(), flags | detail::sys::dont_wait);
  };
  if (attempt_at_once<false>(error, done, call)) return done;
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

// ---- receiving ----

std::size_t socket::finish_recv_into(mutable_bytes buffer, int flags, int error,
                                     std::error_code& ec) noexcept {
  std::size_t done = 0;
  const auto call = [&](native_handle_type s) {
    return detail::sys::recv(s, buffer.data(), buffer.size(), flags | detail::sys::dont_wait);
  };
  if (error == 0 && attempt_at_once<true>(error, done, call)) {
    ec.clear();
    return done;
  }
  const auto attempt = [&, with = flags | context().flags()]() noexcept {
    return transferred(detail::sys::recv(fileno(), buffer.data(), buffer.size(), with));
  };
  const std::ptrdiff_t count = finish_receive(flags, error, attempt, ec);
  return count < 0 ? 0 : static_cast<std::size_t>(count);
}

std::size_t socket::finish_recv_into(mutable_bytes buffer, int flags, int error) {
  std::size_t done = 0;
  const auto call = [&](native_handle_type s) {
    return detail::sys::recv(s, buffer.data(), buffer.size(), flags | detail::sys::dont_wait);
  };
  if (attempt_at_once<true>(error, done, call)) return done;
  std::error_code ec;
  const std::size_t count = finish_recv_into(buffer, flags, error, ec);
  if (ec) detail::throw_error(ec, "recv_into");
  return count;
}

std::size_t socket::finish_recvfrom_into(mutable_bytes buffer, endpoint& from, int flags, int error,
                                         std::error_code& ec) noexcept {
  std::size_t done = 0;
  const auto call = [&](native_handle_type s) {
    return detail::receive_from(s, buffer, flags | detail::sys::dont_wait, from);
  };
  if (error == 0 && attempt_at_once<true>(error, done, call)) {
    ec.clear();
    return done;
  }
  const auto attempt = [&, with = flags | context().flags()]() noexcept {
    return transferred(detail::receive_from(fileno(), buffer, with, from));
  };
  const std::ptrdiff_t count = finish_receive(flags, error, attempt, ec);
  return count < 0 ? 0 : static_cast<std::size_t>(count);
}

std::size_t socket::finish_recvfrom_into(mutable_bytes buffer, endpoint& from, int flags,
                                         int error) {
  std::size_t done = 0;
  const auto call = [&](native_handle_type s) {
    return detail::receive_from(s, buffer, flags | detail::sys::dont_wait, from);
  };
  if (attempt_at_once<true>(error, done, call)) return done;
  std::error_code ec;
  const std::size_t count = finish_recvfrom_into(buffer, from, flags, error, ec);
  if (ec) detail::throw_error(ec, "recvfrom_into");
  return count;
}

}  // namespace v1
}  // namespace pysock
