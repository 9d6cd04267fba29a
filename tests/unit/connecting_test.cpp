// SPDX-License-Identifier: MIT
// create_connection: races of addresses, deadlines, interrupters, AF_UNIX paths.
#include <pysock/create.hpp>

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
using pysock::address;
using pysock::connection_options;
using pysock::create_connection;
using pysock::create_server;
using pysock::server_options;

namespace {

fake::socket_address inet(unsigned char last) { return fake::inet({10, 0, 0, last}, 0); }
fake::socket_address inet6(unsigned char last) {
  return fake::inet6({0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last}, 0);
}

// An instant on the fake's clock.
auto in(std::chrono::nanoseconds time) {
  return std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>(
      std::chrono::nanoseconds(fake::clock()) + time);
}

connection_options racing() { return connection_options().happy_eyeballs_delay(0.25); }

// The addresses that were tried, in order.
lines tried() {
  lines all;
  for (const std::string& line : fake::log("connect"))
    all.push_back(line.substr(line.find(", ") + 2, line.size() - line.find(", ") - 3));
  return all;
}

constexpr fake::handle first = 1000;

}  // namespace

TEST_CASE(
    "happy_eyeballs_delay starts the next attempt after the delay and keeps the first connection",
    "[create_connection]") {
  const fake::session session;
  fake::on_getaddrinfo({fake::resolves({inet(1), inet(2), inet(3)})});
  fake::on_connect({fails(EINPROGRESS).always()});
  fake::on_wait_poll_set({fake::times_out(), fake::ready({first + 1}).after(100)});
  {
    const pysock::socket s = create_connection({"h", 80}, 5, racing());
    CHECK(s.fileno() == first + 1);
    CHECK(s.gettimeout() == pysock::seconds(5));
    CHECK(fake::is_nonblocking(s.fileno()));
    CHECK(fake::closed() == std::vector<fake::handle>{first});
    CHECK(fake::elapsed() == 350ms);
  }
  CHECK(tried() == lines{"10.0.0.1:80", "10.0.0.2:80"});
  CHECK(fake::log("wait_poll_set") ==
        lines{called("wait_poll_set", 250), called("wait_poll_set", 250)});
  CHECK(fake::problems() == lines{});
}

TEST_CASE("a refused address starts the next at once", "[create_connection]") {
  const fake::session session;
  fake::on_getaddrinfo({fake::resolves({inet(1), inet(2), inet(3)})});
  fake::on_connect({fails(ECONNREFUSED), fails(EINPROGRESS), fails(EINPROGRESS)});
  fake::on_wait_poll_set({fake::ready({first + 1}).after(10), fake::ready({first + 2}).after(10)});
  fake::on_getsockopt({fake::sets(ECONNREFUSED), fake::sets(0)});
  {
    const pysock::socket s = create_connection({"h", 80}, std::nullopt, racing());
    CHECK(s.fileno() == first + 2);
    CHECK(fake::elapsed() == 20ms);
    CHECK_FALSE(fake::is_nonblocking(s.fileno()));
    CHECK_FALSE(s.gettimeout().has_value());
  }
  CHECK(fake::problems() == lines{});
}

TEST_CASE("no other address is tried after one that connects at once", "[create_connection]") {
  const fake::session session;
  fake::on_getaddrinfo({fake::resolves({inet(1), inet(2)})});
  {
    const pysock::socket s = create_connection({"h", 80}, 5, racing());
    CHECK(tried() == lines{"10.0.0.1:80"});
  }
  CHECK(fake::problems() == lines{});
}

TEST_CASE("a parallel attempt goes on after a signal has interrupted its connect",
          "[create_connection]") {
  const fake::session session;
  fake::on_getaddrinfo({fake::resolves({inet(1), inet(2)})});
  fake::on_connect({fails(EINTR), fails(ECONNREFUSED)});
  fake::on_wait_poll_set({fake::times_out(), fake::ready({first}).after(10)});
  {
    const pysock::socket s = create_connection({"h", 80}, 5, racing());
    CHECK(s.fileno() == first);
    CHECK(fake::elapsed() == 260ms);
  }
  CHECK(tried() == lines{"10.0.0.1:80", "10.0.0.2:80"});
  CHECK(fake::problems() == lines{});
}

TEST_CASE("without a timeout parallel attempts wait until one is connected",
          "[create_connection]") {
  const fake::session session;
  fake::on_getaddrinfo({fake::resolves({inet(1), inet(2)})});
  fake::on_connect({fails(EINPROGRESS).always()});
  fake::on_wait_poll_set({fake::times_out(), fake::ready({first}).after(10min)});
  fake::on_getsockopt({fake::sets(EISCONN)});  // it has asked for the outcome before
  {
    const pysock::socket s = create_connection({"h", 80}, std::nullopt, racing());
    CHECK(s.fileno() == first);
    CHECK(fake::closed() == std::vector<fake::handle>{first + 1});
    CHECK(fake::elapsed() == 10min + 250ms);
  }
  CHECK(fake::problems() == lines{});
}

TEST_CASE("if all parallel attempts fail, the last failure or all are thrown",
          "[create_connection]") {
  for (const bool all : {false, true}) {
    const fake::session session;
    fake::on_getaddrinfo({fake::resolves({inet(1), inet(2)})});
    fake::on_connect({fails(EINPROGRESS).always()});
    fake::on_wait_poll_set(
        {fake::times_out(), fake::ready({first + 1}).after(10), fake::times_out().always()});
    fake::on_getsockopt({fake::sets(ECONNREFUSED)});
    try {
      (void)create_connection({"h", 80}, 2, racing().all_errors(all));
      FAIL("not thrown");
    } catch (const pysock::error_group& e) {
      CHECK(all);
      REQUIRE(e.exceptions().size() == 2);
      CHECK(e.exceptions()[0].code() == std::errc::connection_refused);
      CHECK(e.exceptions()[1].code() == pysock::errc::timed_out);
    } catch (const pysock::timeout& e) {
      CHECK_FALSE(all);
      CHECK(std::string(e.what()) ==
            "create_connection ('h', 80): connect ('10.0.0.1', 80): timed out");
    }
    CHECK(fake::elapsed() == 2s);
    CHECK(fake::problems() == lines{});
  }
}

TEST_CASE("parallel attempts leak nothing, whichever call fails", "[create_connection]") {
  const int calls = fake::fail_each_call(EIO, [] {
    fake::on_getaddrinfo({fake::resolves({inet(1), inet(2)})});
    fake::on_connect({fails(EINPROGRESS).always()});
    fake::on_wait_poll_set({fake::times_out(), fake::ready({first})});
    (void)failure_of([] { (void)create_connection({"h", 80}, 2, racing()); });
    for (const std::string& problem : fake::problems()) CHECK(problem.find("left") != problem.npos);
  });
  CHECK(calls > 10);
}

TEST_CASE("interleave alternates the families", "[create_connection]") {
  const std::vector<fake::socket_address> found = {inet6(1), inet6(2), inet6(3), inet(1), inet(2)};
  const auto order = [&found](const connection_options& options) {
    const fake::session session;
    fake::on_getaddrinfo({fake::resolves(found)});
    fake::on_connect({fails(ECONNREFUSED).always()});
    (void)failure_of([&] { (void)create_connection({"h", 80}, 5, options); });
    std::string all;
    for (const std::string& one : tried()) {
      all += one[0] == '[' ? 'a' : 'b';
      all += one[one.size() - (one[0] == '[' ? 5 : 4)];
    }
    return all;
  };
  CHECK(order(connection_options()) == "a1a2a3b1b2");
  CHECK(order(connection_options().interleave(0)) == "a1a2a3b1b2");
  CHECK(order(connection_options().interleave(1)) == "a1b1a2b2a3");
  CHECK(order(connection_options().interleave(2)) == "a1a2b1a3b2");
  CHECK(order(connection_options().interleave(9)) == "a1a2a3b1b2");
  CHECK(order(racing()) == "a1b1a2b2a3");
  CHECK(order(racing().interleave(0)) == "a1a2a3b1b2");
  CHECK_THROWS_AS(connection_options().interleave(-1), std::invalid_argument);
  CHECK_THROWS_AS(connection_options().happy_eyeballs_delay(std::chrono::steady_clock::now()),
                  std::invalid_argument);
  CHECK_FALSE(connection_options().happy_eyeballs_delay().has_value());
  CHECK(racing().happy_eyeballs_delay() == pysock::seconds(0.25));
}

TEST_CASE("the delay has no effect in non-blocking mode", "[create_connection]") {
  const fake::session session;
  fake::on_getaddrinfo({fake::resolves({inet(1), inet(2)})});
  fake::on_connect({fails(EINPROGRESS).always()});
  CHECK(failure_of([] {
          (void)create_connection({"h", 80}, 0, racing());
        }) == failure("blocking_io_error", EINPROGRESS));
  CHECK(fake::count("wait_poll_set") == 0);
}

TEST_CASE("one deadline applies to the lookup and all addresses", "[create_connection][deadline]") {
  for (const bool races : {false, true}) {
    const fake::session session;
    fake::on_getaddrinfo({fake::resolves({inet(1), inet(2), inet(3)}).after(600)});
    fake::on_connect({fails(EINPROGRESS).always()});
    if (races)
      fake::on_wait_poll_set({fake::times_out().always()});
    else
      fake::on_poll({fake::times_out()});
    const auto options = races ? racing() : connection_options();
    CHECK(failure_of([&] { (void)create_connection({"h", 80}, in(1s), options); }) == "timeout");
    CHECK(fake::elapsed() == 1s);
    CHECK(tried().size() == (races ? 2U : 1U));
    CHECK(fake::count("run_detached") == 1);
  }
  const fake::session session;
  const pysock::socket s = create_connection({"127.0.0.1", 80}, in(1s));
  CHECK(s.gettimeout() == 1s);
  CHECK(fake::count("run_detached") == 0);
}

TEST_CASE("an interrupter ends lookup and attempts, and the socket uses it",
          "[create_connection][interrupter]") {
  for (const bool races : {false, true}) {
    const fake::session session;
    pysock::interrupter stop;
    auto options = races ? racing() : connection_options();
    options.interrupter(stop);
    const auto connecting = [&options] { return create_connection({"h", 80}, 5, options); };
    stop.interrupt();
    CHECK(failure_of([&] { (void)connecting(); }) == failure("interrupted_error", EINTR));
    CHECK(fake::count("connect") == 0);
    stop.reset();

    if (races) continue;  // the tests on real sockets interrupt a race while it waits
    fake::on_getaddrinfo({fake::resolves({inet(1), inet(2)})});
    fake::on_connect({fails(EINPROGRESS).always()});
    fake::on_poll({fake::wakes()});
    CHECK(failure_of([&] { (void)connecting(); }) == failure("interrupted_error", EINTR));
    CHECK(fake::count("connect") == 1);
    CHECK(fake::open_count() == 1);
  }
  const fake::session session;
  pysock::interrupter stop;
  fake::on_getaddrinfo({fake::resolves({inet(1), inet(2)})});
  pysock::socket s = create_connection({"h", 80}, std::nullopt, racing().interrupter(stop));
  CHECK(fake::is_nonblocking(s.fileno()));
  stop.interrupt();
  CHECK(failure_of([&] { (void)s.recv(1); }) == failure("interrupted_error", EINTR));
}

TEST_CASE("a connection without a timeout is non-blocking if it has an interrupter",
          "[create_connection][interrupter]") {
  const fake::session session;
  pysock::interrupter stop;
  fake::on_connect({fails(EINPROGRESS)});
  fake::on_poll({fake::ready_after(20)});
  const pysock::socket s =
      create_connection({"10.0.0.1", 80}, std::nullopt, connection_options().interrupter(stop));
  CHECK(fake::log("socket") ==
        lines{called("socket", AF_INET, SOCK_STREAM, int{IPPROTO_TCP}, true)});
  CHECK(fake::log("poll") == lines{called("poll", s.fileno(), event::connect, -1, stop.fileno())});
  CHECK_FALSE(s.gettimeout().has_value());
}

TEST_CASE("a path is an AF_UNIX connection and an AF_UNIX server", "[create_connection]") {
  const fake::session session;
  {
    const pysock::socket s = create_connection("/tmp/s", 5);
    CHECK(s.family() == AF_UNIX);
    CHECK(fake::log("connect") == lines{called("connect", s.fileno(), "unix:/tmp/s")});
    CHECK(fake::count("getaddrinfo") == 0);
    CHECK(create_connection(address("/tmp/s")).family() == AF_UNIX);
    CHECK(create_connection(std::string("/tmp/s")).family() == AF_UNIX);
    CHECK(pysock::host_port("/tmp/s").unix_path() == address("/tmp/s"));
    CHECK_FALSE(pysock::host_port("h", 80).unix_path());
    CHECK(pysock::host_port("/tmp/s").to_string() == address("/tmp/s").to_string());
    const pysock::socket server = create_server("/tmp/s");
    CHECK(server.family() == AF_UNIX);
    CHECK(fake::log("bind") == lines{called("bind", server.fileno(), "unix:/tmp/s")});
  }
  CHECK(fake::problems() == lines{});
}

TEST_CASE("a server uses the family of its address", "[create_server]") {
  const fake::session session;
  CHECK(create_server({"::1", 0}).family() == AF_INET6);
  CHECK(create_server({"::1", 0, 0, 2}).family() == AF_INET6);
  CHECK(create_server({"127.0.0.1", 0}).family() == AF_INET);
  CHECK(create_server({"", 0}).family() == AF_INET);
  CHECK(create_server({"name", 0}).family() == AF_INET);
  CHECK(create_server({"", 0}, server_options().family(AF_INET6)).family() == AF_INET6);
  CHECK(create_server({"::", 0}, server_options().dualstack_ipv6(true)).family() == AF_INET6);
  CHECK(server_options().family() == AF_UNSPEC);
}
