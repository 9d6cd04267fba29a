// SPDX-License-Identifier: MIT
// The time by which a call must end. The seam provides the clock.
#pragma once

#include <climits>  // INT_MAX
#include <cstdint>  // int64_t

#include "../timeout.hpp"
#include "sys.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

// The last instant of the clock stands for "never".
inline constexpr std::int64_t no_deadline = INT64_MAX;

// The instant `timeout` nanoseconds after `now`; a negative timeout means no limit.
constexpr std::int64_t deadline_after(std::int64_t now, std::int64_t timeout) noexcept {
  if (timeout < 0 || timeout > no_deadline - now) return no_deadline;
  return now + timeout;
}

// What poll() takes: milliseconds rounded up, so that it never wakes early; -1 without limit.
// Limited to the range of int: the caller waits again.
constexpr int poll_milliseconds(std::int64_t deadline, std::int64_t now) noexcept {
  if (deadline == no_deadline) return -1;
  if (deadline <= now) return 0;
  const std::int64_t left = deadline - now;
  const std::int64_t milliseconds = left / 1000000 + (left % 1000000 != 0 ? 1 : 0);
  return milliseconds > INT_MAX ? INT_MAX : static_cast<int>(milliseconds);
}

// The limit of all steps of a call together, where a timeout is for each of them: a deadline.
constexpr std::int64_t timeout_of_all_steps(std::int64_t timeout) noexcept {
  return is_absolute(timeout) ? timeout : no_timeout;
}

// The limit of one call of the library, which may take several system calls. The time of a timeout
// starts when the clock is first read: a call that succeeds at once never reads it.
class deadline {
 public:
  // `timeout` is a word as in timeout.hpp.
  explicit deadline(std::int64_t timeout) noexcept : timeout_(timeout) {}

  [[nodiscard]] std::int64_t timeout() const noexcept { return timeout_; }
  // Whether calls never wait.
  [[nodiscard]] bool is_zero() const noexcept { return timeout_ == 0; }

  // Reads the clock. Without a limit it does not, and returns 0.
  std::int64_t now() noexcept {
    if (!is_limited(timeout_)) return 0;
    const std::int64_t now = sys::now();
    if (!started_)
      end_ = is_absolute(timeout_) ? instant_of_word(timeout_) : deadline_after(now, timeout_);
    started_ = true;
    return now;
  }

  // Whether the next step of a call can begin: the first always can.
  bool begin_step() noexcept {
    const bool is_first = !started_;
    return !passed(now()) || is_first;
  }

  // When the time is over, once the clock has been read; `no_deadline` for never.
  [[nodiscard]] std::int64_t end() const noexcept { return end_; }

  // Whether the time was over at `now`.
  [[nodiscard]] bool passed(std::int64_t now) const noexcept {
    return end_ != no_deadline && now >= end_;
  }

  // What poll() takes for the rest of the time.
  [[nodiscard]] int milliseconds(std::int64_t now) const noexcept {
    return is_zero() ? 0 : poll_milliseconds(end_, now);
  }

 private:
  std::int64_t timeout_;
  std::int64_t end_ = no_deadline;
  bool started_ = false;
};

}  // namespace detail
}  // namespace v1
}  // namespace pysock
