// SPDX-License-Identifier: MIT
// Constructing, adopting, duplicating, detaching, closing and printing sockets; their addresses and
// options.
#include <pysock/socket.hpp>
#include <sstream>
#include <type_traits>

#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/failure.hpp"
#include "support/native.hpp"
#include "support/raw.hpp"
#include "support/sockets.hpp"

namespace sk = pysock;
using namespace test_support;

TEST_CASE("the defaults are AF_INET, SOCK_STREAM and 0", "[socket]") {
  const sk::socket s;
  CHECK(s.family() == AF_INET);
  CHECK(s.type() == SOCK_STREAM);
  CHECK(s.proto() == 0);
  CHECK(s.getsockopt(SOL_SOCKET, SO_TYPE) == SOCK_STREAM);
  STATIC_REQUIRE(std::is_same_v<sk::SocketType, sk::socket>);
}

TEST_CASE("family, type and protocol are those given", "[socket]") {
  if (!host_has_ipv6()) SKIP_TEST("this host has no IPv6 loopback");
  const sk::socket udp(AF_INET6, SOCK_DGRAM, IPPROTO_UDP);
  CHECK(udp.family() == AF_INET6);
  CHECK(udp.type() == SOCK_DGRAM);
  CHECK(udp.proto() == IPPROTO_UDP);
  CHECK(udp.getsockopt(SOL_SOCKET, SO_TYPE) == SOCK_DGRAM);
}

TEST_CASE("has_ipv6 is true and AF_INET6 opens where the system has it", "[socket]") {
  STATIC_REQUIRE(sk::has_ipv6);
  const std::string outcome = failure_of([] { return sk::socket(AF_INET6); });
  CHECK((outcome == "none" || outcome == failure("error", EAFNOSUPPORT)));
}

TEST_CASE("the destructor closes the descriptor", "[socket]") {
  pysock::native_handle_type fd = -1;
  {
    const sk::socket s;
    fd = s.fileno();
    REQUIRE(is_open(fd));
  }
  CHECK_FALSE(is_open(fd));
}

TEST_CASE("a socket can be moved and not copied", "[socket]") {
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<sk::socket>);
  STATIC_REQUIRE_FALSE(std::is_copy_assignable_v<sk::socket>);
  STATIC_REQUIRE(std::is_nothrow_move_constructible_v<sk::socket>);

  sk::socket first(AF_INET, SOCK_DGRAM);
  first.settimeout(3);
  const auto fd = first.fileno();
  sk::socket second = std::move(first);
  CHECK(second.fileno() == fd);
  CHECK(second.type() == SOCK_DGRAM);
  CHECK(second.gettimeout() == sk::seconds(3));
  CHECK(first.fileno() == -1);
  CHECK_FALSE(first);
  CHECK(failure_of([&] { (void)first.send("x"); }) == failure("error", EBADF));

  sk::socket third;
  const auto replaced = third.fileno();
  third = std::move(second);
  CHECK_FALSE(is_open(replaced));
  CHECK(third.fileno() == fd);
  CHECK(is_open(fd));

  sk::socket& itself = third;
  third = std::move(itself);
  CHECK(third.fileno() == fd);
  CHECK(is_open(fd));
}

TEST_CASE("after close every call except readers of attributes fails with EBADF", "[socket]") {
  sk::socket s(AF_INET, SOCK_STREAM);
  s.settimeout(2.5);
  const auto fd = s.fileno();
  CHECK(fd >= 0);
  s.close();
  CHECK_FALSE(is_open(fd));
  CHECK_NOTHROW(s.close());

  const std::string bad = failure("error", EBADF);
  char buffer[4];
  sk::endpoint from;
  const sk::address somewhere("127.0.0.1", 9);
  CHECK(failure_of([&] { return s.accept(); }) == bad);
  CHECK(failure_of([&] { s.bind(somewhere); }) == bad);
  CHECK(failure_of([&] { s.connect(somewhere); }) == bad);
  CHECK(failure_of([&] { return s.dup(); }) == bad);
  CHECK(failure_of([&] { return s.get_inheritable(); }) == bad);
  CHECK(failure_of([&] { s.set_inheritable(true); }) == bad);
  CHECK(failure_of([&] { return s.getpeername(); }) == bad);
  CHECK(failure_of([&] { return s.getsockname(); }) == bad);
  CHECK(failure_of([&] { return s.getsockopt(SOL_SOCKET, SO_TYPE); }) == bad);
  CHECK(failure_of([&] { return s.getsockopt(SOL_SOCKET, SO_TYPE, 4); }) == bad);
  CHECK(failure_of([&] { return s.getsockopt<linger>(SOL_SOCKET, SO_LINGER); }) == bad);
  CHECK(failure_of([&] { s.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1); }) == bad);
  CHECK(failure_of([&] { s.listen(); }) == bad);
  CHECK(failure_of([&] { return s.recv(4); }) == bad);
  CHECK(failure_of([&] { return s.recvfrom(4); }) == bad);
  CHECK(failure_of([&] { return s.recvfrom(0); }) == bad);
  CHECK(failure_of([&] { return s.recv_into(buffer); }) == bad);
  CHECK(failure_of([&] { return s.recvfrom_into(buffer); }) == bad);
  CHECK(failure_of([&] { return s.recvfrom_into(buffer, from); }) == bad);
  CHECK(failure_of([&] { return s.send("x"); }) == bad);
  CHECK(failure_of([&] { return s.sendall("x"); }) == bad);
  CHECK(failure_of([&] { return s.sendall(""); }) == bad);
  CHECK(failure_of([&] { return s.sendto("x", somewhere); }) == bad);
  CHECK(failure_of([&] { s.setblocking(false); }) == bad);
  CHECK(failure_of([&] { s.settimeout(1); }) == bad);
  CHECK(failure_of([&] { s.shutdown(SHUT_RDWR); }) == bad);
  CHECK(s.connect_ex(somewhere) == sk::detail::sys::numbers().bad_descriptor);

  std::error_code ec;
  (void)s.accept(ec);
  CHECK(ec == std::errc::bad_file_descriptor);
  s.connect(somewhere, ec);
  CHECK(ec == std::errc::bad_file_descriptor);
  CHECK(s.recv_into(buffer, ec) == 0);
  CHECK(ec == std::errc::bad_file_descriptor);
  CHECK(s.send("x", ec) == 0);
  CHECK(ec == std::errc::bad_file_descriptor);

  CHECK(s.fileno() == -1);
  CHECK(s.detach() == -1);
  CHECK(s.gettimeout() == sk::seconds(2.5));
  CHECK(s.getblocking());
  CHECK(s.family() == AF_INET);
  CHECK(s.type() == SOCK_STREAM);
  CHECK(s.proto() == 0);
  CHECK(s.recv(0).empty());
  CHECK(failure_of([&] { return s.recv(static_cast<std::size_t>(-1)); }) == "invalid_argument");
}

TEST_CASE("close reports EBADF if the descriptor was closed elsewhere", "[socket]") {
  sk::socket s;
  sk::close(s.fileno());
  CHECK(failure_of([&] { s.close(); }) == failure("error", EBADF));
  CHECK(failure_of([&] { s.close(); }) == "none");
}

TEST_CASE("data sent before close arrives", "[socket]") {
  auto [client, server] = connected();
  client.sendall("last words");
  client.close();
  CHECK(server.recv(100) == "last words");
  CHECK(server.recv(100).empty());
}

TEST_CASE("detach releases the descriptor", "[socket]") {
  auto [client, server] = connected();
  const auto fd = client.fileno();
  CHECK(client.detach() == fd);
  CHECK(client.fileno() == -1);
  CHECK(client.detach() == -1);
  CHECK_NOTHROW(client.close());
  CHECK(is_open(fd));
  sk::socket again = sk::from_fileno(fd);
  again.sendall("still there");
  CHECK(server.recv(100) == "still there");
}

TEST_CASE("dup copies the descriptor and the timeout, but not inheritance", "[socket]") {
  auto [client, server] = connected();
  client.settimeout(7);
  client.set_inheritable(true);
  const default_timeout_scope other(3);
  sk::socket copy = client.dup();
  CHECK(copy.fileno() != client.fileno());
  CHECK(copy.family() == AF_INET);
  CHECK(copy.type() == SOCK_STREAM);
  CHECK(copy.gettimeout() == sk::seconds(7));
  CHECK_FALSE(copy.get_inheritable());
  client.close();
  copy.sendall("by the copy");
  CHECK(server.recv(100) == "by the copy");
}

TEST_CASE("from_fileno takes ownership of a descriptor and detects its type", "[socket]") {
  sk::socket original(AF_INET6, SOCK_DGRAM);
  const auto fd = original.detach();
  {
    const sk::socket adopted = sk::from_fileno(fd);
    CHECK(adopted.fileno() == fd);
    CHECK(adopted.family() == AF_INET6);
    CHECK(adopted.type() == SOCK_DGRAM);
    CHECK(adopted.proto() == IPPROTO_UDP);
  }
  CHECK_FALSE(is_open(fd));
}

TEST_CASE("from_fileno uses the given family, type and protocol unchecked", "[socket]") {
  const sk::socket adopted =
      sk::from_fileno(sk::socket(AF_INET, SOCK_STREAM).detach(), AF_UNIX, SOCK_DGRAM, 5);
  CHECK(adopted.family() == AF_UNIX);
  CHECK(adopted.type() == SOCK_DGRAM);
  CHECK(adopted.proto() == 5);
}

TEST_CASE("fromfd duplicates a descriptor and checks it", "[socket]") {
  auto [client, server] = connected();
  {
    sk::socket copy = sk::fromfd(client.fileno(), AF_INET, SOCK_STREAM);
    CHECK(copy.fileno() != client.fileno());
    CHECK(copy.proto() == 0);
    copy.sendall("one ");
  }
  client.sendall("two");
  client.close();
  CHECK(server.recv(4) == "one ");
  CHECK(server.recv(4) == "two");
}

TEST_CASE("getsockname and getpeername return the local and the remote address", "[socket]") {
  auto [client, server] = connected();
  CHECK(client.getsockname().host() == "127.0.0.1");
  CHECK(client.getsockname().port() > 0);
  CHECK(client.getsockname() == server.getpeername());
  CHECK(client.getpeername() == server.getsockname());
}

TEST_CASE("an unbound socket has the wildcard as its address, or none", "[socket]") {
  for (const int family : {AF_INET, AF_INET6}) {
    if (family == AF_INET6 && !host_has_ipv6()) SKIP_TEST("this host has no IPv6 loopback");
    const sk::socket s(family);
    CHECK(is_unbound(s));
    CHECK(failure_of([&] { return s.getpeername(); }) == failure("error", ENOTCONN));
    sockaddr_storage buffer{};
    socklen_t size = sizeof buffer;
    const bool named = ::getsockname(raw(s), reinterpret_cast<sockaddr*>(&buffer), &size) == 0;
    const std::string wildcard = family == AF_INET ? "('0.0.0.0', 0)" : "('::', 0, 0, 0)";
    CHECK(s.to_string() == "<socket.socket fd=" + std::to_string(s.fileno()) + ", family=" +
                               sk::family_name(family) + ", type=SOCK_STREAM, proto=0" +
                               (named ? ", laddr=" + wildcard : "") + ">");
  }
}

TEST_CASE("getsockopt and setsockopt take integers", "[socket]") {
  sk::socket s;
  CHECK(s.getsockopt(SOL_SOCKET, SO_REUSEADDR) == 0);
  s.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
  CHECK(s.getsockopt(SOL_SOCKET, SO_REUSEADDR) != 0);
  s.setsockopt(SOL_SOCKET, SO_KEEPALIVE, true);
  CHECK(s.getsockopt(SOL_SOCKET, SO_KEEPALIVE) != 0);
  s.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1L);
  CHECK(s.getsockopt(IPPROTO_TCP, TCP_NODELAY) != 0);
  s.setsockopt(SOL_SOCKET, SO_RCVBUF, 8192);
  CHECK(s.getsockopt(SOL_SOCKET, SO_RCVBUF) >= 8192);  // Linux doubles it
  CHECK(s.getsockopt(SOL_SOCKET, SO_LINGER) == 0);     // the first member of struct linger

  CHECK(failure_of([&] { return s.getsockopt(SOL_SOCKET, 12345); }) ==
        failure("error", ENOPROTOOPT));
  int value = 0;
  socklen_t size = sizeof value;
  const std::string no_such_level = system_says(
      [&] { return ::getsockopt(raw(s), 12345, 1, reinterpret_cast<char*>(&value), &size); });
  CHECK(no_such_level != "none");
  CHECK(failure_of([&] { return s.getsockopt(12345, 1); }) == no_such_level);
  CHECK(failure_of([&] { s.setsockopt(SOL_SOCKET, 12345, 1); }) == failure("error", ENOPROTOOPT));
  CHECK(failure_of([&] { s.setsockopt(SOL_SOCKET, SO_RCVBUF, 0x100000000LL); }) == "out_of_range");
  CHECK(failure_of([&] { s.setsockopt(SOL_SOCKET, SO_RCVBUF, 0x80000000U); }) == "out_of_range");
}

TEST_CASE("reading SO_ERROR clears it", "[socket]") {
  const std::string missing = why_so_error_stays();
  if (!missing.empty()) SKIP_TEST(missing);
  sk::socket s;
  s.setblocking(false);
  sk::socket closed_port;
  closed_port.bind({"127.0.0.1", 0});
  CHECK(s.connect_ex(closed_port.getsockname()) == pending_connect());
  REQUIRE(wait_for(s.fileno(), POLLOUT));
  CHECK(s.getsockopt(SOL_SOCKET, SO_ERROR) == native(ECONNREFUSED));
  CHECK(s.getsockopt(SOL_SOCKET, SO_ERROR) == 0);
}

TEST_CASE("getsockopt and setsockopt take bytes and structures", "[socket]") {
  sk::socket s;
  const linger wanted{1, 7};
  s.setsockopt(SOL_SOCKET, SO_LINGER, wanted);
  const auto got = s.getsockopt<linger>(SOL_SOCKET, SO_LINGER);
  CHECK(got.l_onoff == 1);
  CHECK(got.l_linger == 7);

  const linger other{1, 9};
  s.setsockopt(SOL_SOCKET, SO_LINGER, sk::const_bytes(&other, sizeof other));
  const std::string bytes = s.getsockopt(SOL_SOCKET, SO_LINGER, 100);
  REQUIRE(bytes.size() == sizeof other);
  CHECK(bytes == std::string(reinterpret_cast<const char*>(&other), sizeof other));

  for (const int buffer : {1, 5, 1024}) {  // too small and too large: the outcome is the system's
    CAPTURE(buffer);
    std::string by_system(static_cast<std::size_t>(buffer), '\0');
    auto size = static_cast<socklen_t>(buffer);
    const std::string outcome = system_says(
        [&] { return ::getsockopt(raw(s), SOL_SOCKET, SO_TYPE, by_system.data(), &size); });
    if (outcome == "none") by_system.resize(static_cast<std::size_t>(size));
    std::string seen;
    CHECK(failure_of([&] { seen = s.getsockopt(SOL_SOCKET, SO_TYPE, buffer); }) == outcome);
    if (outcome == "none") CHECK(seen == by_system);
  }
  for (const int bad : {-1, 0, 1025}) {
    CHECK(failure_of([&] { return s.getsockopt(SOL_SOCKET, SO_TYPE, bad); }) ==
          "error: getsockopt buflen out of range");
  }
  const std::string too_short =
      system_says([&] { return raw_option(s, SOL_SOCKET, SO_LINGER, 'x'); });
  CHECK(too_short != "none");
  CHECK(failure_of([&] { s.setsockopt(SOL_SOCKET, SO_LINGER, "x"); }) == too_short);
  // On some systems struct linger has the size of an int.
  const std::string an_int = system_says([&] { return raw_option(s, SOL_SOCKET, SO_LINGER, 1); });
  CHECK(failure_of([&] { s.setsockopt(SOL_SOCKET, SO_LINGER, 1); }) == an_int);
}

TEST_CASE("a new socket has the system's default options", "[socket]") {
  const sk::socket s;
  CHECK(s.getsockopt(SOL_SOCKET, SO_REUSEADDR) == 0);
  CHECK(s.getsockopt(IPPROTO_TCP, TCP_NODELAY) == 0);
  CHECK(s.getsockopt(SOL_SOCKET, SO_KEEPALIVE) == 0);
  CHECK(s.getsockopt(SOL_SOCKET, SO_BROADCAST) == 0);
}

TEST_CASE("a socket prints as in Python, with names", "[socket]") {
  auto [client, server] = connected();
  const std::string own = client.getsockname().to_string();
  const std::string peer = client.getpeername().to_string();
  std::ostringstream out;
  out << client;
  CHECK(out.str() == "<socket.socket fd=" + std::to_string(client.fileno()) +
                         ", family=AF_INET, type=SOCK_STREAM, proto=0, laddr=" + own +
                         ", raddr=" + peer + ">");
  client.close();
  CHECK(client.to_string() ==
        "<socket.socket [closed] fd=-1, family=AF_INET, type=SOCK_STREAM, proto=0>");
}

TEST_CASE("error messages name the operation and the address", "[socket]") {
  sk::socket nobody;
  nobody.bind({"127.0.0.1", 0});
  const sk::address where = nobody.getsockname();
  sk::socket s;
  try {
    s.connect(where);
    FAIL("not thrown");
  } catch (const sk::error& e) {
    CHECK(std::string(e.what()) == "connect " + where.to_string() + ": " +
                                       number_text(native(ECONNREFUSED)) + "Connection refused");
    CHECK(e.strerror() == "Connection refused");
    CHECK(e.errnum() == native(ECONNREFUSED));
    CHECK(e.code() == std::errc::connection_refused);
  }
  try {
    (void)s.getsockopt(SOL_SOCKET, SO_TYPE, 2000);
    FAIL("not thrown");
  } catch (const sk::error& e) {
    CHECK(std::string(e.what()) == "getsockopt buflen out of range");
    CHECK_FALSE(e.errnum());
  }
}
