// SPDX-License-Identifier: MIT
/// \file
/// Timeouts as parameters and results, and the process's default.
#pragma once

#include <chrono>       // duration, steady_clock, time_point
#include <cstdint>      // int64_t
#include <optional>     // optional, nullopt
#include <type_traits>  // enable_if_t

#include "detail/config.hpp"
#include "detail/raise.hpp"

namespace pysock {
inline namespace v1 {

/// A span of time in seconds, as Python's float.
using seconds = std::chrono::duration<double>;

namespace detail {

// A timeout as the sockets keep it, in one word: > 0 nanoseconds; 0 non-blocking; -1 blocking; <=
// -2 an instant of the steady clock. detail/deadline.hpp decodes it.
inline constexpr std::int64_t no_timeout = -1;
inline constexpr std::int64_t latest_instant = INT64_MAX - 2;

// The word of an instant, and back. `instant` is in nanoseconds, 0..latest_instant.
constexpr std::int64_t word_of_instant(std::int64_t instant) noexcept { return -2 - instant; }
constexpr std::int64_t instant_of_word(std::int64_t word) noexcept { return -2 - word; }
constexpr bool is_absolute(std::int64_t word) noexcept { return word < no_timeout; }
// Whether a call may wait, with a limit.
constexpr bool is_limited(std::int64_t word) noexcept { return word > 0 || is_absolute(word); }

[[noreturn]] inline void throw_timeout_range() {
  throw_out_of_range("timestamp out of range for platform time_t");
}
[[noreturn]] inline void throw_timeout_negative() {
  throw_invalid_argument("Timeout value out of range");
}

// Rounded away from zero, so that a tiny timeout never becomes 0, which would change the mode.
constexpr std::int64_t nanoseconds_from(double value) {
  if (value != value) throw_invalid_argument("Invalid value NaN (not a number)");
  const double scaled = value * 1e9;
  if (scaled >= 9223372036854775808.0 || scaled <= -9223372036854775808.0) throw_timeout_range();
  if (value < 0) throw_timeout_negative();
  const auto whole = static_cast<std::int64_t>(scaled);
  return static_cast<double>(whole) < scaled ? whole + 1 : whole;
}

// A count of `numerator / denominator` seconds, exact and rounded up.
template <class Integer>
constexpr std::int64_t nanoseconds_from(Integer count, std::intmax_t numerator,
                                        std::intmax_t denominator) {
  if constexpr (std::is_signed_v<Integer>) {
    if (count < 0) throw_timeout_negative();
  }
  constexpr std::int64_t limit = INT64_MAX;
  constexpr std::int64_t billion = 1000000000;
  const auto value = static_cast<std::uintmax_t>(count);
  if (denominator > billion || billion % denominator != 0 || numerator > limit / billion) {
    return nanoseconds_from(static_cast<double>(count) * static_cast<double>(numerator) /
                            static_cast<double>(denominator));
  }
  const auto unit = static_cast<std::uintmax_t>(billion / denominator * numerator);
  if (value > static_cast<std::uintmax_t>(limit) / unit) throw_timeout_range();
  return static_cast<std::int64_t>(value * unit);
}

// An instant in nanoseconds, rounded up. Instants outside the clock's range become its first or
// last one.
template <class Rep, class Period>
constexpr std::int64_t instant_from(const std::chrono::duration<Rep, Period>& since_start) {
  const double value = seconds(since_start).count();
  if (value <= 0) return 0;
  if (value >= 9.2e9) return latest_instant;
  if constexpr (std::is_integral_v<Rep>)
    return nanoseconds_from(since_start.count(), Period::num, Period::den);
  else
    return nanoseconds_from(value);
}

}  // namespace detail

class timeout_value;
namespace detail {
constexpr std::int64_t timeout_word(const timeout_value& value) noexcept;
}

/// A timeout as a parameter: `std::nullopt` blocks, 0 never waits, a positive value waits at most
/// that long, and a time point is a deadline.
///
/// Made from `std::nullopt`, a number of seconds (not `bool`), any `std::chrono::duration`, a
/// `std::optional<seconds>`, or a time point of `std::chrono::steady_clock`. It has no default, so
/// `{}` does not compile. Values are rounded up to a nanosecond.
class timeout_value {
 public:
  /// Blocking: no limit. (Python: None)
  constexpr timeout_value(std::nullopt_t) noexcept : word_(detail::no_timeout) {}

  /// Seconds. \throws std::invalid_argument if negative or NaN \throws std::out_of_range beyond
  /// 2^63 nanoseconds
  template <class N, std::enable_if_t<std::is_arithmetic_v<N> && !std::is_same_v<N, bool>, int> = 0>
  constexpr timeout_value(N value) : word_(from_number(value)) {}

  /// A chrono duration. Throws as for seconds.
  template <class Rep, class Period>
  constexpr timeout_value(const std::chrono::duration<Rep, Period>& value)
      : word_(from_duration(value)) {}

  /// A result of `gettimeout()`. Throws as for seconds.
  constexpr timeout_value(const std::optional<seconds>& value)
      : word_(value ? detail::nanoseconds_from(value->count()) : detail::no_timeout) {}

  /// An absolute deadline: every later call may use the time that is left, and after the deadline a
  /// call makes one attempt before it times out. `s.settimeout(clock::now() + 5s)` limits a whole
  /// exchange. A time point of another clock does not compile. \throws std::invalid_argument if NaN
  template <class Duration>
  constexpr timeout_value(
      const std::chrono::time_point<std::chrono::steady_clock, Duration>& deadline)
      : word_(detail::word_of_instant(detail::instant_from(deadline.time_since_epoch()))) {}

 private:
  friend constexpr std::int64_t detail::timeout_word(const timeout_value& value) noexcept;

  template <class N>
  static constexpr std::int64_t from_number(N value) {
    if constexpr (std::is_floating_point_v<N>)
      return detail::nanoseconds_from(static_cast<double>(value));
    else
      return detail::nanoseconds_from(value, 1, 1);
  }
  template <class Rep, class Period>
  static constexpr std::int64_t from_duration(const std::chrono::duration<Rep, Period>& value) {
    if constexpr (std::is_integral_v<Rep>)
      return detail::nanoseconds_from(value.count(), Period::num, Period::den);
    else
      return detail::nanoseconds_from(seconds(value).count());
  }

  std::int64_t word_;
};

namespace detail {

constexpr std::int64_t timeout_word(const timeout_value& value) noexcept { return value.word_; }

// The result of `gettimeout`. For a deadline it is the time left, and 1 ns after the deadline,
// because 0 is another mode.
[[nodiscard]] PYSOCK_API std::optional<seconds> timeout_left(std::int64_t word) noexcept;

// The default as a word; kept by the library so that there is one per process. Never an instant.
[[nodiscard]] PYSOCK_API std::int64_t default_timeout() noexcept;

}  // namespace detail

/// The timeout that new sockets start with; `std::nullopt`, blocking, until set. Thread-safe.
/// (Python: `socket.getdefaulttimeout`)
[[nodiscard]] inline std::optional<seconds> getdefaulttimeout() noexcept {
  return detail::timeout_left(detail::default_timeout());
}

/// Sets the timeout that new sockets start with, accepted ones included, in the whole process;
/// existing sockets keep theirs. A default of 0 makes new sockets non-blocking. Thread-safe.
/// (Python: `socket.setdefaulttimeout`) \throws std::invalid_argument for a `timeout_value` made
/// from a time point
PYSOCK_API void setdefaulttimeout(timeout_value value);
/// A deadline cannot be a default: after it all new sockets would time out.
template <class Duration>
void setdefaulttimeout(
    const std::chrono::time_point<std::chrono::steady_clock, Duration>& deadline) = delete;

}  // namespace v1
}  // namespace pysock
