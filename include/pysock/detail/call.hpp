// SPDX-License-Identifier: MIT
// THE WAIT ENGINE: the one place that knows of EINTR, would-block and deadlines.
//
// A call is tried first; only when it fails does anything here run. The deadline is taken once,
// from a clock that only goes forward: neither signals, nor partial sends, nor a poll() that was
// wrong extend it.
#pragma once

#include <cstddef>       // size_t, ptrdiff_t
#include <cstdint>       // int64_t
#include <system_error>  // error_code

#include "../error.hpp"
#include "deadline.hpp"
#include "sockaddr.hpp"
#include "sys.hpp"

namespace pysock {
inline namespace v1 {

/// Asked when a signal interrupts a blocking call: true goes on with the same deadline, false ends
/// the call with `interrupted_error`. Runs in the calling thread, in the middle of the call; it
/// must not close, move or destroy the socket.
using interrupt_hook = bool (*)(void* data) noexcept;

namespace detail {

// What a call needs to know of its socket.
struct call_context {
  native_handle_type handle = invalid_handle;
  std::int64_t timeout = -1;  // nanoseconds, 0: non-blocking, -1: blocking
  interrupt_hook hook = nullptr;
  void* hook_data = nullptr;
  // Whether would-block is waited out without a timeout too: the descriptor's mode is then not this
  // caller's affair.
  bool waits_always = false;
};

inline std::error_code system_code(int number) noexcept { return {number, sys::category()}; }

class wait_loop {
 public:
  wait_loop(const call_context& context, sys::event what) noexcept
      : context_(context), what_(what) {}

  // Takes the deadline, for calls of several steps; otherwise the first wait takes it. Returns the
  // time.
  std::int64_t start() noexcept {
    started_ = true;
    if (context_.timeout <= 0) return 0;
    const std::int64_t now = sys::now();
    deadline_ = deadline_after(now, context_.timeout);
    return now;
  }

  // What the next wait is for, where a call's steps differ in that.
  void expect(sys::event what) noexcept { what_ = what; }

  // After a failed attempt: true to try again, else false with the reason in `ec`.
  bool again(std::error_code& ec) noexcept {
    const int number = sys::last_error();
    switch (sys::classify(number)) {
      case sys::failure::interrupted:
        return resume(ec);
      case sys::failure::would_block:
        if (context_.timeout > 0 || (context_.timeout < 0 && context_.waits_always)) {
          had_to_wait_ = true;
          return wait(ec);
        }
        break;
      default:
        break;
    }
    ec = system_code(number);
    return false;
  }

  // Waits for the event until the deadline. False with the reason in `ec` if it does not come.
  bool wait(std::error_code& ec) noexcept {
    std::int64_t now = started_ ? time() : start();
    for (;;) {
      const int ready = sys::poll(context_.handle, what_, poll_milliseconds(deadline_, now));
      if (ready > 0) return true;
      if (ready < 0) {
        const int number = sys::last_error();
        if (sys::classify(number) != sys::failure::interrupted) {
          ec = system_code(number);
          return false;
        }
        if (!resume(ec)) return false;
      }
      now = time();
      if (ready == 0 && now >= deadline_) {
        ec = errc::timed_out;
        return false;
      }
    }
  }

  // Between the steps of a call that has made progress: false if it must end here.
  bool proceed(std::error_code& ec) noexcept {
    if (!resume(ec)) return false;
    if (time() < deadline_) return true;
    ec = errc::timed_out;
    return false;
  }

  // After an interruption: false if the hook ends the call.
  bool resume(std::error_code& ec) noexcept {
    if (context_.hook == nullptr || context_.hook(context_.hook_data)) return true;
    ec = system_code(sys::numbers().interrupted);
    return false;
  }

  // Whether an attempt found nothing, or, where polling came first, the poll took longer than one
  // that finds the socket ready.
  [[nodiscard]] bool had_to_wait() const noexcept {
    constexpr std::int64_t ready_poll =
        4000;  // nanoseconds: more than a system call, less than a switch to another thread
    return had_to_wait_ ||
           (deadline_ != no_deadline && sys::now() - (deadline_ - context_.timeout) > ready_poll);
  }

 private:
  // The time, where there is a deadline to compare it with.
  [[nodiscard]] std::int64_t time() const noexcept {
    return deadline_ == no_deadline ? 0 : sys::now();
  }

  const call_context& context_;
  sys::event what_;
  bool started_ = false;
  bool had_to_wait_ = false;
  std::int64_t deadline_ = no_deadline;
};

// Carries on a call that did not succeed at once, or, where `tried` is false, that is expected to
// wait. Returns what `op` returns; -1 with the reason in `ec`. `op` makes one system call.
template <class Op>
std::ptrdiff_t complete(wait_loop& loop, bool tried, const Op& op, std::error_code& ec) noexcept {
  bool go_on = tried ? loop.again(ec) : loop.wait(ec);
  while (go_on) {
    const std::ptrdiff_t count = op();
    if (count >= 0) {
      ec.clear();
      return count;
    }
    go_on = loop.again(ec);
  }
  return -1;
}

// Sends `size` bytes in as many steps as it takes, by `op(sent)`, which sends some after the first
// `sent`. Returns the bytes gone, also on failure. The first step has been made: `first` is what it
// returned.
template <class Op>
std::size_t complete_all(const call_context& context, std::ptrdiff_t first, std::size_t size,
                         const Op& op, std::error_code& ec) noexcept {
  wait_loop loop(context, sys::event::write);
  loop.start();
  std::size_t sent = 0;
  for (std::ptrdiff_t count = first;; count = op(sent)) {
    if (count < 0) {
      if (!loop.again(ec)) return sent;
      continue;
    }
    sent += static_cast<std::size_t>(count);
    if (sent >= size) break;
    if (!loop.proceed(ec)) return sent;
  }
  ec.clear();
  return sent;
}

// A connect that goes on in the background is waited for and asked for its outcome; it is never
// called again.
inline void connect(const call_context& context, sockaddr_view to, std::error_code& ec) noexcept {
  ec.clear();
  if (sys::connect(context.handle, to.data, to.size) == 0) return;
  const int number = sys::last_error();
  const bool interrupted = sys::classify(number) == sys::failure::interrupted;
  const bool waits =
      interrupted ? context.timeout != 0 : context.timeout > 0 && sys::connect_pending(number);
  if (!waits) {
    ec = system_code(number);
    return;
  }
  wait_loop loop(context, sys::event::connect);
  if (interrupted && !loop.resume(ec)) return;
  if (!loop.wait(ec)) return;

  const sys::error_numbers known = sys::numbers();
  int outcome = 0;
  socklen_t size = sizeof outcome;
  if (sys::getsockopt(context.handle, SOL_SOCKET, SO_ERROR, &outcome, &size) < 0)
    outcome = sys::last_error();
  if (outcome == known.is_connected) return;
  if (outcome == 0 && interrupted && to.data->sa_family == AF_UNIX) {
    // An AF_UNIX connect does not go on in the background: an interrupted one is simply undone, and
    // SO_ERROR knows nothing of it.
    sockaddr_any peer;
    socklen_t peer_size = sizeof peer;
    if (sys::getpeername(context.handle, &peer.base, &peer_size) < 0) outcome = known.interrupted;
  }
  if (outcome != 0) ec = system_code(outcome);
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
