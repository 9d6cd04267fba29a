// SPDX-License-Identifier: MIT
#include <pysock/detail/call.hpp>

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
using pysock::detail::wait_loop;
namespace sys = pysock::detail::sys;

namespace {

constexpr std::int64_t ms = 1000000;

struct receiver {
  explicit receiver(std::int64_t timeout)
      : context{fake::adopt(), timeout, nullptr, nullptr, false} {}

  // As a socket does it: tried, then completed.
  std::ptrdiff_t receive() {
    char room[100];
    const auto op = [&] { return sys::recv(context.handle, room, sizeof room, 0); };
    const std::ptrdiff_t first = op();
    if (first >= 0) {
      ec.clear();
      return first;
    }
    wait_loop loop(context, event::read);
    return complete(loop, true, op, ec);
  }

  std::size_t send_all(std::size_t size) {
    const std::string data(size, 'x');
    const auto op = [&](std::size_t sent) {
      return sys::send(context.handle, data.data() + sent, data.size() - sent, 0);
    };
    return complete_all(context, op(0), data.size(), op, ec);
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

TEST_CASE("data that is there costs one call, in every mode", "[S128]") {
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

TEST_CASE("timeout mode waits for what is not there, then tries again", "[S128]") {
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

TEST_CASE("a timeout that expires is an error without errno", "[S23][S128]") {
  const fake::session session;
  receiver r(500 * ms);
  fake::on_recv({fails(EAGAIN).always()});
  fake::on_poll({fake::times_out()});
  CHECK(r.receive() == -1);
  CHECK(r.ec == pysock::errc::timed_out);
  CHECK(fake::elapsed() == 500ms);
  CHECK(fake::count("recv") == 1);
}

TEST_CASE("non-blocking and blocking mode report would-block as it is", "[S122][S128]") {
  const fake::session session;
  for (const std::int64_t timeout : {std::int64_t{0}, std::int64_t{-1}}) {
    receiver r(timeout);
    fake::on_recv({fails(EAGAIN)});
    CHECK(r.receive() == -1);
    CHECK(r.ec == system_code(EAGAIN));
    CHECK(fake::count("poll") == 0);
  }
}

TEST_CASE("false readiness goes back to waiting with the same deadline", "[M51]") {
  const fake::session session;
  receiver r(500 * ms);
  fake::on_recv({fails(EAGAIN), fails(EAGAIN), fails(EAGAIN), fake::gives("x")});
  fake::on_poll({fake::ready_after(200), fake::ready_after(200), fake::ready_after(50)});
  CHECK(r.receive() == 1);
  CHECK(fake::log("poll") == lines{called("poll", r.context.handle, event::read, 500),
                                   called("poll", r.context.handle, event::read, 300),
                                   called("poll", r.context.handle, event::read, 100)});

  fake::reset();
  receiver late(500 * ms);
  fake::on_recv({fails(EAGAIN).always()});
  fake::on_poll({fake::ready_after(300), fake::ready_after(100), fake::times_out()});
  CHECK(late.receive() == -1);
  CHECK(late.ec == pysock::errc::timed_out);
  CHECK(fake::elapsed() == 500ms);
}

TEST_CASE("signals never extend a deadline", "[M49][M51]") {
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

TEST_CASE("once the deadline has passed nothing is waited for", "[M49]") {
  const fake::session session;
  receiver r(100 * ms);
  fake::on_recv({fails(EAGAIN), fails(EINTR).after(150), fails(EAGAIN).always()});
  fake::on_poll({fake::ready(), fake::times_out()});
  CHECK(r.receive() == -1);
  CHECK(r.ec == pysock::errc::timed_out);
  CHECK(fake::log("poll").back() == called("poll", r.context.handle, event::read, 0));
}

TEST_CASE("data that is ready beats a deadline that has passed", "[M49]") {
  const fake::session session;
  receiver r(100 * ms);
  fake::on_recv({fails(EAGAIN), fails(EAGAIN).after(150), fake::gives("x")});
  fake::on_poll({fake::ready(), fake::ready()});
  CHECK(r.receive() == 1);
  CHECK(fake::log("poll").back() == called("poll", r.context.handle, event::read, 0));
}

TEST_CASE("an interrupted call is repeated", "[M49]") {
  const fake::session session;
  for (const std::int64_t timeout : {std::int64_t{0}, std::int64_t{-1}, 500 * ms}) {
    receiver r(timeout);
    fake::on_recv({fails(EINTR), fails(EINTR), fake::gives("abc")});
    CHECK(r.receive() == 3);
    CHECK(fake::count("poll") == 0);
  }
}

TEST_CASE("the interrupt hook decides whether a call goes on", "[M49]") {
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

TEST_CASE("the hook is asked while waiting too", "[M49]") {
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

TEST_CASE("any other failure ends the call at once", "[S16]") {
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

TEST_CASE("a tiny timeout waits a millisecond, a huge one in pieces", "[S124][M51]") {
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

TEST_CASE("a call that waits always does so without a timeout too", "[S131]") {
  const fake::session session;
  receiver r(-1);
  r.context.waits_always = true;
  fake::on_recv({fails(EAGAIN), fake::gives("x")});
  fake::on_poll({fake::ready_after(60000)});
  CHECK(r.receive() == 1);
  CHECK(fake::log("poll") == lines{called("poll", r.context.handle, event::read, -1)});
  CHECK(fake::clock_reads() == 0);

  receiver never(0);
  never.context.waits_always = true;
  fake::on_recv({fails(EAGAIN)});
  CHECK(never.receive() == -1);
  CHECK(never.ec == system_code(EAGAIN));
}

TEST_CASE("sending all has one deadline for the whole", "[S120][M48]") {
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

TEST_CASE("progress without end does not outlive the deadline", "[M48]") {
  const fake::session session;
  receiver r(500 * ms);
  fake::on_send({fake::takes(1), fake::takes(1).after(300), fake::takes(1).after(300)});
  CHECK(r.send_all(100) == 3);
  CHECK(r.ec == pysock::errc::timed_out);
}

TEST_CASE("sending all goes on after short writes and signals, and keeps count", "[S120]") {
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

TEST_CASE("a short write asks the hook, and keeps its progress", "[M49]") {
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
  explicit connector(std::int64_t timeout)
      : context{fake::adopt(), timeout, nullptr, nullptr, false} {}

  std::error_code connect(const fake::socket_address& to = fake::inet({127, 0, 0, 1}, 9)) {
    std::error_code ec = pysock::errc::timed_out;
    pysock::detail::connect(context, {to.data(), to.size()}, ec);
    return ec;
  }

  call_context context;
};

}  // namespace

TEST_CASE("connect: at once", "[S100]") {
  const fake::session session;
  for (const std::int64_t timeout : {std::int64_t{-1}, std::int64_t{0}, 500 * ms}) {
    connector c(timeout);
    CHECK_FALSE(c.connect());
  }
  CHECK(fake::count("poll") == 0);
}

TEST_CASE("connect in timeout mode: one connect, one poll, one look at the outcome", "[S133]") {
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

TEST_CASE("connect reports the outcome that the system kept", "[S100][S133]") {
  const fake::session session;
  connector c(500 * ms);
  fake::on_connect({fails(EINPROGRESS), fails(EINPROGRESS), fails(EINPROGRESS)});
  fake::on_poll({fake::ready(), fake::ready(), fake::ready()});
  fake::on_getsockopt({fake::sets(ECONNREFUSED), fake::sets(EISCONN), fails(ENOBUFS)});
  CHECK(c.connect() == system_code(ECONNREFUSED));
  CHECK_FALSE(c.connect());
  CHECK(c.connect() == system_code(ENOBUFS));
}

TEST_CASE("connect: the timeout expires", "[S133]") {
  const fake::session session;
  connector c(500 * ms);
  fake::on_connect({fails(EINPROGRESS)});
  fake::on_poll({fails(EINTR).after(200), fake::times_out()});
  CHECK(c.connect() == pysock::errc::timed_out);
  CHECK(fake::elapsed() == 500ms);
  CHECK(fake::count("connect") == 1);
  CHECK(fake::count("getsockopt") == 0);
}

TEST_CASE("an interrupted connect is waited for, never called again", "[M50]") {
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

TEST_CASE("an interrupted AF_UNIX connect that came to nothing is not taken for a connection",
          "[M50]") {
  const fake::session session;
  connector c(-1);
  fake::on_connect({fails(EINTR), fails(EINTR)});
  fake::on_getsockopt({fake::sets(0), fake::sets(0)});
  fake::on_getpeername({fails(ENOTCONN), fake::gives(fake::unix_path("/tmp/s"))});
  CHECK(c.connect(fake::unix_path("/tmp/s")) == system_code(EINTR));
  CHECK_FALSE(c.connect(fake::unix_path("/tmp/s")));
}

TEST_CASE("the hook can end an interrupted connect", "[M50]") {
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

TEST_CASE("connect in non-blocking mode reports what is going on", "[S102]") {
  const fake::session session;
  connector c(0);
  fake::on_connect({fails(EINPROGRESS), fails(EALREADY), fails(EISCONN)});
  CHECK(c.connect() == system_code(EINPROGRESS));
  CHECK(c.connect() == system_code(EALREADY));
  CHECK(c.connect() == system_code(EISCONN));
  CHECK(fake::count("poll") == 0);
}

TEST_CASE("a blocking connect that the kernel times out keeps its errno", "[S23]") {
  const fake::session session;
  connector c(-1);
  fake::on_connect({fails(ETIMEDOUT)});
  CHECK(c.connect() == system_code(ETIMEDOUT));
}
