// SPDX-License-Identifier: MIT
// How a selector waits, with scripted system calls.
#include <pysock/selectors.hpp>
#include <pysock/socket.hpp>

#include <cerrno>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/failure.hpp"
#include "support/fake_sys.hpp"

using namespace std::chrono_literals;
using namespace test_support;
using fake::called;
using fake::event;
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

TEST_CASE("a select that does not wait is repeated after a signal", "[selectors]") {
  const fake::session session;
  pysock::socket a;
  pysock::selector<> s;
  s.register_(a, pysock::EVENT_READ);
  fake::on_wait_poll_set({fails(EINTR), fake::ready({a.fileno()})});
  CHECK(s.select(0).size() == 1);
  CHECK(fake::log("wait_poll_set") ==
        lines{called("wait_poll_set", 0), called("wait_poll_set", 0)});
}

TEST_CASE("select joins the events of a descriptor that the system reports one by one",
          "[selectors]") {
  const fake::session session;
  pysock::socket a;
  pysock::socket b;
  pysock::selector<> s;
  s.register_(a, pysock::EVENT_READ | pysock::EVENT_WRITE);
  s.register_(b, pysock::EVENT_READ | pysock::EVENT_WRITE);
  fake::on_wait_poll_set({fake::reports(
      {{a.fileno(), event::read}, {b.fileno(), event::read}, {a.fileno(), event::write}})});
  const auto events = s.select();
  REQUIRE(events.size() == 2);
  for (const auto [key, ready] : events)
    CHECK(ready ==
          (key.fd() == a.fileno() ? pysock::EVENT_READ | pysock::EVENT_WRITE : pysock::EVENT_READ));
}

TEST_CASE("select does not report an event that is no longer asked for", "[selectors]") {
  const fake::session session;
  pysock::socket a;
  pysock::selector<> s;
  s.register_(a, pysock::EVENT_WRITE);
  fake::on_wait_poll_set({fake::reports({{a.fileno(), event::read}}), fake::times_out()});
  CHECK(s.select(100ms).empty());
  CHECK(fake::elapsed() == 100ms);
}

TEST_CASE("a selector replaces its set if waits find only descriptors that are not registered",
          "[selectors]") {
  const fake::session session;
  {
    pysock::socket a;
    pysock::interrupter stop;
    pysock::selector<> s;
    s.register_(a, pysock::EVENT_WRITE);
    s.set_interrupter(stop);
    const fake::step stale = fake::reports({{a.fileno(), event::read}});
    const auto change = [](fake::handle h, event wanted) {
      return called("change_poll_set", h, event::error, wanted);
    };

    fake::clear_log();
    fake::on_wait_poll_set({stale, stale, fake::ready({a.fileno()})});
    CHECK(s.select().size() == 1);
    CHECK(fake::log() == lines{called("wait_poll_set", -1), called("wait_poll_set", -1),
                               called("open_poll_set"), change(stop.fileno(), event::read),
                               change(a.fileno(), event::write), called("wait_poll_set", -1)});

    // If it cannot make a set, or not with its interrupter, it keeps the old one.
    for (const char* function : {"open_poll_set", "change_poll_set"}) {
      CAPTURE(function);
      fake::on_wait_poll_set({stale, stale});
      fake::on(function, {fails(EMFILE)});
      CHECK(failure_of([&s] { s.select(); }) == failure("error", EMFILE));
      fake::on_wait_poll_set({fake::ready({a.fileno()})});
      CHECK(s.select().size() == 1);
    }
  }
  CHECK(fake::problems() == lines{});
}

TEST_CASE("a selector uses no interrupter that it could not add, and keeps the one before",
          "[selectors][interrupter]") {
  const fake::session session;
  {
    pysock::interrupter stop;
    pysock::selector<> s;
    fake::on_change_poll_set({fails(ENOSPC)});
    CHECK(failure_of([&] { s.set_interrupter(stop); }) == failure("error", ENOSPC));
    stop.interrupt();
    fake::on_wait_poll_set({fake::times_out()});
    CHECK(s.select(10ms).empty());

    // It keeps the one that it had.
    pysock::interrupter first;
    s.set_interrupter(first);
    fake::clear_log();
    fake::on_change_poll_set({fails(ENOSPC)});
    CHECK(failure_of([&] { s.set_interrupter(stop); }) == failure("error", ENOSPC));
    CHECK(fake::log() ==
          lines{called("change_poll_set", stop.fileno(), event::error, event::read)});
    first.interrupt();
    CHECK(failure_of([&] { s.select(10ms); }) == failure("interrupted_error", EINTR));
  }
  CHECK(fake::problems() == lines{});
}

TEST_CASE("a select that runs out of memory loses no event", "[selectors]") {
  for (std::size_t number = 1;; ++number) {
    CAPTURE(number);
    const fake::session session;
    bool failed = false;
    {
      pysock::socket a;
      pysock::selector<> s;
      s.register_(a, pysock::EVENT_READ);
      std::size_t found = 0;
      failed = fails_to_allocate(number, [&] { found = s.select(0).size(); });
      CHECK(found == (failed ? 0 : 1));
      CHECK(s.select(0).size() == 1);
    }
    CHECK(fake::problems() == lines{});
    if (!failed) {
      CHECK(number > 1);
      break;
    }
  }
}
