// SPDX-License-Identifier: MIT
// THE WAIT ENGINE: the one place that handles EINTR, would-block and deadlines.
//
// A call is tried first; only when it fails, or when it is expected to wait, does anything here
// run. Readiness is a hint: after every attempt that fails the clock is read, and where poll()
// reports readiness that the call does not find, the engine sleeps between the attempts.
#pragma once

#include <cstddef>       // size_t, ptrdiff_t
#include <cstdint>       // int64_t
#include <system_error>  // error_code

#include "../address.hpp"
#include "../error.hpp"
#include "../interrupter.hpp"
#include "deadline.hpp"
#include "sys.hpp"

namespace pysock {
inline namespace v1 {

/// Called when a signal interrupts a blocking call: true continues with the same deadline, false
/// ends the call with `interrupted_error`. Runs in the calling thread, in the middle of the call;
/// it must not close, move or destroy the socket. A signal that arrives just before the call waits
/// is not noticed: an `interrupter` has no such gap.
using interrupt_hook = bool (*)(void* data) noexcept;

namespace detail {

// The state of a socket or file that its calls use.
struct call_context {
  native_handle_type handle = invalid_handle;
  std::int64_t timeout = no_timeout;  // a word as in timeout.hpp
  interrupt_hook hook = nullptr;
  void* hook_data = nullptr;
  interrupt_source* interrupter = nullptr;

  // Whether the system waits, not the library.
  [[nodiscard]] bool waits_in_system() const noexcept {
    return timeout == no_timeout && interrupter == nullptr;
  }
  // The flags that this mode adds to those of a send or receive.
  [[nodiscard]] int flags() const noexcept { return waits_in_system() ? 0 : sys::dont_wait; }
};

class operation {
 public:
  // `flags` are those that the caller gave to the send or receive. `until` is shared by the
  // operations of one call.
  operation(const call_context& context, sys::event events, deadline& until, int flags = 0) noexcept
      : context_(context), until_(until), events_(events), flags_(flags) {}

  // Sets the event of the next wait, for calls whose steps wait for different events.
  void expect(sys::event events) noexcept { events_ = events; }

  // Before the first attempt of a call: false, with the reason in `ec`, if the interrupter ends it.
  bool begin(std::error_code& ec) noexcept {
    if (context_.interrupter == nullptr || !context_.interrupter->ends_calls()) return true;
    ec = system_code(sys::numbers().interrupted);
    return false;
  }

  // After an attempt that failed with `error`: waits if the call can go on. True to try again; else
  // the reason is in `ec`.
  PYSOCK_API bool again(int error, std::error_code& ec) noexcept;

  // After an attempt that would have blocked: waits. True to try again; else the reason is in `ec`.
  PYSOCK_API bool wait(std::error_code& ec) noexcept;

  // Before the first attempt: waits for readiness or the end of the time; the attempt is then made
  // in any case, because poll() does not report all data that a call can receive (SO_RCVLOWAT).
  // False with the reason in `ec`.
  bool wait_to_begin(std::error_code& ec) noexcept { return poll(until_.now(), true, ec); }

  // As `wait_to_begin`, but false with `errc::timed_out` if the time is over.
  bool wait_until_ready(std::error_code& ec) noexcept { return poll(until_.now(), false, ec); }

  // After a step that made progress but did not finish the call: false with the reason in `ec` if
  // the call must end here.
  PYSOCK_API bool proceed(std::error_code& ec) noexcept;

  // After an interruption: false, with the reason in `ec`, if the hook or the interrupter ends the
  // call.
  PYSOCK_API bool resume(std::error_code& ec) noexcept;

  // Whether a call that would block waits instead of failing.
  [[nodiscard]] PYSOCK_API bool waits() const noexcept;

  // A word as in timeout.hpp.
  [[nodiscard]] std::int64_t timeout() const noexcept { return context_.timeout; }

  // Whether an attempt would have blocked and the call had to wait.
  [[nodiscard]] bool has_waited() const noexcept { return has_waited_; }

 private:
  PYSOCK_API bool poll(std::int64_t now, bool attempt_when_late, std::error_code& ec) noexcept;
  bool in_time(std::int64_t now, std::error_code& ec) const noexcept;
  bool back_off(std::int64_t& now, std::error_code& ec) noexcept;
  [[nodiscard]] native_handle_type wake() const noexcept;
  bool end_interrupted(std::error_code& ec) noexcept;

  const call_context& context_;
  deadline& until_;
  sys::event events_;
  int flags_;
  int false_alarms_ = 0;  // in a row: poll() reported readiness, and the attempt would have blocked
  bool was_ready_ = false;
  bool has_waited_ = false;
};

// Repeats `attempt` until it succeeds or `op` ends. It makes one system call and returns a count,
// or the negative error number. `error` is that of an attempt made before; 0 if there was none.
// Returns the count; -1 with the reason in `ec`.
template <class Attempt>
std::ptrdiff_t complete(operation& op, int error, const Attempt& attempt,
                        std::error_code& ec) noexcept {
  while (error == 0 ? op.begin(ec) : op.again(error, ec)) {
    const std::ptrdiff_t count = attempt();
    if (count >= 0) {
      ec.clear();
      return count;
    }
    error = static_cast<int>(-count);
  }
  return -1;
}

// The same for `attempt(done)`, which transfers some of the bytes after the first `done`, until all
// `size` bytes are transferred. `done` is their number, also on failure.
template <class Attempt>
void complete_all(operation& op, int error, std::size_t size, std::size_t& done,
                  const Attempt& attempt, std::error_code& ec) noexcept {
  for (;;) {
    const std::ptrdiff_t count = complete(
        op, error, [&] { return attempt(done); }, ec);
    if (count < 0) return;
    done += static_cast<std::size_t>(count);
    if (done >= size || !op.proceed(ec)) return;
    error = 0;
  }
}

// Connects. If the connect goes on in the background, waits for its end and asks for the result;
// never calls connect again. `op` waits for `sys::event::connect`.
PYSOCK_API void connect(operation& op, native_handle_type s, const endpoint& to,
                        std::error_code& ec) noexcept;

// Waits for a connect in the background to end. False with the reason in `ec` if it failed, or if
// the time is over.
PYSOCK_API bool finish_connect(operation& op, native_handle_type s, std::error_code& ec) noexcept;

// Predicts whether the next receive of a socket with a timeout will have to wait: the prediction is
// the outcome of the receive before the last, so that an alternation of receives that wait and do
// not wait is predicted too. A receive that polls first does not show whether it would have had to
// wait, so at least every sixteenth tries first, which ends a wrong prediction.
class wait_prediction {
 public:
  constexpr wait_prediction() noexcept = default;
  constexpr explicit wait_prediction(unsigned char bits) noexcept : bits_(bits) {}
  [[nodiscard]] constexpr unsigned char bits() const noexcept { return bits_; }

  // Whether to poll before the next receive.
  [[nodiscard]] constexpr bool poll_first() const noexcept {
    return (bits_ & before_last) != 0 && (bits_ & all_polls) != all_polls;
  }
  // Whether the next receive must be recorded; otherwise the state does not change if it succeeds
  // at once.
  [[nodiscard]] constexpr bool is_active() const noexcept {
    return (bits_ & (last | before_last)) != 0;
  }
  // The state after a receive that polled first or not, and that waited or not.
  [[nodiscard]] constexpr wait_prediction after(bool polled_first, bool waited) const noexcept {
    unsigned bits = polled_first ? (bits_ & all_polls) + one_poll : bits_ & all_polls;
    if (poll_was_due() && !polled_first) bits = 0;
    if ((bits_ & last) != 0) bits |= before_last;
    if (polled_first || waited) bits |= last;
    return wait_prediction(static_cast<unsigned char>(bits));
  }

 private:
  [[nodiscard]] constexpr bool poll_was_due() const noexcept { return (bits_ & before_last) != 0; }

  static constexpr unsigned last = 1;
  static constexpr unsigned before_last = 2;
  static constexpr unsigned one_poll = 4;  // a count of polls since one was left out
  static constexpr unsigned all_polls = 15 * one_poll;

  unsigned char bits_ = 0;
};

}  // namespace detail
}  // namespace v1
}  // namespace pysock
