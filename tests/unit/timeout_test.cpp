// SPDX-License-Identifier: MIT
#include <pysock/timeout.hpp>

#include <cmath>
#include <limits>

#include "support/catch.hpp"

using namespace std::chrono_literals;
using pysock::timeout_value;
using pysock::detail::timeout_word;

TEST_CASE("a timeout is made from nullopt, numbers, durations and results") {
  CHECK(timeout_word(std::nullopt) == -1);
  CHECK(timeout_word(0) == 0);
  CHECK(timeout_word(0.0) == 0);
  CHECK(timeout_word(2) == 2000000000);
  CHECK(timeout_word(2U) == 2000000000);
  CHECK(timeout_word(0.5) == 500000000);
  CHECK(timeout_word(0.5F) == 500000000);
  CHECK(timeout_word(250ms) == 250000000);
  CHECK(timeout_word(3min) == 180000000000);
  CHECK(timeout_word(1ns) == 1);
  CHECK(timeout_word(std::chrono::duration<int, std::pico>(1500)) == 2);
  CHECK(timeout_word(std::chrono::duration<int, std::ratio<1, 60>>(3)) == 50000000);
  CHECK(timeout_word(std::chrono::duration<int, std::ratio<1, 3>>(1)) == 333333334);
  CHECK(timeout_word(std::chrono::duration<int, std::ratio<10000000000>>(0)) == 0);
  CHECK(timeout_word(pysock::seconds(1.5)) == 1500000000);
  CHECK(timeout_word(std::optional<pysock::seconds>()) == -1);
  CHECK(timeout_word(std::optional<pysock::seconds>(0.25)) == 250000000);
  STATIC_REQUIRE(timeout_word(1) == 1000000000);
}

TEST_CASE("a timeout is never made from a bool or from empty braces") {
  STATIC_REQUIRE_FALSE(std::is_convertible_v<bool, timeout_value>);
  STATIC_REQUIRE_FALSE(std::is_default_constructible_v<timeout_value>);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<const char*, timeout_value>);
}

TEST_CASE("tiny timeouts are rounded away from zero") {
  CHECK(timeout_word(1e-10) == 1);
  CHECK(timeout_word(1e-300) == 1);
  CHECK(timeout_word(1.0000000001e-9) == 2);
  CHECK(timeout_word(9e9) == 9000000000000000000);
}

TEST_CASE("invalid timeouts are rejected") {
  CHECK_THROWS_AS(timeout_value(-1), std::invalid_argument);
  CHECK_THROWS_AS(timeout_value(-1e-10), std::invalid_argument);
  CHECK_THROWS_AS(timeout_value(-1ms), std::invalid_argument);
  CHECK_THROWS_AS(timeout_value(std::optional<pysock::seconds>(-0.5)), std::invalid_argument);
  CHECK_THROWS_AS(timeout_value(std::nan("")), std::invalid_argument);
  CHECK_THROWS_AS(timeout_value(std::numeric_limits<double>::infinity()), std::out_of_range);
  CHECK_THROWS_AS(timeout_value(-std::numeric_limits<double>::infinity()), std::out_of_range);
  CHECK_THROWS_AS(timeout_value(1e10), std::out_of_range);
  CHECK_THROWS_AS(timeout_value(10000000000LL), std::out_of_range);
  CHECK_THROWS_AS(timeout_value(std::numeric_limits<unsigned long long>::max()), std::out_of_range);
  CHECK_THROWS_AS(timeout_value(std::chrono::hours(3000000)), std::out_of_range);
  CHECK_THROWS_AS(timeout_value(std::chrono::duration<int, std::ratio<10000000000>>(1)),
                  std::out_of_range);
  CHECK_THROWS_WITH(timeout_value(-1), "Timeout value out of range");
  CHECK_THROWS_WITH(timeout_value(std::nan("")), "Invalid value NaN (not a number)");
  CHECK_THROWS_WITH(timeout_value(1e10), "timestamp out of range for platform time_t");
}

TEST_CASE("a timeout is made from a time point of the steady clock, and from no other") {
  using clock = std::chrono::steady_clock;
  const auto at = [](auto since_start) {
    return timeout_word(std::chrono::time_point<clock, decltype(since_start)>(since_start));
  };
  CHECK(at(5s) == pysock::detail::word_of_instant(5000000000));
  CHECK(at(1ns) == -3);
  CHECK(at(0ns) == -2);
  CHECK(at(std::chrono::duration<int, std::pico>(1500)) == -4);
  CHECK(at(0.25s) == pysock::detail::word_of_instant(250000000));
  CHECK(at(-5s) == -2);
  CHECK(at(std::chrono::hours::max()) ==
        pysock::detail::word_of_instant(pysock::detail::latest_instant));
  CHECK(at(clock::duration::max()) ==
        pysock::detail::word_of_instant(pysock::detail::latest_instant));
  CHECK(at(pysock::seconds(std::numeric_limits<double>::infinity())) ==
        pysock::detail::word_of_instant(pysock::detail::latest_instant));
  CHECK_THROWS_AS(at(pysock::seconds(std::nan(""))), std::invalid_argument);
  CHECK(timeout_word(clock::now() + 0.25s) < -2);
  STATIC_REQUIRE(std::is_convertible_v<clock::time_point, timeout_value>);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<std::chrono::system_clock::time_point, timeout_value>);
}

TEST_CASE("gettimeout returns 0 only in non-blocking mode") {
  using pysock::detail::timeout_left;
  CHECK_FALSE(timeout_left(-1).has_value());
  CHECK(timeout_left(0) == pysock::seconds(0));
  CHECK(timeout_left(1500000000) == pysock::seconds(1.5));
  const auto soon = std::chrono::steady_clock::now() + 1h;
  CHECK(timeout_left(timeout_word(soon)) > 59min);
  CHECK(timeout_left(timeout_word(soon)) <= 1h);
  CHECK(timeout_left(timeout_word(soon - 2h)) == 1ns);
}

TEST_CASE("a deadline cannot be the default timeout") {
  const timeout_value deadline = std::chrono::steady_clock::now();
  CHECK_THROWS_AS(pysock::setdefaulttimeout(deadline), std::invalid_argument);
  CHECK_FALSE(pysock::getdefaulttimeout().has_value());
}

TEST_CASE("the default timeout is None until set, and applies to the process") {
  CHECK_FALSE(pysock::getdefaulttimeout().has_value());
  pysock::setdefaulttimeout(1.5);
  CHECK(pysock::getdefaulttimeout() == pysock::seconds(1.5));
  pysock::setdefaulttimeout(0);
  CHECK(pysock::getdefaulttimeout() == pysock::seconds(0));
  pysock::setdefaulttimeout(std::nullopt);
  CHECK_FALSE(pysock::getdefaulttimeout().has_value());
  CHECK_THROWS_AS(pysock::setdefaulttimeout(-1), std::invalid_argument);
}
