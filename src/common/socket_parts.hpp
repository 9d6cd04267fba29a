// SPDX-License-Identifier: MIT
// Definitions that the files of the class socket share.
#pragma once

#include <cstddef>
#include <pysock/detail/scratch.hpp>
#include <pysock/socket.hpp>

#include "resolve.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

// Throws for a call that failed; the text names `to` if it is an address.
[[noreturn]] inline void throw_failed(std::error_code ec, const char* operation, const address& to,
                                      std::size_t transferred = 0) {
  throw_error(ec, to ? operation + (" " + to.to_string()) : operation, transferred);
}

// The result of an attempt: the count, or the negative error number, which is read at once.
inline std::ptrdiff_t transferred(std::ptrdiff_t count) noexcept {
  return count < 0 ? -sys::last_error() : count;
}

// For calls that return their bytes: with MSG_TRUNC some systems return a larger number than they
// wrote, or count bytes that they dropped. The result must not contain uninitialised memory.
inline void clear_for(int flags, char* data, std::size_t size) noexcept {
  if ((flags & MSG_TRUNC) != 0) std::memset(data, 0, size);
}
inline std::size_t capped(std::size_t count, std::size_t size) noexcept {
  return count < size ? count : size;
}

}  // namespace detail

// The first attempt of a call that goes through the compiled part only because of the interrupter.
// True with the count if it succeeds; else `error` is that of the attempt, if it was made.
template <bool Receives, class Call>
PYSOCK_FAST bool socket::attempt_at_once(int& error, std::size_t& count,
                                         const Call& call) noexcept {
  const detail::interrupt_source* const interrupter = interrupter_.get();
  if (interrupter == nullptr || !interrupter->is_quiet()) return false;
  // The outcome of a predicted receive must be recorded.
  if (Receives && prediction_.load(std::memory_order_relaxed) != 0) return false;
  const std::ptrdiff_t result = call(fileno());
  if (PYSOCK_LIKELY(result >= 0)) {
    count = static_cast<std::size_t>(result);
    return true;
  }
  error = detail::sys::last_error();
  return false;
}

// Completes a receive: `attempt` makes it, `error` is that of an attempt made before or 0. Returns
// the count; -1 with the reason in `ec`.
template <class Attempt>
std::ptrdiff_t socket::finish_receive(int flags, int error, const Attempt& attempt,
                                      std::error_code& ec) noexcept {
#ifdef MSG_ERRQUEUE
  const auto event =
      (flags & MSG_ERRQUEUE) != 0 ? detail::sys::event::error : detail::sys::event::read;
#else
  const auto event = detail::sys::event::read;
#endif
  const detail::call_context calling = context();
  detail::deadline until(calling.timeout);
  detail::operation op(calling, event, until, flags);
  const detail::wait_prediction before(prediction_.load(std::memory_order_relaxed));
  const bool predicts = !calling.waits_in_system() && calling.timeout != 0 && flags == 0;
  const bool polls_first = error == 0 && predicts && before.poll_first();
  if (polls_first && !op.wait_to_begin(ec)) return -1;
  const std::ptrdiff_t count = detail::complete(op, error, attempt, ec);
  if (predicts) {
    predict(before.after(polls_first, op.has_waited()));
  } else if (!detail::is_limited(calling.timeout)) {
    predict(detail::wait_prediction());
  }
  return count;
}

// Completes a send that may have to connect first (MSG_FASTOPEN). `send(flags, to_peer)` makes it,
// without an address if `to_peer` is true. Returns the bytes sent; 0 with the reason in `ec`.
template <class Send>
std::size_t socket::send_connecting(int flags, int error, std::error_code& ec,
                                    const Send& send) noexcept {
  const detail::call_context calling = context();
  detail::deadline until(calling.timeout);
  detail::operation op(calling, detail::sys::event::write, until, flags);
  int all_flags = flags | calling.flags();
  bool to_peer = false;
  const auto attempt = [&]() noexcept { return send(all_flags, to_peer); };
  std::ptrdiff_t count = detail::complete(op, error, attempt, ec);
#ifdef MSG_FASTOPEN
  const bool connecting = count < 0 && (flags & MSG_FASTOPEN) != 0 &&
                          ec.category() == detail::sys::category() &&
                          detail::sys::connect_pending(ec.value());
  if (connecting && op.waits()) {
    op.expect(detail::sys::event::connect);
    if (!detail::finish_connect(op, calling.handle, ec)) return 0;
    op.expect(detail::sys::event::write);
    all_flags &= ~MSG_FASTOPEN;
    to_peer = true;
    count = detail::complete(op, 0, attempt, ec);
  }
#endif
  return count < 0 ? 0 : static_cast<std::size_t>(count);
}

}  // namespace v1
}  // namespace pysock
