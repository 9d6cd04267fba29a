// SPDX-License-Identifier: MIT
#include <pysock/file.hpp>
#include <pysock/interrupter.hpp>
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
using pysock::interrupter;

TEST_CASE("an interrupter is one descriptor, readable from interrupt to reset", "[interrupter]") {
  const fake::session session;
  {
    interrupter stop;
    CHECK(fake::open_count() == 1);
    CHECK(stop.fileno() == fake::opened().front());
    CHECK_FALSE(stop.is_interrupted());
    stop.interrupt();
    stop.interrupt();
    CHECK(stop.is_interrupted());
    CHECK(fake::is_awake(stop.fileno()));
    stop.reset();
    CHECK_FALSE(stop.is_interrupted());
  }
  CHECK(fake::problems() == lines{});
}

TEST_CASE("an interrupter throws if the system has no descriptor for it", "[interrupter]") {
  const fake::session session;
  fake::on_open_wake({fails(EMFILE)});
  CHECK(failure_of([] { interrupter stop; }) == failure("error", EMFILE));
  CHECK(fake::problems() == lines{});
}

TEST_CASE("an interrupter that cannot be allocated leaves no descriptor open", "[interrupter]") {
  std::size_t before = 0;  // the allocations of the fake
  {
    const fake::session session;
    fake::handle ends[2];
    before = allocations_of([&ends] { (void)fake::sys::open_wake(ends); });
  }
  const fake::session session;
  CHECK(fails_to_allocate(before + 1, [] { interrupter stop; }));
  CHECK(fake::opened().size() == 1);
  CHECK(fake::problems() == lines{});
}

TEST_CASE("interrupter and socket may be destroyed in either order", "[interrupter]") {
  const fake::session session;
  {
    pysock::socket s;
    {
      interrupter stop;
      s.set_interrupter(stop);
      CHECK(fake::open_count() == 2);
    }
    CHECK(fake::open_count() == 2);
    fake::on_recv({fake::gives("x")});
    CHECK(s.recv(1) == "x");
    s.set_interrupter(nullptr);
    CHECK(fake::open_count() == 1);
  }
  {
    interrupter stop;
    pysock::socket s;
    s.set_interrupter(stop);
    const pysock::socket other = s.dup();
    s.close();
  }
  CHECK(fake::problems() == lines{});
}

TEST_CASE("a socket with an interrupter is non-blocking for the system", "[interrupter]") {
  const fake::session session;
  interrupter stop;
  pysock::socket s;
  s.set_interrupter(stop);
  CHECK(fake::is_nonblocking(s.fileno()));
  CHECK_FALSE(s.gettimeout().has_value());
  s.settimeout(std::nullopt);
  CHECK(fake::is_nonblocking(s.fileno()));
  s.settimeout(1);
  s.set_interrupter(nullptr);
  CHECK(fake::is_nonblocking(s.fileno()));
  s.set_interrupter(stop);
  s.settimeout(std::nullopt);
  s.set_interrupter(nullptr);
  CHECK_FALSE(fake::is_nonblocking(s.fileno()));

  s.set_interrupter(stop);
  fake::on_accept({fake::succeeds()});
  const auto [conn, peer] = s.accept();
  CHECK(fake::is_nonblocking(conn.fileno()));
  CHECK_FALSE(conn.gettimeout().has_value());
}

TEST_CASE("set_interrupter on a closed socket changes nothing", "[interrupter]") {
  const fake::session session;
  interrupter stop;
  pysock::socket s(nullptr);
  CHECK(failure_of([&] { s.set_interrupter(stop); }) == failure("error", EBADF));
  CHECK(failure_of([&] { s.set_interrupter(nullptr); }) == failure("error", EBADF));
}

TEST_CASE("a receive with data ready is one system call with an interrupter, too",
          "[interrupter]") {
  const fake::session session;
  interrupter stop;
  pysock::socket s;
  s.set_interrupter(stop);
  for (int i = 0; i < 3; ++i) {
    fake::clear_log();
    fake::on_recv({fake::gives("abc")});
    CHECK(s.recv(10) == "abc");
    CHECK(fake::log() == lines{called("recv", s.fileno(), 10, fake::sys::dont_wait)});
    fake::clear_log();
    CHECK(s.send("abc") == 3);
    CHECK(fake::log() == lines{called("send", s.fileno(), 3, fake::sys::dont_wait)});
  }
  CHECK(fake::clock_reads() == 0);
}

TEST_CASE("a blocking receive with an interrupter waits for both", "[interrupter]") {
  const fake::session session;
  interrupter stop;
  pysock::socket s;
  s.set_interrupter(stop);
  fake::clear_log();
  fake::on_recv({fails(EAGAIN), fake::gives("abc")});
  CHECK(s.recv(10) == "abc");
  CHECK(fake::log() == lines{called("recv", s.fileno(), 10, fake::sys::dont_wait),
                             called("poll", s.fileno(), event::read, -1, stop.fileno()),
                             called("recv", s.fileno(), 10, fake::sys::dont_wait)});
}

TEST_CASE("a call on a socket that always has data ends after interrupt", "[interrupter]") {
  const fake::session session;
  interrupter stop;
  pysock::socket s;
  s.set_interrupter(stop);
  fake::on_recv({fake::gives("x").always()});
  CHECK(s.recv(1) == "x");
  stop.interrupt();
  CHECK(failure_of([&] { (void)s.recv(1); }) == failure("interrupted_error", EINTR));
  CHECK(failure_of([&] { (void)s.send("x"); }) == failure("interrupted_error", EINTR));
  stop.reset();
  CHECK(s.recv(1) == "x");
}

TEST_CASE("sendall keeps its progress when it is interrupted", "[interrupter]") {
  const fake::session session;
  interrupter stop;
  pysock::socket s;
  s.set_interrupter(stop);
  fake::on_send({fake::takes(3), fails(EAGAIN)});
  fake::on_poll({fake::wakes()});
  std::error_code ec;
  CHECK(s.sendall("0123456789", ec) == 3);
  CHECK(ec == std::errc::interrupted);
}

TEST_CASE("a call ends if poll reports the interrupter, which another process woke",
          "[interrupter]") {
  const fake::session session;
  interrupter stop;
  pysock::socket s;
  s.set_interrupter(stop);
  fake::sys::wake(stop.fileno());  // as another process does
  fake::on_recv({fails(EAGAIN)});
  CHECK(failure_of([&] { (void)s.recv(1); }) == failure("interrupted_error", EINTR));
  // Calls that start later end, too.
  CHECK(failure_of([&] { (void)s.recv(1); }) == failure("interrupted_error", EINTR));
  CHECK(fake::count("recv") == 1);
  fake::sys::clear_wake(stop.fileno());  // the other process resets it
  fake::on_recv({fake::gives("x")});
  CHECK(s.recv(1) == "x");
}

TEST_CASE("the back-off sleeps in a poll of the interrupter", "[interrupter]") {
  const fake::session session;
  interrupter stop;
  pysock::socket s;
  s.set_interrupter(stop);
  fake::on_recv({fails(EAGAIN).always()});
  fake::on_poll({fake::ready().always()});
  fake::on_pause({fake::succeeds(), fake::wakes()});
  CHECK(failure_of([&] { (void)s.recv(1); }) == failure("interrupted_error", EINTR));
  CHECK(fake::log("pause") ==
        lines{called("pause", 1, stop.fileno()), called("pause", 2, stop.fileno())});
}

TEST_CASE("MSG_DONTWAIT and a timeout of 0 do not wait with an interrupter either",
          "[interrupter]") {
  const fake::session session;
  interrupter stop;
  pysock::socket s;
  s.set_interrupter(stop);
  fake::on_recv({fails(EAGAIN).always()});
#ifdef MSG_DONTWAIT
  CHECK(failure_of([&] { (void)s.recv(1, MSG_DONTWAIT); }) == failure("blocking_io_error", EAGAIN));
#endif
  s.settimeout(0);
  CHECK(failure_of([&] { (void)s.recv(1); }) == failure("blocking_io_error", EAGAIN));
  CHECK(fake::count("poll") == 0);
}

TEST_CASE("accepted and duplicated sockets, moved ones and files carry the interrupter",
          "[interrupter]") {
  const fake::session session;
  interrupter stop;
  pysock::socket listener;
  listener.set_interrupter(stop);
  fake::on_accept({fake::succeeds()});
  pysock::socket conn = listener.accept().conn;
  pysock::socket copy = listener.dup();
  pysock::socket moved = std::move(conn);
  pysock::socket assigned(nullptr);
  pysock::socket third = moved.dup();
  assigned = std::move(third);
  pysock::file file = moved.makefile("rw");
  stop.interrupt();
  for (pysock::socket* s : {&copy, &moved, &assigned})
    CHECK(failure_of([&] { (void)s->recv(1); }) == failure("interrupted_error", EINTR));
  CHECK(failure_of([&] { (void)file.read(1); }) == failure("interrupted_error", EINTR));
  CHECK(failure_of([&] { (void)listener.accept(); }) == failure("interrupted_error", EINTR));
  CHECK(fake::count("recv") + fake::count("recv_now") == 0);
}

TEST_CASE("the hook and the interrupter both end a call that a signal interrupts",
          "[interrupter]") {
  const fake::session session;
  interrupter stop;
  pysock::socket s;
  s.set_interrupter(stop);
  const auto raise = [](void* data) noexcept {
    static_cast<interrupter*>(data)->interrupt();
    return true;
  };
  s.set_interrupt_hook(raise, &stop);
  fake::on_recv({fails(EINTR)});
  CHECK(failure_of([&] { (void)s.recv(1); }) == failure("interrupted_error", EINTR));
  CHECK(fake::count("poll") == 1);  // poll asks whether the interrupter is readable
}

TEST_CASE("a deadline applies to all later calls together", "[deadline]") {
  const fake::session session;
  pysock::socket s;
  const std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds> end(
      std::chrono::nanoseconds(fake::clock()) + 100ms);
  s.settimeout(end);
  CHECK(s.gettimeout() == pysock::seconds(0.1));
  fake::on_recv({fails(EAGAIN), fake::gives("x"), fails(EAGAIN)});
  fake::on_poll({fake::ready_after(60), fake::times_out()});
  CHECK(s.recv(1) == "x");
  CHECK(s.gettimeout() == pysock::seconds(0.04));
  CHECK(failure_of([&] { (void)s.recv(1); }) == "timeout");
  CHECK(fake::elapsed() == 100ms);
  CHECK(s.gettimeout() == 1ns);

  // The call makes one attempt and does not wait.
  fake::clear_log();
  fake::on_recv({fake::gives("y"), fails(EAGAIN)});
  CHECK(s.recv(1) == "y");
  CHECK(failure_of([&] { (void)s.recv(1); }) == "timeout");
  CHECK(fake::count("recv") == 2);
}

TEST_CASE("after a deadline has passed every call makes one attempt", "[deadline]") {
  const fake::session session;
  pysock::socket s;
  s.settimeout(std::chrono::time_point<std::chrono::steady_clock>());
  CHECK(fake::is_nonblocking(s.fileno()));
  CHECK(s.getblocking());
  fake::on_accept({fake::succeeds()});
  CHECK(s.accept().conn.fileno() >= 0);
  fake::on_send({fake::takes(1)});
  std::error_code ec;
  CHECK(s.sendall("abc", ec) == 1);
  CHECK(ec == pysock::errc::timed_out);
  pysock::file file = s.makefile("rw", 0);
  fake::on_recv_now({fake::gives("x")});
  CHECK(file.read(1) == "x");
  fake::on_send_now({fails(EAGAIN)});
  CHECK(failure_of([&] { file.write("x"); }) == "timeout");
  CHECK(fake::elapsed() == 0ms);
  CHECK(s.dup().gettimeout() == 1ns);
  CHECK(file.gettimeout() == 1ns);
}
