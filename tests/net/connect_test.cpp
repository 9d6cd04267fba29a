// SPDX-License-Identifier: MIT
// Calls that make, refuse, accept and end connections, with their timeouts.
#include <cstring>
#include <pysock/create.hpp>
#include <pysock/inet.hpp>
#include <pysock/socket.hpp>
#include <vector>

#include "support/background.hpp"
#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/failure.hpp"
#include "support/native.hpp"
#include "support/raw.hpp"
#include "support/sockets.hpp"

namespace sk = pysock;
using namespace test_support;

namespace {

// A bound socket that does not listen, so that connections to its port are refused.
sk::socket refusing() {
  sk::socket made;
  made.bind({"127.0.0.1", 0});
  return made;
}

// "the end" if recv returns no data, or fails with the same error as the system's recv.
std::string ended(sk::socket& s) {
  char buffer[1];
  const std::string by_system =
      system_says([&] { return ::recv(raw(s), buffer, sizeof buffer, MSG_PEEK); });
  std::string data;
  const std::string outcome = failure_of([&] { data = s.recv(100); });
  return outcome == by_system && data.empty() ? "the end" : outcome + " " + data;
}

int raw_connect(const sk::socket& s, const sk::address& where) {
  return ::connect(raw(s), where.data(), where.size());
}

// The error number of the first connect after a connect that has succeeded in the background. It
// is 0 on some systems.
int number_of_connecting_again(const sk::address& where) {
  sk::socket s;
  s.setblocking(false);
  (void)raw_connect(s, where);
  REQUIRE(wait_for(s.fileno(), POLLOUT));
  return raw_connect(s, where) < 0 ? sk::detail::sys::last_error() : 0;
}

}  // namespace

TEST_CASE("accept gives a new socket and the peer's address", "[connect]") {
  sk::socket listener = listening();
  sk::socket client;
  client.connect(listener.getsockname());
  auto [conn, peer] = listener.accept();
  CHECK(conn.fileno() != listener.fileno());
  CHECK(conn.family() == AF_INET);
  CHECK(conn.type() == SOCK_STREAM);
  CHECK(conn.proto() == 0);
  CHECK(peer == client.getsockname());
  CHECK(conn.getpeername() == peer);

  std::error_code ec = sk::errc::timed_out;
  sk::socket other;
  other.connect(listener.getsockname(), ec);
  CHECK_FALSE(ec);
  ec = sk::errc::timed_out;
  const auto second = listener.accept(ec);
  CHECK_FALSE(ec);
  CHECK(second.address == other.getsockname());
}

TEST_CASE("an accepted socket has the default timeout, not the listener's", "[connect]") {
  sk::socket listener = listening();
  const auto accept_one = [&listener] {
    sk::socket client;
    client.connect(listener.getsockname());
    REQUIRE(wait_for(listener.fileno(), POLLIN));
    return listener.accept().conn;
  };
  for (const sk::timeout_value value :
       {sk::timeout_value(std::nullopt), sk::timeout_value(5), sk::timeout_value(0)}) {
    listener.settimeout(value);
    const sk::socket conn = accept_one();
    CHECK(conn.gettimeout() == std::nullopt);
    CHECK_FALSE(is_nonblocking(conn.fileno()).value_or(false));
  }
  const default_timeout_scope three(3);
  listener.settimeout(std::nullopt);
  const sk::socket conn = accept_one();
  CHECK(conn.gettimeout() == sk::seconds(3));
  CHECK(is_nonblocking(conn.fileno()).value_or(true));
}

TEST_CASE("accept on a socket that does not listen fails", "[connect]") {
  sk::socket s;
  s.bind({"127.0.0.1", 0});
  CHECK(failure_of([&] { return s.accept(); }) == failure("error", EINVAL));
  sk::socket udp = bound_udp();
  udp.settimeout(std::nullopt);  // with a timeout it waits for poll() first, as Python does
  CHECK(failure_of([&] { udp.listen(); }) == failure("error", EOPNOTSUPP));
  CHECK(failure_of([&] { return udp.accept(); }) == failure("error", EOPNOTSUPP));
  std::error_code ec;
  const auto nothing = s.accept(ec);
  CHECK(ec == std::errc::invalid_argument);
  CHECK_FALSE(nothing.conn);
  CHECK_FALSE(nothing.address);
}

TEST_CASE("accept ends at its timeout, and at once in non-blocking mode", "[connect]") {
  sk::socket listener = listening();
  listener.settimeout(0.05);
  const stopwatch watch;
  CHECK(failure_of([&] { return listener.accept(); }) == "timeout");
  CHECK(watch.seconds() >= 0.05);
  listener.setblocking(false);
  CHECK(failure_of([&] { return listener.accept(); }) == failure("blocking_io_error", EAGAIN));
}

TEST_CASE("a blocking accept waits for a connection", "[connect]") {
  sk::socket listener = listening();
  listener.settimeout(std::nullopt);
  background<sk::address> waiting([&] { return listener.accept().address; });
  waiting.wait_until_asleep();
  CHECK_FALSE(waiting.done());
  sk::socket client;
  client.connect(listener.getsockname());
  CHECK(waiting.get() == client.getsockname());
}

TEST_CASE("shutdown of a listener wakes its accept, or is refused", "[connect]") {
  sk::socket listener = listening();
  listener.settimeout(std::nullopt);
  background<std::string> waiting([&] { return failure_of([&] { return listener.accept(); }); });
  waiting.wait_until_asleep();
  CHECK_FALSE(waiting.done());
  const sk::socket reference = listening();
  const std::string outcome = failure_of([&] { listener.shutdown(SHUT_RDWR); });
  CHECK(outcome == system_says([&] { return ::shutdown(raw(reference), SHUT_RDWR); }));
  if (outcome == "none") {
    CHECK(waiting.get() == failure("error", EINVAL));
    return;
  }
  sk::socket client;
  client.connect(listener.getsockname());
  CHECK(waiting.get() == "none");
}

TEST_CASE("a second bind fails", "[connect]") {
  sk::socket s;
  s.bind({"127.0.0.1", 0});
  CHECK(s.getsockname().host() == "127.0.0.1");
  CHECK(s.getsockname().port() != 0);
  CHECK(failure_of([&] { s.bind({"127.0.0.1", 0}); }) == failure("error", EINVAL));

  sk::socket other;
  CHECK(failure_of([&] { other.bind(s.getsockname()); }) == failure("error", EADDRINUSE));
  CHECK(failure_of([&] {
          other.bind({"203.0.113.1", 0});
        }) == failure("error", EADDRNOTAVAIL));  // a documentation address
}

TEST_CASE("an empty host is the wildcard", "[connect]") {
  sk::socket s;
  s.settimeout(patience);
  s.bind({"", 0});
  CHECK(s.getsockname().host() == "0.0.0.0");
  s.listen();
  sk::socket client;
  client.settimeout(patience);
  client.connect({"127.0.0.1", s.getsockname().port()});
  CHECK(s.accept().address == client.getsockname());
  sk::socket another;
  another.settimeout(patience);
  another.connect({"", s.getsockname().port()});  // Linux connects to the loopback instead
  CHECK(another.getpeername().host() == "127.0.0.1");
}

TEST_CASE("a name in an address is looked up", "[connect]") {
  sk::socket listener = listening();
  const int port = listener.getsockname().port();
  const std::string outcome = failure_of([] { return sk::gethostbyname("localhost"); });
  if (outcome != "none") SKIP_TEST("this host does not know localhost: " + outcome);
  sk::socket client;
  client.settimeout(patience);
  client.connect({"localhost", port});
  CHECK(client.getpeername() == sk::address("127.0.0.1", port));
  CHECK(listener.accept().address == client.getsockname());
}

TEST_CASE("short forms of IPv4 are passed to the resolver", "[connect]") {
  sk::socket listener = listening();
  for (const char* form : {"127.1", "0x7f.1", "0177.0.0.1", "2130706433"}) {
    CAPTURE(form);
    sk::socket client;
    client.settimeout(patience);
    client.connect({form, listener.getsockname().port()});
    CHECK(client.getpeername().host() == "127.0.0.1");
  }
}

TEST_CASE("addresses of the wrong form are refused before any system call", "[connect]") {
  sk::socket s;  // never bound: nothing below reaches the system
  CHECK(failure_of([&] { s.bind({"127.0.0.1", -1}); }) == "out_of_range");
  CHECK(failure_of([&] { s.bind({"127.0.0.1", 65536}); }) == "out_of_range");
  CHECK(failure_of([&] { s.connect({"bad host", 65536}); }) == "out_of_range");
  CHECK(failure_of([&] { s.connect({"host\0name", 80}); }) == "invalid_argument");
  CHECK(failure_of([&] { s.connect({"::1", 80}); }) == failure("gaierror", eai_wrong_family));
  CHECK(failure_of([&] { s.connect({"127.0.0.1", 80, 0, 0}); }) == "invalid_argument");
  CHECK(failure_of([&] { s.connect("/a/path"); }) == "invalid_argument");
  CHECK(failure_of([&] { s.connect(sk::address()); }) == "invalid_argument");
  for (const char* host : {" 127.0.0.1", "127.0.0.1 ", "[::1]"}) {
    CAPTURE(host);
    CHECK(failure_of([&] { s.connect({host, 80}); }) == failure("gaierror", EAI_NONAME));
    CHECK(failure_of([&] { return s.connect_ex({host, 80}); }) == failure("gaierror", EAI_NONAME));
  }
  CHECK(failure_of([&] {
          return s.connect_ex({"::1", 80});
        }) == failure("gaierror", eai_wrong_family));
  CHECK(failure_of([&] { return s.connect_ex({"127.0.0.1", 65536}); }) == "out_of_range");
  CHECK(failure_of([&] { return s.connect_ex("/a/path"); }) == "invalid_argument");
  CHECK(is_unbound(s));

  std::error_code ec;
  s.connect({"::1", 80}, ec);
  CHECK(ec == std::error_code(eai_wrong_family, sk::gai_category()));
  s.connect(sk::address(), ec);
  CHECK(ec == sk::bad_argument::address_missing);
}

TEST_CASE("an error_code overload reports its own checks, and constructing its arguments may throw",
          "[connect][error_code]") {
  sk::socket s(AF_INET, SOCK_DGRAM);
  std::error_code ec;
  s.connect("/a/path", ec);
  CHECK(ec == sk::bad_argument::address_form);
  CHECK(s.sendto("x", 0, "/a/path", ec) == 0);
  CHECK(ec == sk::bad_argument::address_form);
  CHECK(failure_of([&] {
          s.connect({"127.0.0.1", 65536}, ec);
          return 0;
        }) == "out_of_range");
  CHECK(failure_of([&] { return s.sendto("x", 0, {"127.0.0.1", 65536}, ec); }) == "out_of_range");
  CHECK(failure_of([&] {
          s.connect("/a\0path", ec);
          return 0;
        }) == "invalid_argument");
  const std::string long_path(1000, 'x');
  CHECK(failure_of([&] {
          s.connect(long_path, ec);
          return 0;
        }) == "error: AF_UNIX path too long");
}

TEST_CASE("an AF_INET socket takes an IPv4-mapped address", "[connect][bind][sendto]") {
  sk::socket server = listening();
  const int port = server.getsockname().port();
  sk::socket client;
  client.bind({"::ffff:127.0.0.1", 0});
  CHECK(client.getsockname().host() == "127.0.0.1");
  client.connect({"::ffff:127.0.0.1", port});
  CHECK(client.getpeername() == sk::address("127.0.0.1", port));
  sk::socket second;
  std::error_code ec;
  second.connect({"::FFFF:7f00:1", port, 0, 0}, ec);  // as a dual-stack server returns it
  CHECK_FALSE(ec);

  sk::socket a = bound_udp();
  sk::socket b = bound_udp();
  CHECK(a.sendto("x", {"::ffff:127.0.0.1", b.getsockname().port()}) == 1);
  CHECK(b.recvfrom(10).from == a.getsockname());

  // A flow label, a scope and other IPv6 addresses are refused: sockaddr_in cannot hold them.
  for (const sk::address& other :
       {sk::address("::ffff:127.0.0.1", port, 1), sk::address("::ffff:127.0.0.1", port, 0, 1),
        sk::address("::127.0.0.1", port), sk::address("::fffe:7f00:1", port)}) {
    CAPTURE(other.to_string());
    CHECK(failure_of([&] { sk::socket().connect(other); }) ==
          failure("gaierror", eai_wrong_family));
  }
}

TEST_CASE("a server for both families gives addresses that an AF_INET socket takes",
          "[connect][create_server]") {
  if (!sk::has_dualstack_ipv6()) SKIP_TEST("this system has no dual-stack sockets");
  sk::socket server =
      sk::create_server({"", 0}, sk::server_options().family(AF_INET6).dualstack_ipv6(true));
  sk::socket client = listening();  // the server connects back to it
  sk::socket calling;
  calling.bind({"127.0.0.1", 0});
  calling.connect({"127.0.0.1", server.getsockname().port()});
  const sk::address seen = server.accept().address;
  CHECK(seen.host() == "::ffff:127.0.0.1");
  sk::socket back;
  back.connect({seen.host(), client.getsockname().port()});
  CHECK(back.getpeername() == client.getsockname());
}

TEST_CASE("listen without bind gets a port, or is rejected", "[connect]") {
  const sk::socket reference;
  sk::socket s;
  const std::string outcome = failure_of([&] { s.listen(); });
  CHECK(outcome == system_says([&] { return ::listen(raw(reference), 1); }));
  if (outcome == "none") CHECK(s.getsockname().port() != 0);
}

TEST_CASE("listen can be repeated, with any backlog", "[connect]") {
  sk::socket s;
  s.settimeout(patience);
  s.bind({"127.0.0.1", 0});
  s.listen();
  CHECK(s.getsockname().port() != 0);
  s.listen(-5);
  s.listen(0);
  s.listen(1000000);
  sk::socket client;
  client.connect({"127.0.0.1", s.getsockname().port()});
  CHECK(s.accept().address == client.getsockname());
  const std::string connecting =
      system_says([&, to = client.getsockname()] { return raw_connect(s, to); });
  CHECK(connecting != "none");
  CHECK(failure_of([&] { s.connect(client.getsockname()); }) == connecting);
}

TEST_CASE("a negative backlog means 0, not unlimited", "[connect]") {
  sk::socket s;
  s.bind({"127.0.0.1", 0});
  s.listen(-1);
  std::vector<sk::socket> clients;
  int number = 0;
  for (int i = 0; i < 8 && number == 0; ++i) {
    clients.emplace_back();
    clients.back().settimeout(0.2);
    number = clients.back().connect_ex(s.getsockname());
  }
  CHECK((number == native(EAGAIN) ||
         number == native(ECONNREFUSED)));  // further connects hang or are refused
}

TEST_CASE("connect to a port without a listener is refused", "[connect]") {
  const sk::socket nobody = refusing();
  const sk::address where = nobody.getsockname();
  CHECK(failure_of([&] { sk::socket().connect(where); }) ==
        failure("connection_refused_error", ECONNREFUSED));
  CHECK(sk::socket().connect_ex(where) == native(ECONNREFUSED));
  sk::socket limited;
  limited.settimeout(patience);
  CHECK(failure_of([&] { limited.connect(where); }) ==
        failure("connection_refused_error", ECONNREFUSED));
  sk::socket limited_ex;
  limited_ex.settimeout(patience);
  CHECK(limited_ex.connect_ex(where) == native(ECONNREFUSED));
  std::error_code ec;
  sk::socket().connect(where, ec);
  CHECK(ec == std::errc::connection_refused);
}

TEST_CASE("connect_ex in blocking mode", "[connect]") {
  sk::socket listener = listening();
  sk::socket s;
  CHECK(s.connect_ex(listener.getsockname()) == 0);
  CHECK(s.connect_ex(listener.getsockname()) == native(EISCONN));
}

TEST_CASE("connect obeys the timeout", "[connect]") {
  const full_listener full;
  sk::socket s;
  s.settimeout(0.15);
  const stopwatch watch;
  CHECK(failure_of([&] { s.connect(full.address()); }) == "timeout");
  CHECK(watch.seconds() >= 0.15);
  // The first attempt continues, so another connect fails at once.
  s.settimeout(patience);
  CHECK(failure_of([&] { s.connect(full.address()); }) == failure("blocking_io_error", EALREADY));
  CHECK(s.connect_ex(full.address()) == native(EALREADY));

  sk::socket ex;
  ex.settimeout(0.05);
  CHECK(ex.connect_ex(full.address()) == native(EWOULDBLOCK));

  std::error_code ec;
  sk::socket quiet;
  quiet.settimeout(0.05);
  quiet.connect(full.address(), ec);
  CHECK(ec == sk::errc::timed_out);
  CHECK(ec == std::errc::timed_out);
}

TEST_CASE("an expired timeout has no error number", "[connect]") {
  const full_listener full;
  sk::socket s;
  s.settimeout(0.01);
  try {
    s.connect(full.address());
    FAIL("connected to a full listener");
  } catch (const sk::timeout& e) {
    CHECK_FALSE(e.errnum());
    CHECK(e.strerror() == "timed out");
    CHECK(std::string(e.what()) == "connect " + full.address().to_string() + ": timed out");
  }
}

TEST_CASE("connect in timeout mode succeeds, and may be repeated once on Linux", "[connect]") {
  sk::socket listener = listening();
  sk::socket s;
  s.settimeout(patience);
  s.connect(listener.getsockname());
  CHECK(listener.accept().address == s.getsockname());
  CHECK(s.connect_ex(listener.getsockname()) == number_of_connecting_again(listener.getsockname()));
  CHECK(s.connect_ex(listener.getsockname()) == native(EISCONN));
}

TEST_CASE("a non-blocking connect continues in the background", "[connect]") {
  sk::socket listener = listening();
  sk::socket s;
  s.setblocking(false);
  REQUIRE(s.connect_ex(listener.getsockname()) == pending_connect());
  REQUIRE(wait_for(s.fileno(), POLLOUT));
  CHECK(s.getsockopt(SOL_SOCKET, SO_ERROR) == 0);
  CHECK(s.connect_ex(listener.getsockname()) == number_of_connecting_again(listener.getsockname()));
  CHECK(s.connect_ex(listener.getsockname()) == native(EISCONN));

  sk::socket thrown;
  thrown.setblocking(false);
  try {
    thrown.connect(listener.getsockname());
    FAIL("connect did not fail with would-block");
  } catch (const sk::blocking_io_error& e) {
    CHECK(e.errnum() == pending_connect());
  }
}

TEST_CASE("a non-blocking connect that hangs, and one that is refused", "[connect]") {
  const full_listener full;
  sk::socket hanging;
  hanging.setblocking(false);
  REQUIRE(hanging.connect_ex(full.address()) == pending_connect());
  CHECK(hanging.connect_ex(full.address()) == native(EALREADY));

  const sk::socket nobody = refusing();
  sk::socket refused;
  refused.setblocking(false);
  REQUIRE(refused.connect_ex(nobody.getsockname()) == pending_connect());
  REQUIRE(wait_for(refused.fileno(), POLLOUT));
  CHECK(refused.getsockopt(SOL_SOCKET, SO_ERROR) == native(ECONNREFUSED));
  CHECK(refused.connect_ex(nobody.getsockname()) ==
        native(ECONNABORTED));  // Linux ends the first attempt with this
}

TEST_CASE("connecting a datagram socket sets its peer", "[connect]") {
  sk::socket a = bound_udp();
  sk::socket b = bound_udp();
  a.connect(b.getsockname());
  CHECK(a.getpeername() == b.getsockname());
  (void)a.send("to the peer");
  const auto [data, from] = b.recvfrom(100);
  CHECK(data == "to the peer");
  CHECK(from == a.getsockname());
}

TEST_CASE("an address built from a sockaddr is used unchanged", "[connect]") {
  sk::socket listener = listening();
  CHECK(failure_of([] { return sk::htons(65536); }) == "out_of_range");
  sockaddr_in native{};
  native.sin_family = AF_INET;
  native.sin_port = sk::htons(listener.getsockname().port());
  const std::string packed = sk::inet_pton(AF_INET, "127.0.0.1");
  std::memcpy(&native.sin_addr, packed.data(), packed.size());
  sk::socket client;
  client.settimeout(patience);
  client.connect(sk::endpoint(reinterpret_cast<const sockaddr*>(&native), sizeof native));
  CHECK(listener.accept().address == client.getsockname());
  CHECK(sk::inet_ntop(AF_INET, packed) == client.getpeername().host());
}

TEST_CASE("SHUT_RD ends receiving", "[connect]") {
  auto [client, server] = connected();
  server.sendall("unread");
  REQUIRE(wait_for(client.fileno(), POLLIN));
  client.shutdown(SHUT_RD);
  char buffer[100];
  const auto left = ::recv(raw(client), buffer, sizeof buffer,
                           MSG_PEEK);  // some systems drop the data that arrived before
  if (left > 0) CHECK(client.recv(100) == "unread");
  CHECK(ended(client) == "the end");
  client.sendall("still sends");
  CHECK(server.recv(100) == "still sends");
}

TEST_CASE("after SHUT_WR the peer receives the end of the stream", "[connect]") {
  auto [client, server] = connected();
  client.sendall("the end");
  client.shutdown(SHUT_WR);
  client.shutdown(SHUT_WR);
  CHECK(failure_of([&, &client = client] { (void)client.send("more"); }) ==
        failure("broken_pipe_error", EPIPE));
  CHECK(server.recv(100) == "the end");
  CHECK(server.recv(100).empty());
  CHECK(server.recv(100).empty());
  server.sendall("answer");
  CHECK(client.recv(100) == "answer");
}

TEST_CASE("SHUT_RDWR ends both directions for every duplicate", "[connect]") {
  auto [client, server] = connected();
  sk::socket copy = client.dup();
  client.shutdown(SHUT_RDWR);
  CHECK(ended(copy) == "the end");
  CHECK(failure_of([&] { (void)copy.send("x"); }) == failure("broken_pipe_error", EPIPE));
  CHECK(server.recv(100).empty());

  CHECK(failure_of([] { sk::socket().shutdown(SHUT_RDWR); }) == failure("error", ENOTCONN));
  auto [a, b] = connected();
  CHECK(failure_of([&, &a = a] { a.shutdown(3); }) == failure("error", EINVAL));
  CHECK(failure_of([&, &a = a] { a.shutdown(-1); }) == failure("error", EINVAL));
}

TEST_CASE("shutdown wakes a thread that receives", "[connect]") {
  const std::string missing = why_shutdown_wakes_nobody();
  if (!missing.empty()) SKIP_TEST(missing);
  auto [client, server] = connected();
  client.settimeout(std::nullopt);
  background<std::string> waiting([&, &client = client] { return client.recv(100); });
  waiting.wait_until_asleep();
  CHECK_FALSE(waiting.done());
  client.shutdown(SHUT_RDWR);
  CHECK(waiting.get().empty());
}
