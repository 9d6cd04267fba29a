// SPDX-License-Identifier: MIT
#include <pysock/create.hpp>

#include "support/catch.hpp"
#include "support/sockets.hpp"
#include "support/temporary_directory.hpp"

using namespace std::chrono_literals;
using pysock::address;
using pysock::connection_options;
using pysock::create_connection;
using pysock::create_server;
using pysock::server_options;
using pysock::SocketType;
using pysock::use_default_timeout;

namespace {

int port_of(const SocketType& s) { return s.getsockname().port(); }

// Whether data arrive in both directions.
bool talk(SocketType& a, SocketType& b) {
  a.sendall("ping");
  const std::string ping = b.recv(10);
  b.sendall("pong");
  return ping == "ping" && a.recv(10) == "pong";
}

// A server whose queue is full: further connections hang.
struct full_server {
  full_server() {
    server.bind({"127.0.0.1", 0});
    server.listen(0);
    for (int i = 0; i < 2; ++i) {
      waiting[i].setblocking(false);
      (void)waiting[i].connect_ex(server.getsockname());
    }
  }
  SocketType server;
  SocketType waiting[2];
};

}  // namespace

TEST_CASE("create_connection connects to a host and port") {
  SocketType server = create_server({"127.0.0.1", 0});
  SocketType client = create_connection({"127.0.0.1", port_of(server)}, 10);
  auto [conn, peer] = server.accept();
  CHECK(peer == client.getsockname());
  CHECK(talk(client, conn));
  CHECK(client.gettimeout() == pysock::seconds(10));
  CHECK_FALSE(client.get_inheritable());
  CHECK_FALSE(server.get_inheritable());
}

TEST_CASE("create_connection tries the second address if the first refuses") {
  if (!test_support::host_has_ipv6()) SKIP_TEST("there is no IPv6 here");
  const auto found =
      pysock::getaddrinfo(std::nullopt, 80, 0, SOCK_STREAM);  // this machine: both loopbacks
  REQUIRE(found.size() == 2);
  const SocketType server =
      create_server({found[1].sockaddr.host(), 0}, server_options().family(found[1].family));
  const SocketType client = create_connection({std::nullopt, port_of(server)}, 10);
  CHECK(client.getpeername() == server.getsockname());
}

TEST_CASE("a timeout limits an attempt without an answer") {
  const full_server full;
  const test_support::stopwatch watch;
  CHECK_THROWS_AS(create_connection({"127.0.0.1", port_of(full.server)}, 200ms), pysock::timeout);
  CHECK(watch.seconds() >= 0.2);
}

TEST_CASE("a timeout of 0 starts connecting and reports it") {
  const full_server full;
  CHECK_THROWS_AS(create_connection({"127.0.0.1", port_of(full.server)}, 0),
                  pysock::blocking_io_error);
}

TEST_CASE("create_connection to a port without a listener is refused") {
  SocketType unused;
  unused.bind({"127.0.0.1", 0});
  const int port = port_of(unused);
  CHECK_THROWS_AS(create_connection({"127.0.0.1", port}), pysock::connection_refused_error);
  try {
    (void)create_connection({"127.0.0.1", port}, use_default_timeout,
                            connection_options().all_errors(true));
    FAIL("connected");
  } catch (const pysock::error_group& e) {
    REQUIRE(e.exceptions().size() == 1);
    CHECK(e.exceptions()[0].code() == std::errc::connection_refused);
  }
}

TEST_CASE("create_connection reports an unknown host and an empty one") {
  CHECK_THROWS_AS(create_connection({"", 80}), pysock::gaierror);
  CHECK_THROWS_AS(create_connection({"no such host", 80}), pysock::gaierror);
}

TEST_CASE("the peer sees the source address") {
  SocketType server = create_server({"127.0.0.1", 0});
  const SocketType client = create_connection(
      {"127.0.0.1", port_of(server)}, 10, connection_options().source_address({"127.0.0.1", 0}));
  CHECK(server.accept().address == client.getsockname());

  const address foreign("192.0.2.1", 0);  // for documentation: no host has it
  CHECK_THROWS_AS(create_connection({"127.0.0.1", port_of(server)}, 10,
                                    connection_options().source_address(foreign)),
                  pysock::error);
}

TEST_CASE("a server can be stopped and started again at once") {
  address where;
  {
    SocketType server = create_server({"127.0.0.1", 0});
    where = server.getsockname();
    SocketType client = create_connection({"127.0.0.1", where.port()}, 10);
    SocketType conn = server.accept().conn;
    conn.shutdown(SHUT_WR);  // the side that ends a connection first enters TIME_WAIT
    CHECK(client.recv(1).empty());
  }
  CHECK(create_server(where).getsockname() == where);
}

TEST_CASE("two servers do not share a port unless both ask for it") {
  const SocketType server = create_server({"127.0.0.1", 0});
  const address where = server.getsockname();
  try {
    (void)create_server(where);
    FAIL("shared");
  } catch (const pysock::error& e) {
    CHECK(e.code() == std::errc::address_in_use);
    CHECK(std::string(e.what()).find(where.to_string()) != std::string::npos);
  }
#ifdef SO_REUSEPORT
  CHECK_THROWS_AS(create_server(where, server_options().reuse_port(true)), pysock::error);
  const SocketType sharing = create_server({"127.0.0.1", 0}, server_options().reuse_port(true));
  CHECK(create_server(sharing.getsockname(), server_options().reuse_port(true)).getsockname() ==
        sharing.getsockname());
#endif
}

TEST_CASE("create_server passes its backlog to listen") {
  const SocketType server = create_server({"127.0.0.1", 0}, server_options().backlog(0));
  const SocketType queued = create_connection({"127.0.0.1", port_of(server)}, 10);
  CHECK_THROWS_AS(create_connection({"127.0.0.1", port_of(server)}, 200ms), pysock::timeout);
}

TEST_CASE("an IPv6 server accepts only IPv6, unless dualstack_ipv6 is set") {
  if (!test_support::host_has_ipv6()) SKIP_TEST("there is no IPv6 here");
  const SocketType alone = create_server({"", 0}, server_options().family(AF_INET6));
  CHECK(create_connection({"::1", port_of(alone)}, 10).family() == AF_INET6);
  CHECK_THROWS_AS(create_connection({"127.0.0.1", port_of(alone)}, 10),
                  pysock::connection_refused_error);

  if (!pysock::has_dualstack_ipv6()) SKIP_TEST("no socket serves both families here");
  SocketType both = create_server({"", 0}, server_options().family(AF_INET6).dualstack_ipv6(true));
  SocketType six = create_connection({"::1", port_of(both)}, 10);
  auto first = both.accept();
  CHECK(first.address.host() == "::1");
  CHECK(talk(six, first.conn));
  SocketType four = create_connection({"127.0.0.1", port_of(both)}, 10);
  auto second = both.accept();
  CHECK(second.address == address("::ffff:127.0.0.1", port_of(four), 0, 0));
  CHECK(talk(four, second.conn));
}

TEST_CASE("has_dualstack_ipv6 tells whether the system allows IPV6_V6ONLY to be 0") {
  bool possible = true;
  try {
    SocketType(AF_INET6).setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, 0);
  } catch (const pysock::error&) {
    possible = false;
  }
  CHECK(pysock::has_dualstack_ipv6() == possible);
}

TEST_CASE("create_server and create_connection with AF_UNIX") {
  if (!test_support::why_no_unix().empty()) SKIP_TEST(test_support::why_no_unix());
  const test_support::temporary_directory folder;
  const std::string path = folder / "sock";
  SocketType server = create_server(path, server_options().family(AF_UNIX));
  SocketType client(AF_UNIX);
  client.connect(path);
  SocketType conn = server.accept().conn;
  CHECK(talk(client, conn));
}
