// SPDX-License-Identifier: MIT
// How a selector waits, with scripted system calls.
#include <pysock/selectors.hpp>
#include <pysock/socket.hpp>

#include <cerrno>

#include "support/catch.hpp"
#include "support/failure.hpp"
#include "support/fake_sys.hpp"

using namespace std::chrono_literals;
using namespace test_support;
using fake::called;
using fake::fails;
using fake::lines;

TEST_CASE("signals do not extend a select", "[selectors]") {
  const fake::session session;
  pysock::socket a;
  pysock::selector<> s;
  s.register_(a, pysock::EVENT_READ);
  fake::on_wait_poll_set({fails(EINTR).after(30).always()});
  CHECK(s.select(100ms).empty());
  CHECK(fake::elapsed() == 100ms);
  CHECK(fake::log("wait_poll_set") ==
        lines{called("wait_poll_set", 100), called("wait_poll_set", 70),
              called("wait_poll_set", 40), called("wait_poll_set", 10)});
}

TEST_CASE("a select without a limit waits until something is ready", "[selectors]") {
  const fake::session session;
  pysock::socket a;
  pysock::selector<> s;
  s.register_(a, pysock::EVENT_READ);
  fake::on_wait_poll_set({fails(EINTR), fake::ready({a.fileno()}).after(50)});
  CHECK(s.select().size() == 1);
  CHECK(fake::log("wait_poll_set") ==
        lines{called("wait_poll_set", -1), called("wait_poll_set", -1)});
}

TEST_CASE("select reports a failure of the system's wait", "[selectors]") {
  const fake::session session;
  pysock::socket a;
  pysock::selector<> s;
  s.register_(a, pysock::EVENT_READ);
  fake::on_wait_poll_set({fails(EINVAL)});
  CHECK(failure_of([&s] { s.select(); }) == failure("error", EINVAL));
  CHECK(s.get_map().size() == 1);
}
