// SPDX-License-Identifier: MIT
// recv_exactly, close_gracefully, and waits without a transfer.
#include <pysock/detail/exactly.hpp>

#include "socket_parts.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

// One receive. With a limit it does not wait in the system, whatever the descriptor's mode.
std::ptrdiff_t receive_some(const call_context& calling, char* data, std::size_t size) noexcept {
  return calling.waits_in_system() ? transferred(sys::recv(calling.handle, data, size, 0))
                                   : sys::recv_now(calling.handle, data, size);
}

// Receives until `size` bytes are in `data`, which already has `done`. Returns how many it has; if
// fewer, the reason is in `ec`.
std::size_t receive_all(operation& op, const call_context& calling, char* data, std::size_t size,
                        std::size_t done, std::error_code& ec) noexcept {
  while (done < size) {
    if (done != 0 && !op.proceed(ec)) break;
    const std::ptrdiff_t count = complete(
        op, 0, [&]() noexcept { return receive_some(calling, data + done, size - done); }, ec);
    if (count == 0) ec = errc::incomplete_read;
    if (count <= 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

}  // namespace
}  // namespace detail

std::size_t socket::recv_exactly_into(mutable_bytes buffer, std::error_code& ec) noexcept {
  const detail::call_context calling = context();
  detail::deadline until(calling.timeout);
  detail::operation op(calling, detail::sys::event::read, until);
  ec.clear();
  return detail::receive_all(op, calling, buffer.data(), buffer.size(), 0, ec);
}

std::size_t socket::recv_exactly_into(mutable_bytes buffer) {
  std::error_code ec;
  const std::size_t done = recv_exactly_into(buffer, ec);
  if (ec) detail::throw_incomplete(ec, "recv_exactly_into", buffer.data(), done, buffer.size());
  return done;
}

std::string socket::recv_exactly(std::size_t size) {
  const detail::call_context calling = context();
  detail::deadline until(calling.timeout);
  detail::operation op(calling, detail::sys::event::read, until);
  return detail::receive_exactly(
      size, [&](char* data, std::size_t wanted, std::size_t done, std::error_code& ec) noexcept {
        return detail::receive_all(op, calling, data, wanted, done, ec);
      });
}

bool socket::close_gracefully(timeout_value timeout, std::size_t limit) noexcept {
  detail::call_context calling = context();
  calling.timeout = detail::timeout_word(timeout);
  detail::deadline until(calling.timeout);
  detail::operation op(calling, detail::sys::event::read, until);
  std::error_code ec;
  bool ended = false;
  if (detail::sys::shutdown(calling.handle, SHUT_WR) == 0) {
    char dropped[4096];
    std::ptrdiff_t count = 1;
    for (std::size_t total = 0; count > 0 && total <= limit; total += sizeof dropped) {
      if (total != 0 && !op.proceed(ec)) break;
      count = detail::complete(
          op, 0, [&]() noexcept { return detail::receive_some(calling, dropped, sizeof dropped); },
          ec);
    }
    ended = count == 0;
  }
  close_quietly();
  return ended;
}

// ---- waiting ----

bool socket::wait_for(detail::sys::event events, timeout_value timeout,
                      std::error_code& ec) noexcept {
  detail::call_context calling = context();
  calling.timeout = detail::timeout_word(timeout);
  detail::deadline until(calling.timeout);
  detail::operation op(calling, events, until);
  ec.clear();
  const bool ready = op.wait_until_ready(ec);
  if (ec == errc::timed_out) ec.clear();
  return ready;
}

bool socket::wait_readable(timeout_value timeout, std::error_code& ec) noexcept {
  return wait_for(detail::sys::event::read, timeout, ec);
}

bool socket::wait_readable(timeout_value timeout) {
  std::error_code ec;
  const bool ready = wait_readable(timeout, ec);
  if (ec) detail::throw_error(ec, "wait_readable");
  return ready;
}

// Some systems report the end of a connect in the background separately from `write`.
bool socket::wait_writable(timeout_value timeout, std::error_code& ec) noexcept {
  return wait_for(detail::sys::event::write | detail::sys::event::connect, timeout, ec);
}

bool socket::wait_writable(timeout_value timeout) {
  std::error_code ec;
  const bool ready = wait_writable(timeout, ec);
  if (ec) detail::throw_error(ec, "wait_writable");
  return ready;
}

}  // namespace v1
}  // namespace pysock
