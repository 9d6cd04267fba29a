// SPDX-License-Identifier: MIT
// What costs an allocation, and what does not.
#include <pysock/socket.hpp>

#include "support/allocations.hpp"
#include "support/background.hpp"
#include "support/catch.hpp"
#include "support/sockets.hpp"

namespace sk = pysock;
using namespace test_support;

namespace {

const auto modes = {sk::timeout_value(std::nullopt), sk::timeout_value(patience)};

}  // namespace

TEST_CASE("moving bytes allocates nothing", "[allocations][S119][S120][S115][M30][M31]") {
  CHECK(allocations_of([] {
          int* volatile kept = new int;  // which no compiler may leave out
          delete kept;
        }) == 1);

  auto [client, server] = connected();
  sk::socket a = bound_udp();
  sk::socket b = bound_udp();
  const sk::address to = b.getsockname();
  const sk::endpoint native(to.native().data, to.native().size);
  sk::endpoint from;
  std::error_code ec;
  char room[100];
  for (const sk::timeout_value& mode : modes) {
    client.settimeout(mode);
    server.settimeout(mode);
    a.settimeout(mode);
    b.settimeout(mode);
    CHECK(allocations_of([&, &client = client, &server = server] {
            (void)client.send("x");
            (void)client.send("x", ec);
            client.sendall("x");
            client.sendall("x", ec);
            for (std::size_t seen = 0; seen < 4;) seen += server.recv_into(room);
            (void)server.send("xy");
            client.recv_into(room, 1);
            client.recv_into(room, ec);
          }) == 0);
    CHECK(allocations_of([&] {
            (void)a.sendto("x", native);
            (void)a.sendto("x", 0, native, ec);
            (void)a.sendto("x", to);
            (void)a.sendto("x", 0, to, ec);
            b.recvfrom_into(room, from);
            b.recvfrom_into(room, from, 0, ec);
            b.recvfrom_into(room);
            b.recvfrom_into(room, 0, 0, ec);
          }) == 0);
    CHECK(sk::address(from) == a.getsockname());
  }
}

TEST_CASE("waiting allocates nothing", "[allocations][S128]") {
  auto [client, server] = connected();
  for (const sk::timeout_value& mode : modes) {
    client.settimeout(mode);
    background<std::size_t> receiving([&client = client] {
      char room[100];
      return allocations_of([&] { client.recv_into(room); });
    });
    receiving.wait_until_asleep();
    (void)server.send("x");
    CHECK(receiving.get() == 0);
  }
  full_connection full;
  full.client.settimeout(patience);
  background<std::size_t> sending(
      [&] { return allocations_of([&] { (void)full.client.send("x"); }); });
  sending.wait_until_asleep();
  while (!sending.done()) {
    if (wait_for(full.server.fileno(), POLLIN, 10)) (void)full.server.recv(10000);
  }
  CHECK(sending.get() == 0);
}

TEST_CASE("failing by error_code allocates nothing", "[allocations][S128][S102]") {
  auto [client, server] = connected();
  sk::socket listener = listening();
  sk::socket nobody;
  nobody.bind({"127.0.0.1", 0});
  const sk::address nowhere = nobody.getsockname();
  sk::socket refused;
  std::error_code ec;
  char room[10];
  client.setblocking(false);
  listener.setblocking(false);
  CHECK(allocations_of([&, &client = client] { client.recv_into(room, ec); }) == 0);
  CHECK(ec == std::errc::resource_unavailable_try_again);
  CHECK(allocations_of([&] { (void)listener.accept(ec); }) == 0);
  CHECK(ec == std::errc::resource_unavailable_try_again);
  CHECK(allocations_of([&] { refused.connect(nowhere, ec); }) == 0);
  CHECK(ec == std::errc::connection_refused);
  client.settimeout(0.001);
  CHECK(allocations_of([&, &client = client] { client.recv_into(room, ec); }) == 0);
  CHECK(ec == sk::errc::timed_out);
}

TEST_CASE("connecting to a literal and accepting allocate nothing", "[allocations][S100][S95]") {
  sk::socket listener = listening();
  const int port = listener.getsockname().port();
  for (const sk::timeout_value& mode : modes) {
    CHECK(allocations_of([&] {
            sk::socket client;
            client.settimeout(mode);
            client.connect({"127.0.0.1", port});
            const auto accepted = listener.accept();
            std::error_code ec;
            sk::socket second;
            second.connect({"127.0.0.1", port}, ec);
            const auto another = listener.accept(ec);
          }) == 0);
  }
}

TEST_CASE("what returns bytes allocates them once", "[allocations][S115][S118]") {
  auto [client, server] = connected();
  sk::socket a = bound_udp();
  sk::socket b = bound_udp();
  const std::string data(1000, 'x');
  for (const std::size_t bufsize : {std::size_t{1000}, std::size_t{60000}}) {
    client.sendall(data);
    (void)a.sendto(data, b.getsockname());
    REQUIRE(wait_for(server.fileno(), POLLIN));
    CHECK(allocations_of([&, &server = server] { (void)server.recv(bufsize); }) == 1);
    CHECK(allocations_of([&] { (void)b.recvfrom(bufsize); }) == 1);
  }
}
