// SPDX-License-Identifier: MIT
// getaddrinfo with a timeout. The fake runs the worker at once, or when the test asks for it.
#include <pysock/resolver.hpp>

#include <cerrno>

#include "support/catch.hpp"
#include "support/failure.hpp"
#include "support/fake_sys.hpp"

using namespace std::chrono_literals;
using namespace test_support;
using fake::called;
using fake::fails;
using fake::lines;
using pysock::getaddrinfo;

namespace {

std::size_t look_up(pysock::timeout_value timeout, const std::string& host = "host") {
  return getaddrinfo(host, 80, 0, SOCK_STREAM, 0, 0, timeout).size();
}

}  // namespace

TEST_CASE("a name is looked up by a worker within the time", "[getaddrinfo]") {
  const fake::session session;
  fake::on_getaddrinfo({fake::resolves({fake::inet({1, 2, 3, 4}, 0)})});
  const auto found = getaddrinfo("host", 80, 0, SOCK_STREAM, 0, 0, 1);
  CHECK(found.size() == 1);
  CHECK(found.front().sockaddr == pysock::address("1.2.3.4", 80));
  CHECK(fake::log() == lines{called("getaddrinfo", "host", "80", 0, SOCK_STREAM, 0, AI_NUMERICHOST),
                             called("open_wake"), called("run_detached"),
                             called("getaddrinfo", "host", "80", 0, SOCK_STREAM, 0, 0),
                             called("poll", 1000, fake::event::read, 1000)});
  CHECK(fake::problems() == lines{});
}

TEST_CASE("numeric hosts, no host and no timeout start no thread", "[getaddrinfo]") {
  const fake::session session;
  CHECK(look_up(1, "127.0.0.1") == 1);
  CHECK(look_up(0, "::1") == 1);
  CHECK(look_up(1, "10.1") == 1);  // only the system takes it for numeric
  CHECK(getaddrinfo(std::nullopt, "http", 0, SOCK_STREAM, 0, 0, 1).size() == 1);
  CHECK(getaddrinfo("127.0.0.1", "http", 0, SOCK_STREAM, 0, 0, 1).size() == 1);
  CHECK(look_up(std::nullopt) == 1);
  CHECK(failure_of([] { (void)getaddrinfo("name", 80, 0, SOCK_STREAM, 0, AI_NUMERICHOST, 1); }) ==
        failure("gaierror", EAI_NONAME));
  CHECK(fake::count("run_detached") == 0);
  CHECK(fake::problems() == lines{});
}

TEST_CASE("a late answer is freed by its worker", "[getaddrinfo]") {
  const fake::session session;
  fake::on_run_detached({fake::returns(0)});
  fake::on_poll({fake::times_out()});
  CHECK(failure_of([] { (void)look_up(100ms); }) == "timeout");
  CHECK(fake::elapsed() == 100ms);
  CHECK(fake::addrinfo_count() == 0);
  fake::run_held_thread();
  // The worker has looked the name up and freed the result, which no caller waits for.
  CHECK(fake::count("getaddrinfo") == 1);
  CHECK(fake::problems() == lines{});
}

TEST_CASE("an interrupter ends a lookup", "[getaddrinfo][interrupter]") {
  const fake::session session;
  {
    pysock::interrupter stop;
    stop.interrupt();
    const auto failing = [&stop] { (void)getaddrinfo("host", 80, 0, 0, 0, 0, std::nullopt, stop); };
    CHECK(failure_of(failing) == failure("interrupted_error", EINTR));
    CHECK(fake::count("run_detached") == 0);
    stop.reset();
    fake::on_run_detached({fake::returns(0)});
    fake::on_poll({fake::wakes()});
    CHECK(failure_of(failing) == failure("interrupted_error", EINTR));
    fake::run_held_thread();
  }
  CHECK(fake::problems() == lines{});
}

TEST_CASE("failures of the resolver, of threads and of descriptors are reported", "[getaddrinfo]") {
  const fake::session session;
  fake::on_getaddrinfo({fails(EAI_AGAIN)});
  CHECK(failure_of([] { (void)look_up(1); }) == failure("gaierror", EAI_AGAIN));
  fake::on_run_detached({fails(EAGAIN)});
  CHECK(failure_of([] { (void)look_up(1); }) == failure("blocking_io_error", EAGAIN));
  fake::on_open_wake({fails(EMFILE)});
  CHECK(failure_of([] { (void)look_up(1); }) == failure("error", EMFILE));
}

TEST_CASE("a lookup leaks nothing, whichever call fails", "[getaddrinfo]") {
  const int calls = fake::fail_each_call(EIO, [] {
    (void)failure_of([] { (void)look_up(1); });
    CHECK(fake::problems() == lines{});
  });
  CHECK(calls == 5);
}
