// SPDX-License-Identifier: MIT
#include <pysock/socket.hpp>

#include <cerrno>

#include "support/catch.hpp"
#include "support/failure.hpp"
#include "support/fake_sys.hpp"

using namespace std::chrono_literals;
using namespace test_support;
using fake::called;
using fake::event;
using fake::fails;
using fake::lines;

TEST_CASE("recv_exactly receives several pieces", "[recv_exactly]") {
  const fake::session session;
  pysock::socket s;
  fake::on_recv({fake::gives("ab"), fake::gives("cde"), fake::gives("fgh")});
  CHECK(s.recv_exactly(6) == "abcdef");
  CHECK(s.recv_exactly(2) == "gh");
  CHECK(fake::unused() == lines{});
  fake::clear_log();
  CHECK(s.recv_exactly(0).empty());
  CHECK(fake::log() == lines{});
}

TEST_CASE("recv_exactly allocates as data arrives", "[recv_exactly]") {
  const fake::session session;
  pysock::socket s;
  const std::string data(100000, 'x');
  fake::on_recv({fake::gives(data)});
  CHECK(s.recv_exactly(100000) == data);
  CHECK(fake::log("recv") ==
        lines{called("recv", s.fileno(), 65536, 0), called("recv", s.fileno(), 100000 - 65536, 0)});
  CHECK_THROWS_AS(s.recv_exactly(static_cast<std::size_t>(-1)), std::invalid_argument);
}

TEST_CASE("the end of the stream is incomplete_read_error with the received bytes",
          "[recv_exactly]") {
  const fake::session session;
  pysock::socket s;
  fake::on_recv({fake::gives(std::string("a\0b", 3)), fake::gives("")});
  try {
    (void)s.recv_exactly(10);
    FAIL("not thrown");
  } catch (const pysock::incomplete_read_error& e) {
    const pysock::incomplete_read_error copy = e;
    pysock::incomplete_read_error other("x", "", 1);
    other = copy;
    CHECK(other.partial() == std::string("a\0b", 3));
    CHECK(e.expected() == 10);
    CHECK(e.transferred() == 3);
    CHECK(e.code() == pysock::errc::incomplete_read);
    CHECK_FALSE(e.errnum().has_value());
    CHECK(e.what() == std::string("recv_exactly (3 of 10 bytes): "
                                  "the stream ended before all the bytes had come"));
  }
}

TEST_CASE("recv_exactly_into keeps the received bytes on every failure", "[recv_exactly]") {
  const fake::session session;
  pysock::socket s;
  s.settimeout(100ms);
  char buffer[8] = {};
  fake::on_recv_now({fake::gives("abc"), fails(EAGAIN), fake::gives("de"), fails(EAGAIN)});
  fake::on_poll({fake::ready_after(60), fake::times_out()});
  std::error_code ec;
  CHECK(s.recv_exactly_into(buffer, ec) == 5);
  CHECK(ec == pysock::errc::timed_out);
  CHECK(std::string(buffer, 5) == "abcde");
  CHECK(fake::elapsed() == 100ms);

  fake::on_recv_now({fake::gives("abc"), fails(ECONNRESET)});
  try {
    s.recv_exactly_into(buffer);
    FAIL("not thrown");
  } catch (const pysock::connection_reset_error& e) {
    CHECK(e.transferred() == 3);
  }
  fake::on_recv_now({fake::gives("12345678")});
  CHECK(s.recv_exactly_into(buffer) == 8);
}

TEST_CASE("close_gracefully sends the end, drops the rest and closes", "[close_gracefully]") {
  const fake::session session;
  pysock::socket s;
  const auto handle = s.fileno();
  fake::on_recv_now({fake::gives("rest"), fails(EAGAIN), fake::gives("")});
  CHECK(s.close_gracefully(1));
  CHECK(fake::log("shutdown") == lines{called("shutdown", handle, SHUT_WR)});
  CHECK(fake::closed() == std::vector{handle});
  CHECK_FALSE(s);
  CHECK_FALSE(s.close_gracefully(1));
  CHECK(fake::problems() == lines{});
}

TEST_CASE("close_gracefully gives up after its timeout, its limit and a failure",
          "[close_gracefully]") {
  const fake::session session;
  pysock::socket s;
  fake::on_recv_now({fails(EAGAIN).always()});
  fake::on_poll({fake::times_out()});
  CHECK_FALSE(s.close_gracefully(100ms));
  CHECK(fake::elapsed() == 100ms);
  {
    const fake::session slow;
    pysock::socket other;
    fake::on_recv_now({fake::gives("x").after(60).always()});
    CHECK_FALSE(other.close_gracefully(100ms));
    CHECK(fake::elapsed() == 180ms);  // the time starts after the first attempt
    CHECK(fake::count("recv_now") == 3);
    CHECK_FALSE(other);
  }
  {
    const fake::session endless;
    pysock::socket other;
    fake::on_recv_now({fake::gives(std::string(4096, 'x')).always()});
    CHECK_FALSE(other.close_gracefully(1, 10 * 4096));
    CHECK(fake::count("recv_now") == 11);
  }
  {
    const fake::session reset;
    pysock::socket other;
    fake::on_recv_now({fails(ECONNRESET)});
    CHECK_FALSE(other.close_gracefully(1));
    pysock::socket unconnected;
    fake::on_shutdown({fails(ENOTCONN)});
    CHECK_FALSE(unconnected.close_gracefully(1));
    CHECK(fake::count("close") == 2);
  }
  {
    const fake::session interrupted;
    pysock::interrupter stop;
    pysock::socket other;
    other.set_interrupter(stop);
    stop.interrupt();
    CHECK_FALSE(other.close_gracefully(1));
    CHECK_FALSE(other);
  }
}

TEST_CASE("shutdown, close, bind and listen report error codes", "[error_code]") {
  const fake::session session;
  pysock::socket s;
  std::error_code ec = pysock::errc::timed_out;
  s.bind({"127.0.0.1", 1}, ec);
  CHECK_FALSE(ec);
  s.listen(5, ec);
  CHECK_FALSE(ec);
  s.shutdown(SHUT_RD, ec);
  CHECK_FALSE(ec);
  fake::on_bind({fails(EADDRINUSE)});
  s.bind({"127.0.0.1", 1}, ec);
  CHECK(ec == std::errc::address_in_use);
  s.bind("/path", ec);
  CHECK(ec == pysock::bad_argument::address_form);
  fake::on_listen({fails(EINVAL)});
  s.listen(5, ec);
  CHECK(ec == std::errc::invalid_argument);
  fake::on_shutdown({fails(ENOTCONN)});
  s.shutdown(SHUT_RD, ec);
  CHECK(ec == std::errc::not_connected);
  fake::on_close({fails(EBADF)});
  s.close(ec);
  CHECK(ec == std::errc::bad_file_descriptor);
  CHECK_FALSE(s);
  s.close(ec);
  CHECK_FALSE(ec);
}

TEST_CASE("wait_readable and wait_writable wait at most their timeout", "[wait_readable]") {
  const fake::session session;
  pysock::socket s;
  CHECK(s.wait_readable(1));
  CHECK(s.wait_writable(std::nullopt));
  fake::on_poll({fake::times_out(), fake::times_out(), fake::ready_after(20),
                 fails(EINTR).after(30), fake::ready_after(50)});
  CHECK_FALSE(s.wait_readable(0));
  CHECK(fake::elapsed() == 0ms);
  CHECK_FALSE(s.wait_readable(100ms));
  CHECK(fake::elapsed() == 100ms);
  CHECK(s.wait_writable(100ms));
  CHECK(s.wait_readable(100ms));
  CHECK(fake::elapsed() == 200ms);
  fake::on_poll({fails(ENOMEM)});
  std::error_code ec;
  CHECK_FALSE(s.wait_readable(1, ec));
  CHECK(ec == std::errc::not_enough_memory);
  s.close();
  CHECK(failure_of([&] { (void)s.wait_readable(1); }) == failure("error", EBADF));
  CHECK(failure_of([&] { (void)s.wait_writable(1); }) == failure("error", EBADF));
}
