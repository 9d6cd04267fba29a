// SPDX-License-Identifier: MIT
#include <pysock/detail/operation.hpp>

#include <cerrno>
#include <climits>

#include "support/catch.hpp"
#include "support/fake_sys.hpp"

using namespace std::chrono_literals;
using fake::called;
using fake::event;
using fake::fails;
using fake::lines;
using pysock::detail::call_context;
using pysock::detail::complete;
using pysock::detail::deadline;
using pysock::detail::operation;
namespace sys = pysock::detail::sys;

namespace {

constexpr std::int64_t ms = 1000000;

// The result of a seam function, with its error number from last_error().
std::ptrdiff_t outcome(std::ptrdiff_t count) { return count < 0 ? -sys::last_error() : count; }

struct receiver {
  explicit receiver(std::int64_t timeout) : context{fake::adopt(), timeout, nullptr, nullptr} {}

  std::ptrdiff_t receive(int flags = 0) {
    char buffer[100];
    deadline until(context.timeout);
    operation op(context, event::read, until, flags);
    return complete(
        op, 0, [&] { return outcome(sys::recv(context.handle, buffer, sizeof buffer, flags)); },
        ec);
  }

  // `error` is that of an attempt made before.
  std::size_t send_all(std::size_t size, int error = 0) {
    const std::string data(size, 'x');
    deadline until(context.timeout);
    operation op(context, event::write, until);
    std::size_t sent = 0;
    const auto attempt = [&](std::size_t done) {
      return outcome(sys::send(context.handle, data.data() + done, data.size() - done, 0));
    };
    complete_all(op, error, data.size(), sent, attempt, ec);
    return sent;
  }

  call_context context;
  std::error_code ec;
};

std::error_code system_code(int number) { return {number, sys::category()}; }

bool go_on(void* count) noexcept {
  ++*static_cast<int*>(count);
  return true;
}
bool stop(void* count) noexcept {
  ++*static_cast<int*>(count);
  return false;
}

}  // namespace

TEST_CASE("a call with data ready is one system call, in every mode", "[operation]") {
  const fake::session session;
  for (const std::int64_t timeout : {std::int64_t{-1}, std::int64_t{0}, 500 * ms}) {
    fake::clear_log();
    receiver r(timeout);
    fake::on_recv({fake::gives("abc")});
    CHECK(r.receive() == 3);
    CHECK(fake::log() == lines{called("recv", r.context.handle, 100, 0)});
    CHECK(fake::clock_reads() == 0);
  }
}

TEST_CASE("timeout mode waits if the call would block, then tries again", "[operation]") {
  const fake::session session;
  receiver r(500 * ms);
  fake::on_recv({fails(EAGAIN), fake::gives("abc")});
  fake::on_poll({fake::ready_after(20)});
  CHECK(r.receive() == 3);
  CHECK_FALSE(r.ec);
  CHECK(fake::log() == lines{called("recv", r.context.handle, 100, 0),
                             called("poll", r.context.handle, event::read, 500),
                             called("recv", r.context.handle, 100, 0)});
  CHECK(fake::elapsed() == 20ms);
}

TEST_CASE("a timeout that expires is an error without errno", "[operation]") {
  const fake::session session;
  receiver r(500 * ms);
  fake::on_recv({fails(EAGAIN).always()});
  fake::on_poll({fake::times_out()});
  CHECK(r.receive() == -1);
  CHECK(r.ec == pysock::errc::timed_out);
  CHECK(fake::elapsed() == 500ms);
  CHECK(fake::count("recv") == 1);
}

TEST_CASE("non-blocking mode reports would-block", "[operation]") {
  const fake::session session;
  receiver r(0);
  fake::on_recv({fails(EAGAIN)});
  CHECK(r.receive() == -1);
  CHECK(r.ec == system_code(EAGAIN));
  CHECK(fake::count("poll") == 0);
}

TEST_CASE("blocking mode waits also if the descriptor is non-blocking", "[operation]") {
  const fake::session session;
  receiver r(-1);
  fake::on_recv({fails(EAGAIN), fake::gives("x")});
  fake::on_poll({fake::ready_after(60000)});
  CHECK(r.receive() == 1);
  CHECK(fake::log("poll") == lines{called("poll", r.context.handle, event::read, -1)});
  CHECK(fake::clock_reads() == 0);
}

TEST_CASE("blocking mode reports would-block of SO_RCVTIMEO and SO_SNDTIMEO", "[operation]") {
  const fake::session session;
  receiver r(-1);
  const timeval limit{1, 0};
  const std::string bytes(reinterpret_cast<const char*>(&limit), sizeof limit);
  fake::on_recv({fails(EAGAIN)});
  fake::on_send({fails(EAGAIN)});
  fake::on_getsockopt({fake::gives(bytes), fake::gives(bytes)});
  CHECK(r.receive() == -1);
  CHECK(r.ec == system_code(EAGAIN));
  CHECK(r.send_all(10) == 0);
  CHECK(r.ec == system_code(EAGAIN));
  CHECK(fake::log("getsockopt") ==
        lines{called("getsockopt", r.context.handle, SOL_SOCKET, SO_RCVTIMEO),
              called("getsockopt", r.context.handle, SOL_SOCKET, SO_SNDTIMEO)});
  CHECK(fake::count("poll") == 0);
}

TEST_CASE("blocking mode waits after would-block if SO_RCVTIMEO cannot be read", "[operation]") {
  const fake::session session;
  receiver r(-1);
  fake::on_recv({fails(EAGAIN), fake::gives("x")});
  fake::on_getsockopt({fails(ENOTSOCK)});
  CHECK(r.receive() == 1);
  CHECK(fake::count("poll") == 1);
}

TEST_CASE("blocking mode reports would-block of urgent data", "[operation]") {
  const fake::session session;
  receiver r(-1);
  fake::on_recv({fails(EAGAIN)});
  CHECK(r.receive(MSG_OOB) == -1);
  CHECK(r.ec == system_code(EAGAIN));
}

#ifdef MSG_DONTWAIT
TEST_CASE("MSG_DONTWAIT reports would-block in every mode", "[operation]") {
  const fake::session session;
  for (const std::int64_t timeout : {std::int64_t{-1}, std::int64_t{0}, 500 * ms}) {
    receiver r(timeout);
    fake::on_recv({fails(EAGAIN)});
    CHECK(r.receive(MSG_DONTWAIT) == -1);
    CHECK(r.ec == system_code(EAGAIN));
  }
  CHECK(fake::count("poll") == 0);
}
#endif

TEST_CASE("after false readiness the call waits again with the same deadline", "[operation]") {
  const fake::session session;
  receiver r(500 * ms);
  fake::on_recv({fails(EAGAIN), fails(EAGAIN), fails(EAGAIN), fake::gives("x")});
  fake::on_poll({fake::ready_after(200), fake::ready_after(200), fake::ready_after(50)});
  CHECK(r.receive() == 1);
  // After the second false readiness in a row the call pauses for a millisecond.
  CHECK(fake::log("poll") == lines{called("poll", r.context.handle, event::read, 500),
                                   called("poll", r.context.handle, event::read, 300),
                                   called("poll", r.context.handle, event::read, 99)});

  fake::reset();
  receiver late(500 * ms);
  fake::on_recv({fails(EAGAIN).always()});
  fake::on_poll({fake::ready_after(300), fake::ready_after(100), fake::times_out()});
  CHECK(late.receive() == -1);
  CHECK(late.ec == pysock::errc::timed_out);
  CHECK(fake::elapsed() == 500ms);
}

TEST_CASE("false readiness ends at the deadline, with pauses in between", "[operation]") {
  const fake::session session;
  receiver r(100 * ms);
  fake::on_recv({fails(EAGAIN).always()});
  fake::on_poll({fake::ready().always()});
  CHECK(r.receive() == -1);
  CHECK(r.ec == pysock::errc::timed_out);
  CHECK(fake::elapsed() == 100ms);
  const lines pauses = fake::log("pause");
  REQUIRE(pauses.size() == 13);
  const int first[] = {1, 2, 4, 8, 10, 10};
  for (std::size_t i = 0; i < std::size(first); ++i) CHECK(pauses[i] == called("pause", first[i]));
  CHECK(pauses.back() == called("pause", 5));  // not beyond the deadline
  CHECK(fake::count("poll") == 15);
}

TEST_CASE("a signal that ends a pause calls the hook", "[operation]") {
  const fake::session session;
  int asked = 0;
  receiver r(100 * ms);
  r.context.hook = stop;
  r.context.hook_data = &asked;
  fake::on_recv({fails(EAGAIN).always()});
  fake::on_poll({fake::ready().always()});
  fake::on_pause({fails(EINTR)});
  CHECK(r.receive() == -1);
  CHECK(r.ec == system_code(EINTR));
  CHECK(asked == 1);
}

TEST_CASE("progress resets the back-off", "[operation]") {
  const fake::session session;
  receiver r(500 * ms);
  fake::on_send(
      {fails(EAGAIN), fails(EAGAIN), fake::takes(1), fails(EAGAIN), fails(EAGAIN), fake::takes(1)});
  fake::on_poll({fake::ready().always()});
  CHECK(r.send_all(2) == 2);
  CHECK(fake::count("pause") == 0);
}

TEST_CASE("signals never extend a deadline", "[operation]") {
  const fake::session session;
  receiver r(400 * ms);
  fake::on_recv({fails(EAGAIN).always()});
  fake::on_poll(
      {fails(EINTR).after(50), fails(EINTR).after(50), fails(EINTR).after(250), fake::times_out()});
  CHECK(r.receive() == -1);
  CHECK(r.ec == pysock::errc::timed_out);
  CHECK(fake::elapsed() == 400ms);
  CHECK(fake::log("poll").back() == called("poll", r.context.handle, event::read, 50));
}

TEST_CASE("an attempt that fails after the deadline ends the call", "[operation]") {
  const fake::session session;
  for (const int late : {EAGAIN, EINTR}) {
    receiver r(100 * ms);
    fake::on_recv({fails(EAGAIN), fails(late).after(150)});
    fake::on_poll({fake::ready()});
    CHECK(r.receive() == -1);
    CHECK(r.ec == pysock::errc::timed_out);
  }
  CHECK(fake::problems() == lines{called("still open", 1000), called("still open", 1001)});
}

TEST_CASE("data that becomes ready at the deadline is returned", "[operation]") {
  const fake::session session;
  receiver r(100 * ms);
  fake::on_recv({fails(EAGAIN), fake::gives("x")});
  fake::on_poll({fake::ready_after(100)});
  CHECK(r.receive() == 1);
}

TEST_CASE("endless signals do not extend the deadline", "[operation]") {
  const fake::session session;
  receiver waiting(100 * ms);
  fake::on_recv({fails(EAGAIN)});
  fake::on_poll({fails(EINTR).after(1).always()});
  CHECK(waiting.receive() == -1);
  CHECK(waiting.ec == pysock::errc::timed_out);
  CHECK(fake::elapsed() == 100ms);

  fake::reset();
  receiver calling(100 * ms);
  fake::on_recv({fails(EINTR).after(1).always()});
  CHECK(calling.receive() == -1);
  CHECK(calling.ec == pysock::errc::timed_out);
  CHECK(fake::elapsed() == 101ms);  // the time starts with the first failure
}

TEST_CASE("a wait that succeeds after poll has returned early leaves no error", "[operation]") {
  const fake::session session;
  const std::int64_t timeout = GENERATE(std::int64_t{0}, 500 * ms);
  CAPTURE(timeout);
  const call_context context{fake::adopt(), timeout, nullptr, nullptr};
  deadline until(timeout);
  operation op(context, event::read, until);
  std::error_code ec;
  if (timeout == 0) {
    fake::on_poll({fails(EINTR), fake::ready()});
  } else {
    fake::on_poll({fails(EINTR), fake::times_out().after(5), fake::ready()});
  }
  CHECK(op.wait_until_ready(ec));
  CHECK_FALSE(ec);
  CHECK(fake::all_consumed());
}

TEST_CASE("a wait with a timeout of 0 times out if poll reports nothing", "[operation]") {
  const fake::session session;
  const call_context context{fake::adopt(), 0, nullptr, nullptr};
  deadline until(0);
  operation op(context, event::read, until);
  std::error_code ec;
  fake::on_poll({fails(EINTR), fake::times_out()});
  CHECK_FALSE(op.wait_until_ready(ec));
  CHECK(ec == pysock::errc::timed_out);
  CHECK(fake::log("poll") == lines{called("poll", context.handle, event::read, 0),
                                   called("poll", context.handle, event::read, 0)});
}

TEST_CASE("an interrupted call is repeated", "[operation]") {
  const fake::session session;
  for (const std::int64_t timeout : {std::int64_t{0}, std::int64_t{-1}, 500 * ms}) {
    receiver r(timeout);
    fake::on_recv({fails(EINTR), fails(EINTR), fake::gives("abc")});
    CHECK(r.receive() == 3);
    CHECK(fake::count("poll") == 0);
  }
}

TEST_CASE("the interrupt hook decides whether a call continues", "[operation]") {
  const fake::session session;
  int asked = 0;
  receiver r(-1);
  r.context.hook = go_on;
  r.context.hook_data = &asked;
  fake::on_recv({fails(EINTR), fails(EINTR), fake::gives("abc")});
  CHECK(r.receive() == 3);
  CHECK(asked == 2);

  r.context.hook = stop;
  fake::on_recv({fails(EINTR)});
  CHECK(r.receive() == -1);
  CHECK(r.ec == system_code(EINTR));
  CHECK(asked == 3);
}

TEST_CASE("a signal during a wait calls the hook", "[operation]") {
  const fake::session session;
  int asked = 0;
  receiver r(500 * ms);
  r.context.hook = stop;
  r.context.hook_data = &asked;
  fake::on_recv({fails(EAGAIN)});
  fake::on_poll({fails(EINTR).after(10)});
  CHECK(r.receive() == -1);
  CHECK(r.ec == system_code(EINTR));
  CHECK(asked == 1);
}

TEST_CASE("any other failure ends the call at once", "[operation]") {
  const fake::session session;
  receiver r(500 * ms);
  fake::on_recv({fails(ECONNRESET)});
  CHECK(r.receive() == -1);
  CHECK(r.ec == system_code(ECONNRESET));

  fake::on_recv({fails(EAGAIN)});
  fake::on_poll({fails(ENOMEM)});
  CHECK(r.receive() == -1);
  CHECK(r.ec == system_code(ENOMEM));
}

TEST_CASE("a tiny timeout waits a millisecond, a huge one waits in several polls", "[operation]") {
  const fake::session session;
  receiver tiny(1);
  fake::on_recv({fails(EAGAIN)});
  fake::on_poll({fake::times_out()});
  CHECK(tiny.receive() == -1);
  CHECK(tiny.ec == pysock::errc::timed_out);
  CHECK(fake::log("poll") == lines{called("poll", tiny.context.handle, event::read, 1)});

  fake::reset();
  receiver huge((std::int64_t{INT_MAX} + 1000) * ms);
  fake::on_recv({fails(EAGAIN)});
  fake::on_poll({fake::times_out(), fake::times_out()});
  CHECK(huge.receive() == -1);
  CHECK(huge.ec == pysock::errc::timed_out);
  CHECK(fake::log("poll") == lines{called("poll", huge.context.handle, event::read, INT_MAX),
                                   called("poll", huge.context.handle, event::read, 1000)});
}

TEST_CASE("sending all has one deadline for all data", "[operation]") {
  const fake::session session;
  receiver r(500 * ms);
  fake::on_send({fake::takes(10), fails(EAGAIN), fake::takes(10), fails(EAGAIN), fake::takes(10),
                 fails(EAGAIN)});
  fake::on_poll({fake::ready_after(200), fake::ready_after(200), fake::times_out()});
  CHECK(r.send_all(100) == 30);
  CHECK(r.ec == pysock::errc::timed_out);
  CHECK(fake::elapsed() == 500ms);
  CHECK(fake::log("poll").back() == called("poll", r.context.handle, event::write, 100));
}

TEST_CASE("endless progress does not extend the deadline", "[operation]") {
  const fake::session session;
  receiver r(500 * ms);
  fake::on_send({fake::takes(1), fake::takes(1).after(300), fake::takes(1).after(300)});
  CHECK(r.send_all(100) == 3);
  CHECK(r.ec == pysock::errc::timed_out);
}

TEST_CASE("sending all continues after short writes and signals, and counts the bytes",
          "[operation]") {
  const fake::session session;
  receiver r(-1);
  fake::on_send({fake::takes(10), fails(EINTR), fake::takes(20), fake::takes(70)});
  CHECK(r.send_all(100) == 100);
  CHECK_FALSE(r.ec);
  CHECK(fake::sent() == std::string(100, 'x'));

  fake::on_send({fake::takes(10), fails(EPIPE)});
  CHECK(r.send_all(100) == 10);
  CHECK(r.ec == system_code(EPIPE));

  receiver nonblocking(0);
  fake::on_send({fake::takes(10), fails(EAGAIN)});
  CHECK(nonblocking.send_all(100) == 10);
  CHECK(nonblocking.ec == system_code(EAGAIN));
}

TEST_CASE("sending all waits only where an attempt would have blocked", "[operation]") {
  const fake::session session;
  receiver r(500 * ms);
  fake::on_poll({fake::ready_after(20)});
  fake::on_send({fake::takes(10), fake::takes(0), fake::takes(90)});
  CHECK(r.send_all(100, EAGAIN) == 100);
  CHECK_FALSE(r.ec);
  CHECK(fake::log("poll") == lines{called("poll", r.context.handle, event::write, 500)});
}

TEST_CASE("a short write calls the hook, and reports its progress", "[operation]") {
  const fake::session session;
  int asked = 0;
  receiver r(-1);
  r.context.hook = stop;
  r.context.hook_data = &asked;
  fake::on_send({fake::takes(10)});
  CHECK(r.send_all(100) == 10);
  CHECK(r.ec == system_code(EINTR));
  CHECK(asked == 1);
}

namespace {

struct connector {
  explicit connector(std::int64_t timeout) : context{fake::adopt(), timeout, nullptr, nullptr} {}

  std::error_code connect(const fake::socket_address& to = fake::inet({127, 0, 0, 1}, 9)) {
    std::error_code ec = pysock::errc::timed_out;
    deadline until(context.timeout);
    operation op(context, event::connect, until);
    pysock::detail::connect(op, context.handle, {to.data(), to.size()}, ec);
    return ec;
  }

  call_context context;
};

}  // namespace

TEST_CASE("connect succeeds at once", "[operation]") {
  const fake::session session;
  for (const std::int64_t timeout : {std::int64_t{-1}, std::int64_t{0}, 500 * ms}) {
    connector c(timeout);
    CHECK_FALSE(c.connect());
  }
  CHECK(fake::count("poll") == 0);
}

TEST_CASE("connect in timeout mode: one connect, one poll, one SO_ERROR", "[operation]") {
  const fake::session session;
  connector c(500 * ms);
  fake::on_connect({fails(EINPROGRESS)});
  fake::on_poll({fake::ready_after(20)});
  fake::on_getsockopt({fake::sets(0)});
  CHECK_FALSE(c.connect());
  CHECK(fake::log() == lines{called("connect", c.context.handle, fake::inet({127, 0, 0, 1}, 9)),
                             called("poll", c.context.handle, event::connect, 500),
                             called("getsockopt", c.context.handle, SOL_SOCKET, SO_ERROR)});
}

TEST_CASE("connect reports its failure at once, or the outcome in SO_ERROR", "[operation]") {
  const fake::session session;
  connector c(500 * ms);
  fake::on_connect({fails(EPERM)});  // as a firewall has it
  CHECK(c.connect() == system_code(EPERM));
  fake::on_connect({fails(EINPROGRESS), fails(EINPROGRESS), fails(EINPROGRESS)});
  fake::on_poll({fake::ready(), fake::ready(), fake::ready()});
  fake::on_getsockopt({fake::sets(ECONNREFUSED), fake::sets(EISCONN), fails(ENOBUFS)});
  CHECK(c.connect() == system_code(ECONNREFUSED));
  CHECK_FALSE(c.connect());
  CHECK(c.connect() == system_code(ENOBUFS));
}

TEST_CASE("connect: the timeout expires", "[operation]") {
  const fake::session session;
  connector c(500 * ms);
  fake::on_connect({fails(EINPROGRESS)});
  fake::on_poll({fails(EINTR).after(200), fake::times_out()});
  CHECK(c.connect() == pysock::errc::timed_out);
  CHECK(fake::elapsed() == 500ms);
  CHECK(fake::count("connect") == 1);
  CHECK(fake::count("getsockopt") == 0);
}

TEST_CASE("an interrupted connect waits and is not called again", "[operation]") {
  const fake::session session;
  connector blocking(-1);
  fake::on_connect({fails(EINTR)});
  fake::on_poll({fails(EINTR).after(10), fake::ready_after(5000)});
  fake::on_getsockopt({fake::sets(0)});
  CHECK_FALSE(blocking.connect());
  CHECK(fake::count("connect") == 1);
  CHECK(fake::log("poll").front() == called("poll", blocking.context.handle, event::connect, -1));

  fake::reset();
  connector timed(500 * ms);
  fake::on_connect({fails(EINTR)});
  fake::on_poll({fake::ready()});
  fake::on_getsockopt({fake::sets(ECONNREFUSED)});
  CHECK(timed.connect() == system_code(ECONNREFUSED));
  CHECK(fake::count("connect") == 1);

  fake::reset();
  connector nonblocking(0);
  fake::on_connect({fails(EINTR)});
  CHECK(nonblocking.connect() == system_code(EINTR));
  CHECK(fake::count("poll") == 0);
}

TEST_CASE("an interrupted AF_UNIX connect, which the system cancels, is called again",
          "[operation]") {
  const fake::session session;
  for (const std::int64_t timeout : {std::int64_t{-1}, std::int64_t{0}, 500 * ms}) {
    fake::clear_log();
    connector c(timeout);
    fake::on_connect({fails(EINTR), fails(EINTR), fake::succeeds()});
    CHECK_FALSE(c.connect(fake::unix_path("/tmp/s")));
    CHECK(fake::count("connect") == 3);
    CHECK(fake::count("poll") == 0);

    fake::on_connect({fails(EINTR), fails(EISCONN), fails(EISCONN)});
    CHECK_FALSE(c.connect(fake::unix_path("/tmp/s")));
    CHECK(c.connect(fake::unix_path("/tmp/s")) == system_code(EISCONN));
  }
}

TEST_CASE("an AF_UNIX connect to a full queue is repeated until the deadline", "[operation]") {
  const fake::session session;
  connector c(100 * ms);
  fake::on_connect({fails(EAGAIN), fails(EAGAIN), fails(EAGAIN), fake::succeeds()});
  CHECK_FALSE(c.connect(fake::unix_path("/tmp/s")));

  fake::reset();
  connector late(100 * ms);
  fake::on_connect({fails(EAGAIN).always()});
  CHECK(late.connect(fake::unix_path("/tmp/s")) == pysock::errc::timed_out);
  CHECK(fake::elapsed() == 100ms);
  CHECK(fake::count("connect") < 20);

  connector nonblocking(0);
  CHECK(nonblocking.connect(fake::unix_path("/tmp/s")) == system_code(EAGAIN));
}

TEST_CASE("an AF_UNIX connect that goes on in the background is waited for", "[operation]") {
  const fake::session session;
  connector c(100 * ms);
  fake::on_connect({fails(EINPROGRESS), fails(EINPROGRESS)});
  fake::on_poll({fake::ready_after(20), fake::ready_after(20)});
  fake::on_getsockopt({fake::sets(0), fake::sets(ECONNREFUSED)});
  CHECK_FALSE(c.connect(fake::unix_path("/tmp/s")));
  CHECK(fake::count("connect") == 1);
  CHECK(c.connect(fake::unix_path("/tmp/s")) == system_code(ECONNREFUSED));
  CHECK(fake::count("connect") == 2);
}

TEST_CASE("a blocking connect on a non-blocking descriptor waits", "[operation]") {
  const fake::session session;
  connector c(-1);
  fake::on_connect({fails(EINPROGRESS)});
  fake::on_poll({fake::ready_after(5000)});
  CHECK_FALSE(c.connect());
  CHECK(fake::log("poll") == lines{called("poll", c.context.handle, event::connect, -1)});
}

TEST_CASE("the hook can end an interrupted connect", "[operation]") {
  const fake::session session;
  int asked = 0;
  connector c(-1);
  c.context.hook = stop;
  c.context.hook_data = &asked;
  fake::on_connect({fails(EINTR)});
  CHECK(c.connect() == system_code(EINTR));
  CHECK(asked == 1);
  CHECK(fake::count("poll") == 0);
}

TEST_CASE("connect in non-blocking mode reports that it is in progress", "[operation]") {
  const fake::session session;
  connector c(0);
  fake::on_connect({fails(EINPROGRESS), fails(EALREADY), fails(EISCONN)});
  CHECK(c.connect() == system_code(EINPROGRESS));
  CHECK(c.connect() == system_code(EALREADY));
  CHECK(c.connect() == system_code(EISCONN));
  CHECK(fake::count("poll") == 0);
}

TEST_CASE("a blocking connect that the kernel times out keeps its errno", "[operation]") {
  const fake::session session;
  connector c(-1);
  fake::on_connect({fails(ETIMEDOUT)});
  CHECK(c.connect() == system_code(ETIMEDOUT));
}

// ---- prediction ----

namespace {

using pysock::detail::wait_prediction;

// Simulates receives in timeout mode. `receive` returns the number of system calls.
struct predicted {
  int receive(bool ready) {
    const bool polls_first = prediction.poll_first();
    const bool waits = !polls_first && !ready;
    prediction = prediction.after(polls_first, waits);
    return waits ? 3 : polls_first ? 2 : 1;
  }

  wait_prediction prediction;
};

}  // namespace

TEST_CASE("receives that never wait never poll first", "[operation]") {
  predicted p;
  for (int i = 0; i < 100; ++i) CHECK(p.receive(true) == 1);
  CHECK_FALSE(p.prediction.is_active());
}

TEST_CASE("of receives that always wait, one in sixteen tries before it polls", "[operation]") {
  predicted p;
  int calls = 0;
  for (int i = 0; i < 1600; ++i) calls += p.receive(false);
  CHECK(calls <= 1600 * 2 + 101);
}

TEST_CASE("alternating receives that wait and do not wait are predicted", "[operation]") {
  predicted p;
  int calls = 0;
  for (int i = 0; i < 1600; ++i) calls += p.receive(false) + p.receive(true);
  CHECK(calls <= 1600 * 3 + 101);
}

TEST_CASE("a thousand ready receives after one that waited poll at most 70 times", "[operation]") {
  for (const int waits : {1, 2, 100}) {
    predicted p;
    for (int i = 0; i < waits; ++i) p.receive(false);
    int polls = 0;
    for (int i = 0; i < 1000; ++i) polls += p.receive(true) - 1;
    CHECK(polls <= 70);
    CHECK_FALSE(p.prediction.is_active());
  }
}
