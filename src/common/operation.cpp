// SPDX-License-Identifier: MIT
#include <pysock/detail/operation.hpp>

#include <algorithm>
#include <cstring>

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

// Whether SO_RCVTIMEO or SO_SNDTIMEO limits calls on this socket. The system then reports
// would-block at the end of that time.
bool has_system_timeout(native_handle_type s, sys::event events) noexcept {
  unsigned char value[sizeof(std::int64_t) * 2] = {};
  socklen_t size = sizeof value;
  const int option = contains(events, sys::event::read) ? SO_RCVTIMEO : SO_SNDTIMEO;
  if (sys::getsockopt(s, SOL_SOCKET, option, value, &size) < 0) return false;
  return std::any_of(std::begin(value), std::end(value),
                     [](unsigned char byte) { return byte != 0; });
}

// Flags of receives for which Python's blocking mode reports would-block.
constexpr int reported_flags =
#ifdef MSG_ERRQUEUE
    MSG_ERRQUEUE |
#endif
    MSG_OOB;

}  // namespace

bool operation::again(int error, std::error_code& ec) noexcept {
  switch (sys::classify(error)) {
    case sys::failure::interrupted:
      return resume(ec) && in_time(until_.now(), ec);
    case sys::failure::would_block:
      if (waits()) return wait(ec);
      break;
    default:
      break;
  }
  ec = system_code(error);
  return false;
}

bool operation::waits() const noexcept {
  if (context_.timeout == 0 || (flags_ & sys::dont_wait) != 0) return false;
  if (is_limited(context_.timeout)) return true;
  if ((flags_ & reported_flags) != 0) return false;
  // With an interrupter the descriptor is non-blocking: would-block is not caused by the option.
  return context_.interrupter != nullptr || !has_system_timeout(context_.handle, events_);
}

native_handle_type operation::wake() const noexcept {
  return context_.interrupter == nullptr ? invalid_handle : context_.interrupter->handle();
}

bool operation::end_interrupted(std::error_code& ec) noexcept {
  context_.interrupter->note();
  ec = system_code(sys::numbers().interrupted);
  return false;
}

bool operation::wait(std::error_code& ec) noexcept {
  std::int64_t now = until_.now();
  if (!in_time(now, ec)) return false;
  has_waited_ = true;
  if (was_ready_) ++false_alarms_;
  if (false_alarms_ > 1 && !back_off(now, ec)) return false;
  return poll(now, false, ec);
}

bool operation::poll(std::int64_t now, bool attempt_when_late, std::error_code& ec) noexcept {
  for (;;) {
    const int ready = sys::poll(context_.handle, events_, until_.milliseconds(now), wake());
    if (ready == sys::woken) return end_interrupted(ec);
    was_ready_ = ready > 0;
    if (ready > 0) return true;
    if (ready < 0) {
      if (sys::classify(-ready) != sys::failure::interrupted) {
        ec = system_code(-ready);
        return false;
      }
      if (!resume(ec)) return false;
    }
    now = until_.now();
    if (ready == 0 && until_.is_zero()) ec = errc::timed_out;
    if ((ready == 0 && until_.is_zero()) || !in_time(now, ec)) return attempt_when_late;
  }
}

bool operation::proceed(std::error_code& ec) noexcept {
  false_alarms_ = 0;
  was_ready_ = false;
  return resume(ec) && in_time(until_.now(), ec);
}

bool operation::resume(std::error_code& ec) noexcept {
  if (context_.hook == nullptr || context_.hook(context_.hook_data)) return begin(ec);
  ec = system_code(sys::numbers().interrupted);
  return false;
}

bool operation::in_time(std::int64_t now, std::error_code& ec) const noexcept {
  if (!until_.passed(now)) return true;
  ec = errc::timed_out;
  return false;
}

// Sleeps 1, 2, 4, 8 and then 10 milliseconds, never beyond the deadline.
bool operation::back_off(std::int64_t& now, std::error_code& ec) noexcept {
  constexpr int steps[] = {1, 2, 4, 8, 10};
  constexpr int most = 6;  // the delay does not grow after so many false alarms
  false_alarms_ = std::min(false_alarms_, most);
  const int step = steps[false_alarms_ - 2];
  const int left = until_.milliseconds(now);
  const int result = sys::pause(left < 0 ? step : std::min(step, left), wake());
  if (result == sys::woken) return end_interrupted(ec);
  if (result < 0 && !resume(ec)) return false;
  now = until_.now();
  return true;
}

std::optional<seconds> timeout_left(std::int64_t word) noexcept {
  if (word == no_timeout) return std::nullopt;
  if (is_absolute(word)) word = std::max<std::int64_t>(instant_of_word(word) - sys::now(), 1);
  return seconds(static_cast<double>(word) / 1e9);
}

bool finish_connect(operation& op, native_handle_type s, std::error_code& ec) noexcept {
  if (!op.wait_until_ready(ec)) return false;
  int outcome = 0;
  socklen_t size = sizeof outcome;
  const int result = sys::getsockopt(s, SOL_SOCKET, SO_ERROR, &outcome, &size);
  if (result < 0) outcome = -result;
  if (outcome == sys::numbers().is_connected) outcome = 0;
  if (outcome != 0) ec = system_code(outcome);
  return outcome == 0;
}

void connect(operation& op, native_handle_type s, const endpoint& to,
             std::error_code& ec) noexcept {
  if (!op.begin(ec)) return;
  for (bool repeated = false;; repeated = true) {
    ec.clear();
    const int error = -sys::connect(s, to.data(), to.size());
    if (error == 0 || (repeated && error == sys::numbers().is_connected)) return;
    const bool interrupted = sys::classify(error) == sys::failure::interrupted;
    const bool pending = sys::connect_pending(error);
    // An AF_UNIX connect does not go on in the background: the system cancels an interrupted one,
    // and one to a full queue has not begun. Both are called again.
    if (to.family() == AF_UNIX && !pending) {
      if (op.again(error, ec)) continue;
    } else if (interrupted ? op.timeout() != 0 : pending && op.waits()) {
      if ((!interrupted || op.resume(ec)) && finish_connect(op, s, ec)) ec.clear();
    } else {
      ec = system_code(error);
    }
    return;
  }
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
