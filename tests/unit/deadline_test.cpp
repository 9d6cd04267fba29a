// SPDX-License-Identifier: MIT
#include <pysock/detail/deadline.hpp>

#include "support/catch.hpp"

using pysock::detail::deadline;
using pysock::detail::timeout_word;

using pysock::detail::deadline_after;
using pysock::detail::no_deadline;
using pysock::detail::poll_milliseconds;

TEST_CASE("a deadline is one instant within the clock's range") {
  CHECK(deadline_after(1000, 500) == 1500);
  CHECK(deadline_after(1000, -1) == no_deadline);
  CHECK(deadline_after(no_deadline - 10, 20) == no_deadline);
  CHECK(deadline_after(0, no_deadline - 1) == no_deadline - 1);
}

TEST_CASE("the remaining time is rounded up to milliseconds") {
  CHECK(poll_milliseconds(1, 0) == 1);
  CHECK(poll_milliseconds(1000000, 0) == 1);
  CHECK(poll_milliseconds(1000001, 0) == 2);
  CHECK(poll_milliseconds(5000000, 4999999) == 1);
  CHECK(poll_milliseconds(5000000, 5000000) == 0);
  CHECK(poll_milliseconds(5000000, 9000000) == 0);
}

TEST_CASE("poll's timeout is -1 without a deadline, and at most INT_MAX with one") {
  CHECK(poll_milliseconds(no_deadline, 0) == -1);
  CHECK(poll_milliseconds(no_deadline - 1, 0) == INT_MAX);
}

TEST_CASE("the first step of a call always begins, later steps only before the deadline") {
  const auto now = std::chrono::steady_clock::now();
  deadline passed(timeout_word(now));
  CHECK(passed.begin_step());
  CHECK_FALSE(passed.begin_step());
  deadline later(timeout_word(now + std::chrono::hours(1)));
  CHECK(later.begin_step());
  CHECK(later.begin_step());
  deadline unlimited(-1);
  CHECK(unlimited.begin_step());
  CHECK(unlimited.begin_step());
  deadline none(0);
  CHECK(none.begin_step());
  CHECK(none.begin_step());
}

TEST_CASE("an absolute deadline is the same instant for every call") {
  const auto end = std::chrono::steady_clock::now() + std::chrono::hours(1);
  deadline first(timeout_word(end));
  deadline second(timeout_word(end));
  const std::int64_t now = first.now();
  const std::int64_t later = second.now();
  CHECK(now <= later);
  CHECK_FALSE(first.passed(now));
  CHECK(first.passed(now + 3600LL * 1000000000));
  CHECK(first.milliseconds(now) - second.milliseconds(now) == 0);
}
