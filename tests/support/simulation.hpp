// SPDX-License-Identifier: MIT
// Helpers of the tests of simulated time: random timeouts, the fake's calls as the director gets
// them, and the bytes of the streams.
#pragma once

#include <chrono>
#include <cstdint>
#include <pysock/timeout.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "dice.hpp"
#include "fake_sys.hpp"

namespace test_support {

inline constexpr std::int64_t millisecond = 1'000'000;
inline constexpr std::int64_t second = 1'000 * millisecond;
inline constexpr std::int64_t day = 86'400 * second;
inline constexpr std::int64_t year = 365 * day;
inline constexpr std::int64_t never = INT64_MAX;

// The bytes of both streams.
class byte_pattern {
 public:
  byte_pattern() {
    std::uint32_t state = 1;
    for (char& byte : bytes_) {
      state = state * 1664525U + 1013904223U;
      byte = static_cast<char>(state >> 24);
    }
  }
  [[nodiscard]] const std::string& all() const { return bytes_; }
  // `size` bytes from a position. The pattern is repeated at its end.
  [[nodiscard]] std::string at(std::size_t position, std::size_t size) const {
    std::string result;
    while (result.size() < size)
      result.append(bytes_, (position + result.size()) % bytes_.size(), size - result.size());
    return result;
  }

 private:
  std::string bytes_ = std::string(1048573, '\0');  // a prime, so that no size divides it
};

inline const byte_pattern stream_bytes;

// How long a call may wait.
struct limit {
  enum class kind { none, zero, relative, absolute } is = kind::none;
  std::int64_t time = 0;  // nanoseconds, or the instant

  // A random limit, which may be a deadline that has passed.
  static limit any(dice& random) {
    const std::uint64_t which = random.below(10);
    if (which < 2) return {kind::none, 0};
    if (which < 3) return {kind::zero, 0};
    if (which < 7) return {kind::relative, random.magnitude(3 * year)};
    if (which < 8) return {kind::absolute, fake::clock() - random.magnitude(second)};
    return {kind::absolute, fake::clock() + random.magnitude(3 * year)};
  }
  [[nodiscard]] bool ends() const { return is == kind::relative || is == kind::absolute; }
  [[nodiscard]] pysock::timeout_value value() const {
    using std::chrono::nanoseconds;
    if (is == kind::none) return std::nullopt;
    if (is == kind::zero) return 0;
    if (is == kind::relative) return nanoseconds(time);
    return std::chrono::time_point<std::chrono::steady_clock, nanoseconds>(nanoseconds(time));
  }
  [[nodiscard]] std::string text() const {
    constexpr const char* names[] = {"none", "zero", "relative", "absolute"};
    return std::string(names[static_cast<int>(is)]) + " " + std::to_string(time);
  }
};

// A call of the seam, parsed from its line in the log.
struct seam_call {
  explicit seam_call(const std::string& line) : function(line.substr(0, line.find('('))) {
    std::istringstream arguments(line.substr(function.size() + 1));
    for (std::string one; std::getline(arguments, one, ',');) words.push_back(one);
  }
  [[nodiscard]] std::int64_t number(std::size_t place) const { return std::stoll(words.at(place)); }
  [[nodiscard]] bool is(const char* name) const { return function == name; }
  [[nodiscard]] bool begins(const char* name) const { return function.rfind(name, 0) == 0; }
  [[nodiscard]] bool receives() const { return begins("recv"); }
  [[nodiscard]] bool sends() const { return begins("send"); }
  [[nodiscard]] bool is_attempt() const {
    return receives() || sends() || is("accept") || is("connect");
  }
  // The number of bytes that the call may transfer.
  [[nodiscard]] std::size_t size() const {
    return static_cast<std::size_t>(number(is("sendfile") ? 3 : 1));
  }
  // Whether an interrupter ends the poll or the pause.
  [[nodiscard]] bool has_interrupter() const { return words.size() == (is("poll") ? 4U : 2U); }
  // Whether the call asks the system not to wait.
  [[nodiscard]] bool refuses_to_wait() const {
    if (is("recv_now") || is("send_now")) return true;
    const bool has_flags = is("recv") || is("send") || is("recvmsg") || is("sendmsg");
    if (!has_flags || pysock::detail::sys::dont_wait == 0) return false;
    return (number(function.size() == 4 ? 2 : 3) & pysock::detail::sys::dont_wait) != 0;
  }

  std::string function;
  std::vector<std::string> words;
};

}  // namespace test_support
