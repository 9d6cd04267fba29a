// SPDX-License-Identifier: MIT
// Blocking, non-blocking and timeout mode.
#include <cmath>
#include <limits>
#include <pysock/socket.hpp>

#include "support/background.hpp"
#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/failure.hpp"
#include "support/sockets.hpp"

namespace sk = pysock;
using namespace test_support;
using namespace std::chrono_literals;

TEST_CASE("a new socket blocks", "[timeout]") {
  const sk::socket s;
  CHECK(s.gettimeout() == std::nullopt);
  CHECK(s.getblocking());
  CHECK_FALSE(is_nonblocking(s.fileno()).value_or(false));
}

TEST_CASE("setblocking and settimeout set the same mode", "[timeout]") {
  sk::socket s;
  s.setblocking(false);
  CHECK(s.gettimeout() == sk::seconds(0));
  CHECK_FALSE(s.getblocking());
  CHECK(is_nonblocking(s.fileno()).value_or(true));
  s.setblocking(true);
  CHECK(s.gettimeout() == std::nullopt);
  CHECK(s.getblocking());
  CHECK_FALSE(is_nonblocking(s.fileno()).value_or(false));
  s.settimeout(0.0);
  CHECK(s.gettimeout() == sk::seconds(0));
  CHECK_FALSE(s.getblocking());
  CHECK(is_nonblocking(s.fileno()).value_or(true));
  s.settimeout(std::nullopt);
  CHECK(s.gettimeout() == std::nullopt);
  CHECK_FALSE(is_nonblocking(s.fileno()).value_or(false));
}

TEST_CASE("timeout mode makes the descriptor non-blocking, and still counts as blocking",
          "[timeout]") {
  sk::socket s;
  s.settimeout(2.5);
  CHECK(s.gettimeout() == sk::seconds(2.5));
  CHECK(s.getblocking());
  CHECK(is_nonblocking(s.fileno()).value_or(true));
  s.setblocking(true);
  CHECK(s.gettimeout() == std::nullopt);
}

TEST_CASE("settimeout takes numbers, durations and results of gettimeout", "[timeout]") {
  sk::socket s;
  s.settimeout(3);
  CHECK(s.gettimeout() == sk::seconds(3));
  s.settimeout(250ms);
  CHECK(s.gettimeout() == sk::seconds(0.25));
  s.settimeout(2min);
  CHECK(s.gettimeout() == sk::seconds(120));
  sk::socket other;
  other.settimeout(s.gettimeout());
  CHECK(other.gettimeout() == sk::seconds(120));
  s.settimeout(1e-10);  // rounded up, because 0 is another mode
  CHECK(s.gettimeout() == sk::seconds(1e-9));
  CHECK(s.getblocking());
}

TEST_CASE("invalid timeouts are rejected and change nothing", "[timeout]") {
  sk::socket s;
  s.settimeout(4);
  constexpr double infinity = std::numeric_limits<double>::infinity();
  CHECK(failure_of([&] { s.settimeout(-1); }) == "invalid_argument");
  CHECK(failure_of([&] { s.settimeout(-1e-10); }) == "invalid_argument");
  CHECK(failure_of([&] { s.settimeout(-1s); }) == "invalid_argument");
  CHECK(failure_of([&] { s.settimeout(std::nan("")); }) == "invalid_argument");
  CHECK(failure_of([&] { s.settimeout(infinity); }) == "out_of_range");
  CHECK(failure_of([&] { s.settimeout(-infinity); }) == "out_of_range");
  CHECK(failure_of([&] { s.settimeout(1e10); }) == "out_of_range");
  CHECK(failure_of([&] { s.settimeout(10000000000LL); }) == "out_of_range");
  CHECK(failure_of([] { sk::setdefaulttimeout(-1); }) == "invalid_argument");
  CHECK(s.gettimeout() == sk::seconds(4));
  s.settimeout(9e9);
  CHECK(s.gettimeout() == sk::seconds(9e9));
  CHECK(sk::getdefaulttimeout() == std::nullopt);
}

TEST_CASE("the default timeout applies to new sockets only", "[timeout]") {
  CHECK(sk::getdefaulttimeout() == std::nullopt);
  const sk::socket before;
  {
    const default_timeout_scope five(5);
    CHECK(sk::getdefaulttimeout() == sk::seconds(5));
    const sk::socket made;
    CHECK(made.gettimeout() == sk::seconds(5));
    CHECK(is_nonblocking(made.fileno()).value_or(true));
    const sk::socket adopted = sk::from_fileno(sk::socket(AF_INET).detach());
    CHECK(adopted.gettimeout() == sk::seconds(5));
    CHECK(before.gettimeout() == std::nullopt);
    CHECK(before.dup().gettimeout() == std::nullopt);
  }
  {
    const default_timeout_scope none(0);
    const sk::socket made;
    CHECK(made.gettimeout() == sk::seconds(0));
    CHECK_FALSE(made.getblocking());
    CHECK(is_nonblocking(made.fileno()).value_or(true));
  }
  CHECK(sk::socket().gettimeout() == std::nullopt);
}

TEST_CASE("in non-blocking mode every call fails at once", "[timeout]") {
  full_connection full;
  sk::socket& client = full.client;
  char buffer[10];
  sk::endpoint from;
  const std::string would_block = failure("blocking_io_error", EAGAIN);
  CHECK(failure_of([&] { return client.recv(10); }) == would_block);
  CHECK(failure_of([&] { return client.recv_into(buffer); }) == would_block);
  CHECK(failure_of([&] { return client.recvfrom(10); }) == would_block);
  CHECK(failure_of([&] { return client.recvfrom_into(buffer); }) == would_block);
  CHECK(failure_of([&] { return client.recvfrom_into(buffer, from); }) == would_block);
  CHECK(failure_of([&] { return client.send("x"); }) == would_block);
  CHECK(failure_of([&] { return client.sendall("x"); }) == would_block);
  std::error_code ec;
  CHECK(client.recv_into(buffer, ec) == 0);
  CHECK(ec == std::errc::resource_unavailable_try_again);
  CHECK(client.send("x", ec) == 0);
  CHECK(ec == std::errc::resource_unavailable_try_again);
}

TEST_CASE("in timeout mode every call fails at its timeout and not before", "[timeout]") {
  full_connection full;
  sk::socket& client = full.client;
  char buffer[10];
  sk::endpoint from;
  client.settimeout(0.04);
  const auto times_out = [](const auto& call) {
    const stopwatch watch;
    const std::string outcome = failure_of(call);
    CHECK(watch.seconds() >= 0.04);
    return outcome;
  };
  CHECK(times_out([&] { return client.recv(10); }) == "timeout");
  CHECK(times_out([&] { return client.recv_into(buffer); }) == "timeout");
  CHECK(times_out([&] { return client.recvfrom(10); }) == "timeout");
  CHECK(times_out([&] { return client.recvfrom_into(buffer); }) == "timeout");
  CHECK(times_out([&] { return client.recvfrom_into(buffer, from); }) == "timeout");
  CHECK(times_out([&] { return client.send("x"); }) == "timeout");
  CHECK(times_out([&] { return client.sendall("x"); }) == "timeout");
  std::error_code ec;
  CHECK(client.recv_into(buffer, ec) == 0);
  CHECK(ec == sk::errc::timed_out);
  CHECK(client.send("x", ec) == 0);
  CHECK(ec == sk::errc::timed_out);
}

TEST_CASE("the text of timeout names the call", "[timeout]") {
  auto [client, server] = connected();
  client.settimeout(0.001);
  try {
    (void)client.recv(1);
    FAIL("not thrown");
  } catch (const sk::timeout& e) {
    CHECK(std::string(e.what()) == "recv: timed out");
    CHECK_FALSE(e.errnum());
    CHECK(e.code() == std::errc::timed_out);
  }
}

TEST_CASE("the socket is usable after a timeout", "[timeout]") {
  auto [client, server] = connected();
  client.settimeout(0.01);
  CHECK(failure_of([&, &client = client] { return client.recv(10); }) == "timeout");
  client.settimeout(patience);
  server.sendall("late");
  CHECK(client.recv(10) == "late");
}

TEST_CASE("data that has arrived is returned however short the timeout", "[timeout]") {
  auto [client, server] = connected();
  server.sendall("ready");
  REQUIRE(wait_for(client.fileno(), POLLIN));
  client.settimeout(1ns);
  CHECK(client.recv(10) == "ready");
  CHECK(failure_of([&, &client = client] { return client.recv(10); }) == "timeout");
}

TEST_CASE("in timeout mode a call ends when data arrive", "[timeout]") {
  auto [client, server] = connected();
  client.settimeout(patience);
  background<std::string> waiting([&, &client = client] { return client.recv(10); });
  waiting.wait_until_asleep();
  CHECK_FALSE(waiting.done());
  server.sendall("now");
  CHECK(waiting.get() == "now");
}

TEST_CASE("a blocking call waits", "[timeout]") {
  auto [client, server] = connected();
  client.settimeout(std::nullopt);
  background<std::string> waiting([&, &client = client] { return client.recv(10); });
  waiting.wait_until_asleep();
  CHECK_FALSE(waiting.done());
  server.sendall("now");
  CHECK(waiting.get() == "now");
}

// Windows takes at most 256 KiB in one call.
TEST_CASE("a blocking send waits until all is sent", "[timeout]") {
  full_connection full;
  full.client.settimeout(std::nullopt);
  const std::string data(200000, 'x');
  background<std::size_t> sending([&] { return full.client.send(data); });
  sending.wait_until_asleep();
  CHECK_FALSE(sending.done());
  const std::size_t expected = full.under_way + data.size();
  CHECK(receive(full.server, expected).size() == expected);
  CHECK(sending.get() == data.size());
}

TEST_CASE("the mode of the descriptor is shared, the timeout of the object is its own",
          "[timeout][settimeout]") {
  auto [client, server] = connected();
  client.settimeout(std::nullopt);
  sk::socket copy = client.dup();
  copy.setblocking(false);
  CHECK(client.gettimeout() == std::nullopt);
  CHECK(is_nonblocking(client.fileno()).value_or(true));
  background<std::string> waiting([&, &client = client] { return client.recv(10); });
  waiting.wait_until_asleep();
  CHECK(failure_of([&] { return copy.recv(10); }) == failure("blocking_io_error", EAGAIN));
  server.sendall("late");
  CHECK(waiting.get() == "late");
}

TEST_CASE("settimeout in another thread does not disturb a call that waits", "[timeout]") {
  auto [client, server] = connected();
  client.settimeout(patience);
  background<std::string> waiting([&, &client = client] { return client.recv(10); });
  waiting.wait_until_asleep();
  client.settimeout(0.001);
  client.settimeout(2 * patience);
  server.sendall("kept");
  CHECK(waiting.get() == "kept");
}
