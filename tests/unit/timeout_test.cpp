// SPDX-License-Identifier: MIT
#include <pysock/timeout.hpp>

#include <cmath>
#include <limits>

#include "support/catch.hpp"

using namespace std::chrono_literals;
using pysock::timeout_value;

TEST_CASE("a timeout is made from nothing, numbers, durations and results") {
  CHECK(timeout_value(std::nullopt).nanoseconds() == -1);
  CHECK(timeout_value(0).nanoseconds() == 0);
  CHECK(timeout_value(0.0).nanoseconds() == 0);
  CHECK(timeout_value(2).nanoseconds() == 2000000000);
  CHECK(timeout_value(2U).nanoseconds() == 2000000000);
  CHECK(timeout_value(0.5).nanoseconds() == 500000000);
  CHECK(timeout_value(0.5F).nanoseconds() == 500000000);
  CHECK(timeout_value(250ms).nanoseconds() == 250000000);
  CHECK(timeout_value(3min).nanoseconds() == 180000000000);
  CHECK(timeout_value(1ns).nanoseconds() == 1);
  CHECK(timeout_value(std::chrono::duration<int, std::pico>(1500)).nanoseconds() == 2);
  CHECK(timeout_value(pysock::seconds(1.5)).nanoseconds() == 1500000000);
  CHECK(timeout_value(std::optional<pysock::seconds>()).nanoseconds() == -1);
  CHECK(timeout_value(std::optional<pysock::seconds>(0.25)).nanoseconds() == 250000000);
  STATIC_REQUIRE(timeout_value(1).nanoseconds() == 1000000000);
}

TEST_CASE("a timeout is never made from a bool or from nothing at all") {
  STATIC_REQUIRE_FALSE(std::is_convertible_v<bool, timeout_value>);
  STATIC_REQUIRE_FALSE(std::is_default_constructible_v<timeout_value>);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<const char*, timeout_value>);
}

TEST_CASE("tiny timeouts are rounded away from zero") {
  CHECK(timeout_value(1e-10).nanoseconds() == 1);
  CHECK(timeout_value(1e-300).nanoseconds() == 1);
  CHECK(timeout_value(1.0000000001e-9).nanoseconds() == 2);
  CHECK(timeout_value(9e9).nanoseconds() == 9000000000000000000);
}

TEST_CASE("bad timeouts are refused") {
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
  CHECK_THROWS_WITH(timeout_value(-1), "Timeout value out of range");
  CHECK_THROWS_WITH(timeout_value(std::nan("")), "Invalid value NaN (not a number)");
  CHECK_THROWS_WITH(timeout_value(1e10), "timestamp out of range for platform time_t");
}

TEST_CASE("the default timeout is none until set, and one for the process") {
  CHECK_FALSE(pysock::getdefaulttimeout().has_value());
  pysock::setdefaulttimeout(1.5);
  CHECK(pysock::getdefaulttimeout() == pysock::seconds(1.5));
  pysock::setdefaulttimeout(0);
  CHECK(pysock::getdefaulttimeout() == pysock::seconds(0));
  pysock::setdefaulttimeout(std::nullopt);
  CHECK_FALSE(pysock::getdefaulttimeout().has_value());
  CHECK_THROWS_AS(pysock::setdefaulttimeout(-1), std::invalid_argument);
}
