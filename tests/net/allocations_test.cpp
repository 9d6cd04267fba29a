// SPDX-License-Identifier: MIT
// Which calls allocate memory, and which do not.
#include <cerrno>
#include <memory>
#include <pysock/pysock.hpp>
#include <vector>

#include "support/allocations.hpp"
#include "support/background.hpp"
#include "support/catch.hpp"
#include "support/sockets.hpp"

namespace sk = pysock;
using namespace test_support;

namespace {

const auto modes = {sk::timeout_value(std::nullopt), sk::timeout_value(patience)};

}  // namespace

TEST_CASE("sending and receiving into buffers allocates nothing", "[allocations]") {
  CHECK(allocations_of([] {
          int* volatile kept = new int;  // volatile: the compiler must keep it
          delete kept;
        }) == 1);

  auto [client, server] = connected();
  sk::socket a = bound_udp();
  sk::socket b = bound_udp();
  const sk::address to = b.getsockname();
  const sk::endpoint native(to.data(), to.size());
  sk::endpoint from;
  std::error_code ec;
  char buffer[100];
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
            for (std::size_t seen = 0; seen < 4;) seen += server.recv_into(buffer);
            (void)server.send("xy");
            client.recv_into(buffer, 1);
            client.recv_into(buffer, ec);
          }) == 0);
    CHECK(allocations_of([&] {
            (void)a.sendto("x", native);
            (void)a.sendto("x", 0, native, ec);
            (void)a.sendto("x", to);
            (void)a.sendto("x", 0, to, ec);
            b.recvfrom_into(buffer, from);
            b.recvfrom_into(buffer, from, 0, ec);
            b.recvfrom_into(buffer);
            b.recvfrom_into(buffer, 0, 0, ec);
          }) == 0);
    CHECK(sk::address(from) == a.getsockname());
  }
}

TEST_CASE("waiting allocates nothing", "[allocations]") {
  auto [client, server] = connected();
  for (const sk::timeout_value& mode : modes) {
    client.settimeout(mode);
    background<std::size_t> receiving([&client = client] {
      char buffer[100];
      return allocations_of([&] { client.recv_into(buffer); });
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

TEST_CASE("unregistering allocates nothing", "[allocations][selectors]") {
  auto [a, b] = sk::socketpair();
  sk::selector<int> waiting;
  waiting.register_(a, sk::EVENT_WRITE);
  waiting.register_(b, sk::EVENT_WRITE);
  CHECK(allocations_of([&, &a = a] { waiting.unregister(a); }) == 0);
  CHECK(waiting.select(patience).size() == 1);  // destroys what was unregistered
  CHECK(allocations_of([&, &b = b] { waiting.unregister(b); }) == 0);
}

TEST_CASE("failing by error_code allocates nothing", "[allocations]") {
  auto [client, server] = connected();
  sk::socket listener = listening();
  sk::socket nobody;
  nobody.bind({"127.0.0.1", 0});
  const sk::address nowhere = nobody.getsockname();
  sk::socket refused;
  std::error_code ec;
  char buffer[10];
  client.setblocking(false);
  listener.setblocking(false);
  CHECK(allocations_of([&, &client = client] { client.recv_into(buffer, ec); }) == 0);
  CHECK(ec == std::errc::resource_unavailable_try_again);
  CHECK(allocations_of([&] { (void)listener.accept(ec); }) == 0);
  CHECK(ec == std::errc::resource_unavailable_try_again);
  CHECK(allocations_of([&] { refused.connect(nowhere, ec); }) == 0);
  CHECK(ec == std::errc::connection_refused);
  client.settimeout(0.001);
  CHECK(allocations_of([&, &client = client] { client.recv_into(buffer, ec); }) == 0);
  CHECK(ec == sk::errc::timed_out);
}

TEST_CASE("connecting to a literal and accepting allocate nothing", "[allocations]") {
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

TEST_CASE("calls that return bytes allocate once, and above 4 KiB also a buffer",
          "[allocations][recv][recvfrom]") {
  auto [client, server] = connected();
  sk::socket a = bound_udp();
  sk::socket b = bound_udp();
  const std::string data(1000, 'x');
  for (const std::size_t bufsize : {std::size_t{1000}, std::size_t{60000}}) {
    client.sendall(data);
    (void)a.sendto(data, b.getsockname());
    REQUIRE(wait_for(server.fileno(), POLLIN));
    const std::size_t expected = bufsize <= 4096 ? 1 : 2;
    CHECK(allocations_of([&, &server = server] { (void)server.recv(bufsize); }) == expected);
    CHECK(allocations_of([&] { (void)b.recvfrom(bufsize); }) == expected);
  }
}

TEST_CASE("the error number of a failed call is read before anything is allocated",
          "[allocations][errno]") {
  // Every allocation of this program changes the error number.
  errno = 0;
  delete std::make_unique<int>().release();
  const int disturbed = errno;
  REQUIRE(disturbed != 0);

  const auto number_of = [](const auto& call) {
    try {
      (void)call();
    } catch (const sk::error& e) {
      return e.code();
    }
    return std::error_code();
  };
  sk::socket closed;
  closed.close();
  const sk::socket bound = listening();
  const sk::address taken = bound.getsockname();
  const auto bad = sk::invalid_handle - 1;
  const std::vector<std::error_code> codes = {
      number_of([] { return sk::socket(9999); }),
      number_of([] { return sk::socketpair(9999); }),
      number_of([&] { return sk::create_server(taken); }),
      number_of([] {
        sk::sethostname(std::string(100000, 'x'));
        return 0;
      }),
      number_of([] { return sk::if_nametoindex("an interface that is not"); }),
      number_of([] { return sk::if_indextoname(123456789); }),
      number_of([&] { return sk::fromfd(bad, AF_INET, SOCK_STREAM); }),
      number_of([&] { return sk::dup(bad); }),
      number_of([&] {
        sk::close(bad);
        return 0;
      }),
      number_of([&] { return closed.dup(); }),
      number_of([&] { return closed.makefile(); }),
      number_of([&] { return closed.getsockname(); }),
      number_of([&] { return closed.getpeername(); }),
      number_of([&] { return closed.getsockopt(SOL_SOCKET, SO_TYPE); }),
      number_of([&] { return closed.getsockopt(SOL_SOCKET, SO_TYPE, 100); }),
      number_of([&] {
        closed.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1);
        return 0;
      }),
      number_of([&] {
        closed.settimeout(1);
        return 0;
      }),
      number_of([&] { return closed.get_inheritable(); }),
      number_of([&] {
        closed.set_inheritable(true);
        return 0;
      }),
      number_of([&] {
        closed.bind(taken);
        return 0;
      }),
      number_of([&] {
        closed.connect(taken);
        return 0;
      }),
      number_of([&] {
        closed.listen();
        return 0;
      }),
      number_of([&] { return closed.accept(); }),
      number_of([&] {
        closed.shutdown(SHUT_RD);
        return 0;
      }),
      number_of([&] { return closed.send("x"); }),
      number_of([&] { return closed.recv(10); }),
      number_of([&] { return closed.recv(100000); }),
      number_of([&] { return closed.sendto("x", taken); }),
      number_of([&] { return closed.recvfrom(100000); }),
  };
  for (std::size_t i = 0; i < codes.size(); ++i) {
    CAPTURE(i, codes[i].message());
    CHECK(codes[i]);
    CHECK(codes[i] != static_cast<std::errc>(disturbed));
  }
  CHECK(codes[0] == std::errc::address_family_not_supported);
  CHECK(codes[2] == std::errc::address_in_use);
}
