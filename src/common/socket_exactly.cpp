// SPDX-License-Identifier: MIT
// recv_exactly, close_gracefully, and waits without a transfer.
#include <algorithm>

#include "socket_parts.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

constexpr std::size_t first_block = 65536;  // allocated at once, even if the peer sends nothing

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

[[noreturn]] void throw_incomplete(std::error_code ec, const char* operation, const char* data,
                                   std::size_t done, std::size_t size) {
  if (ec == errc::incomplete_read) throw incomplete_read_error(operation, {data, done}, size);
  throw_error(ec, operation, done);
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
  if (size > detail::max_transfer) detail::throw_error(bad_argument::negative_size, "recv_exactly");
  const detail::call_context calling = context();
  detail::deadline until(calling.timeout);
  detail::operation op(calling, detail::sys::event::read, until);
  std::string result;
  std::size_t done = 0;
  while (done < size) {
    // The memory grows with the received data, because the peer may have chosen the size.
    result.resize(std::min(size, std::max(2 * done, detail::first_block)));
    std::error_code ec;
    done = detail::receive_all(op, calling, result.data(), result.size(), done, ec);
    if (ec) detail::throw_incomplete(ec, "recv_exactly", result.data(), done, size);
  }
  return result;
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
