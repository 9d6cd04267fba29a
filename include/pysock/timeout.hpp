// SPDX-License-Identifier: MIT
/// \file
/// Timeouts as parameters and results, and the process's default.
#pragma once

#include <chrono>       // duration
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

// A timeout as the sockets keep it: nanoseconds, 0 for non-blocking, or this for blocking.
inline constexpr std::int64_t no_timeout = -1;

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

}  // namespace detail

/// A timeout as a parameter: `std::nullopt` blocks, 0 never waits, anything above waits at most
/// that long.
///
/// Made from `std::nullopt`, a number of seconds (not `bool`), any `std::chrono::duration`, or a
/// `std::optional<seconds>`. It has no default, so `{}` does not compile. Values are rounded up to
/// a nanosecond.
class timeout_value {
 public:
  /// Blocking: no limit. (Python: None)
  constexpr timeout_value(std::nullopt_t) noexcept : nanoseconds_(detail::no_timeout) {}

  /// Seconds. \throws std::invalid_argument if negative or NaN \throws std::out_of_range beyond
  /// 2^63 nanoseconds
  template <class N, std::enable_if_t<std::is_arithmetic_v<N> && !std::is_same_v<N, bool>, int> = 0>
  constexpr timeout_value(N value) : nanoseconds_(from_number(value)) {}

  /// A chrono duration. Throws as for seconds.
  template <class Rep, class Period>
  constexpr timeout_value(const std::chrono::duration<Rep, Period>& value)
      : nanoseconds_(from_duration(value)) {}

  /// What `gettimeout()` gives. Throws as for seconds.
  constexpr timeout_value(const std::optional<seconds>& value)
      : nanoseconds_(value ? detail::nanoseconds_from(value->count()) : detail::no_timeout) {}

  /// Nanoseconds; 0 is non-blocking and -1 is blocking.
  [[nodiscard]] constexpr std::int64_t nanoseconds() const noexcept { return nanoseconds_; }

 private:
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

  std::int64_t nanoseconds_;
};

namespace detail {

constexpr std::optional<seconds> to_seconds(std::int64_t nanoseconds) noexcept {
  if (nanoseconds < 0) return std::nullopt;
  return seconds(static_cast<double>(nanoseconds) / 1e9);
}

// The default in nanoseconds; kept by the library so that there is one per process.
[[nodiscard]] PYSOCK_API std::int64_t default_timeout() noexcept;

}  // namespace detail

/// The timeout that new sockets start with; `std::nullopt`, blocking, until set. Thread-safe.
/// (Python: `socket.getdefaulttimeout`)
[[nodiscard]] inline std::optional<seconds> getdefaulttimeout() noexcept {
  return detail::to_seconds(detail::default_timeout());
}

/// Sets the timeout that new sockets start with, accepted ones included, in the whole process;
/// existing sockets keep theirs. A default of 0 makes new sockets non-blocking. Thread-safe.
/// (Python: `socket.setdefaulttimeout`)
PYSOCK_API void setdefaulttimeout(timeout_value value) noexcept;

}  // namespace v1
}  // namespace pysock
