// SPDX-License-Identifier: MIT
// Deadline arithmetic. The clock itself is the seam's.
#pragma once

#include <climits>  // INT_MAX
#include <cstdint>  // int64_t

namespace pysock {
inline namespace v1 {
namespace detail {

// The last instant of the clock stands for "never".
inline constexpr std::int64_t no_deadline = INT64_MAX;

// The instant `timeout` nanoseconds after `now`; a negative timeout is none.
constexpr std::int64_t deadline_after(std::int64_t now, std::int64_t timeout) noexcept {
  if (timeout < 0 || timeout > no_deadline - now) return no_deadline;
  return now + timeout;
}

// What poll() takes: milliseconds rounded up, so that it never wakes early; -1 for ever. Cut to
// what an int holds: the caller asks again.
constexpr int poll_milliseconds(std::int64_t deadline, std::int64_t now) noexcept {
  if (deadline == no_deadline) return -1;
  if (deadline <= now) return 0;
  const std::int64_t left = deadline - now;
  const std::int64_t milliseconds = left / 1000000 + (left % 1000000 != 0 ? 1 : 0);
  return milliseconds > INT_MAX ? INT_MAX : static_cast<int>(milliseconds);
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
