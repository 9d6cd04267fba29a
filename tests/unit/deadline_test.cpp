// SPDX-License-Identifier: MIT
#include <pysock/detail/deadline.hpp>

#include "support/catch.hpp"

using pysock::detail::deadline_after;
using pysock::detail::no_deadline;
using pysock::detail::poll_milliseconds;

TEST_CASE("a deadline is one instant, and never beyond the clock") {
  CHECK(deadline_after(1000, 500) == 1500);
  CHECK(deadline_after(1000, -1) == no_deadline);
  CHECK(deadline_after(no_deadline - 10, 20) == no_deadline);
  CHECK(deadline_after(0, no_deadline - 1) == no_deadline - 1);
}

TEST_CASE("what is left is rounded up to milliseconds") {
  CHECK(poll_milliseconds(1, 0) == 1);
  CHECK(poll_milliseconds(1000000, 0) == 1);
  CHECK(poll_milliseconds(1000001, 0) == 2);
  CHECK(poll_milliseconds(5000000, 4999999) == 1);
  CHECK(poll_milliseconds(5000000, 5000000) == 0);
  CHECK(poll_milliseconds(5000000, 9000000) == 0);
}

TEST_CASE("no deadline waits for ever, a far one as long as an int allows") {
  CHECK(poll_milliseconds(no_deadline, 0) == -1);
  CHECK(poll_milliseconds(no_deadline - 1, 0) == INT_MAX);
}
