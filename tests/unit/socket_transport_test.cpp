// SPDX-License-Identifier: MIT
#include <pysock/detail/socket_transport.hpp>

#include <cerrno>
#include <pysock/file.hpp>
#include <string>

#include "support/catch.hpp"
#include "support/failure.hpp"
#include "support/fake_sys.hpp"
#include "support/transferred.hpp"

using namespace std::chrono_literals;
using namespace test_support;
using fake::called;
using fake::event;
using fake::fails;
using fake::gives;
using fake::lines;
using pysock::file;

namespace {

const lines none;

bool stop(void* asked) noexcept {
  ++*static_cast<int*>(asked);
  return false;
}

}  // namespace

TEST_CASE("makefile: the file has a duplicate of the descriptor", "[file]") {
  const fake::session session;
  {
    pysock::socket s;
    const auto own = s.fileno();
    file f = s.makefile("rw");
    const auto duplicate = f.fileno();
    CHECK(duplicate != own);
    CHECK_FALSE(fake::is_inheritable(duplicate));
    SECTION("the socket closes first") {
      s.close();
      CHECK(fake::is_open(duplicate));
      f.write("still");
      f.close();
      CHECK(fake::sent() == "still");
    }
    SECTION("the file closes first") {
      f.close();
      CHECK(fake::is_open(own));
      s.sendall("still");
      CHECK(fake::sent() == "still");
    }
    CHECK_FALSE(fake::is_open(duplicate));
  }
  CHECK(fake::problems() == none);
}

TEST_CASE("makefile: failures leave no descriptor open", "[file]") {
  const fake::session session;
  {
    pysock::socket s;
    fake::on_duplicate({fails(EMFILE)});
    CHECK(failure_of([&] { return s.makefile(); }) == failure("error", EMFILE));
    s.close();
    CHECK(failure_of([&] { return s.makefile(); }) == failure("error", EBADF));
    CHECK_THROWS_WITH(s.makefile(), Catch::Matchers::StartsWith("makefile: "));
  }
  CHECK(fake::problems() == none);
}

TEST_CASE("makefile: a failed close is reported and not repeated", "[file]") {
  const fake::session session;
  pysock::socket s;
  file f = s.makefile();
  fake::on_close({fails(EIO)});
  CHECK(failure_of([&] { return f.close(), 0; }) == failure("error", EIO));
  CHECK(f.closed());
  f.close();
  CHECK(fake::count("close") == 1);
}

TEST_CASE("makefile: no descriptor leaks, whichever call fails", "[file]") {
  const int calls = fake::fail_each_call(EIO, [] {
    try {
      pysock::socket s;
      s.settimeout(1);
      file f = s.makefile("rw");
      f.write("question");
      f.flush();
      fake::on_recv_now({fails(EAGAIN), gives("answer\n")});
      fake::on_poll({fake::ready_after(5)});
      const std::string answer = f.readline();
      CHECK(answer == "answer\n");
      f.close();
    } catch (const pysock::error&) {
    }
    CHECK(fake::open_count() == 0);
    CHECK(fake::errors() == none);
  });
  CHECK(calls > 6);
}

TEST_CASE("makefile: starts with the socket's timeout", "[file]") {
  const fake::session session;
  pysock::socket s;
  s.settimeout(2.5);
  file f = s.makefile();
  CHECK(f.gettimeout() == pysock::seconds(2.5));
  s.settimeout(std::nullopt);
  CHECK(f.gettimeout() == pysock::seconds(2.5));
  f.settimeout(1);
  CHECK_FALSE(s.gettimeout());
  CHECK_FALSE(fake::is_nonblocking(s.fileno()));
}

TEST_CASE("makefile: waits by its own timeout, whatever the shared mode", "[file]") {
  const fake::session session;
  pysock::socket s;
  file f = s.makefile("rw");
  const auto d = f.fileno();
  SECTION("a blocking file over a non-blocking description waits") {
    s.setblocking(false);
    fake::clear_log();
    fake::on_recv({fails(EAGAIN), fails(EAGAIN), gives("late\n")});
    fake::on_poll({fake::ready(), fake::ready_after(100000)});
    CHECK(f.readline() == "late\n");
    CHECK(fake::log("poll") ==
          lines{called("poll", d, event::read, -1), called("poll", d, event::read, -1)});
    CHECK(fake::log("recv") == lines(3, called("recv", d, 8192, 0)));
    fake::on_send({fails(EAGAIN), fake::takes(2), fails(EAGAIN)});
    fake::on_poll({fake::ready_after(100000), fake::ready_after(100000)});
    f.write("abcdef");
    f.flush();
    CHECK(fake::sent() == "abcdef");
  }
  SECTION("a file with a timeout over a blocking description times out") {
    f.settimeout(0.5);
    fake::clear_log();
    fake::on_recv_now({gives("part"), fails(EAGAIN)});
    fake::on_poll({fake::times_out()});
    CHECK(failure_of([&] { return f.readline(); }) == "timeout");
    CHECK(fake::elapsed() == 500ms);
    CHECK(fake::log() == lines{called("recv_now", d, 8192), called("recv_now", d, 8188),
                               called("poll", d, event::read, 500)});
    fake::on_recv_now({gives("ly\n")});
    CHECK(f.readline() == "partly\n");

    fake::on_send_now({fake::takes(2), fails(EAGAIN)});
    fake::on_poll({fake::times_out()});
    f.write("abcdef");
    CHECK(failure_of([&] { return !f.flush(); }) == "timeout");
    f.flush();
    CHECK(fake::sent() == "abcdef");
  }
  SECTION("a timeout of 0 never waits") {
    f.settimeout(0);
    fake::on_recv_now({gives("part"), fails(EAGAIN), gives("ly\n")});
    CHECK(transferred([&] { return f.readline(); }) == 4);
    CHECK(f.readline() == "partly\n");
    fake::on_recv_now({fails(EAGAIN)});
    CHECK(failure_of([&] { return f.readline(); }) == failure("blocking_io_error", EAGAIN));

    fake::on_send_now({fake::takes(5000), fails(EAGAIN)});
    CHECK(transferred([&] { return f.write(std::string(20000, 'x')); }) == 5000 + 8192);
    f.flush();
    CHECK(fake::sent() == std::string(5000 + 8192, 'x'));
    CHECK(fake::count("poll") == 0);
  }
  SECTION("all receives of a call have one deadline") {
    f.settimeout(1);
    fake::on_recv_now({fails(EAGAIN), gives("a"), fails(EAGAIN), gives("b"), fails(EAGAIN)});
    fake::on_poll({fake::ready_after(300), fake::ready_after(300), fake::times_out()});
    CHECK(transferred([&] { return f.readline(); }) == 2);
    CHECK(fake::elapsed() == 1s);
  }
  CHECK(fake::errors() == none);
}

TEST_CASE("makefile: a file whose receives had to wait polls first", "[file]") {
  const fake::session session;
  pysock::socket s;
  file f = s.makefile();
  f.settimeout(1);
  const auto d = f.fileno();
  fake::on_recv_now({fails(EAGAIN), gives("a\n"), fails(EAGAIN), gives("b\n"), gives("c\n")});
  fake::on_poll({fake::ready_after(10), fake::ready(), fake::ready()});
  fake::clear_log();
  for (const char* line : {"a\n", "b\n", "c\n"}) CHECK(f.readline() == line);
  const std::string receive = called("recv_now", d, 8192);
  const std::string poll = called("poll", d, event::read, 1000);
  CHECK(fake::log() == lines{receive, poll, receive, receive, poll, receive, poll, receive});
}

TEST_CASE("makefile: inherits the interrupt hook", "[file]") {
  const fake::session session;
  int asked = 0;
  pysock::socket s;
  s.settimeout(1);
  s.set_interrupt_hook(&stop, &asked);
  file f = s.makefile("rw");
  fake::on_recv_now({gives("part"), fails(EAGAIN), gives("ly\n")});
  fake::on_poll({fails(EINTR)});
  CHECK(failure_of([&] { return f.readline(); }) == failure("interrupted_error", EINTR));
  CHECK(asked == 1);
  CHECK(f.readline() == "partly\n");

  s.set_interrupt_hook(nullptr, nullptr);  // the file has its own copy
  f.write("abcdef");
  fake::on_send_now({fake::takes(2), fails(EINTR)});
  fake::on_send_now({fake::takes(4)});
  CHECK(failure_of([&] { return !f.flush(); }) == failure("interrupted_error", EINTR));
  CHECK(asked == 2);
  CHECK(fake::sent() == "ab");
}

TEST_CASE("makefile: without a hook interruptions do not extend the deadline", "[file]") {
  const fake::session session;
  pysock::socket s;
  s.settimeout(1);
  file f = s.makefile();
  fake::on_recv_now({fails(EINTR), fails(EAGAIN)});
  fake::on_poll({fails(EINTR).after(400), fails(EINTR).after(400), fake::times_out()});
  CHECK(failure_of([&] { return f.readline(); }) == "timeout");
  CHECK(fake::elapsed() == 1s);
}
