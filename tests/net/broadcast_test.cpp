// SPDX-License-Identifier: MIT
// Broadcasts and multicasts that do not leave the host.
#include <cerrno>
#include <cstring>
#include <pysock/interfaces.hpp>
#include <pysock/socket.hpp>

#include "support/catch.hpp"
#include "support/failure.hpp"
#include "support/native.hpp"
#include "support/raw.hpp"
#include "support/sockets.hpp"

namespace sk = pysock;
using namespace test_support;

TEST_CASE("a broadcast needs SO_BROADCAST", "[broadcast]") {
  sk::socket receiver(AF_INET, SOCK_DGRAM);
  receiver.settimeout(patience);
  receiver.bind({"", 0});
  const sk::address everybody("127.255.255.255", receiver.getsockname().port());
  sk::socket sender(AF_INET, SOCK_DGRAM);
  CHECK(failure_of([&] { (void)sender.sendto("x", everybody); }) ==
        failure("permission_error", EACCES));
  CHECK(failure_of([&] { sender.connect(everybody); }) == failure("permission_error", EACCES));
  CHECK(sender.connect_ex(everybody) == native(EACCES));
  sender.setsockopt(SOL_SOCKET, SO_BROADCAST, 1);
  CHECK(sender.sendto("to all", everybody) == 6);
  CHECK(receiver.recv(100) == "to all");
}

TEST_CASE("<broadcast> is 255.255.255.255", "[broadcast]") {
  sk::socket bound(AF_INET, SOCK_DGRAM);
  bound.bind({"<broadcast>", 0});
  CHECK(bound.getsockname().host() == "255.255.255.255");

  sk::socket receiver(AF_INET, SOCK_DGRAM);
  receiver.settimeout(patience);
  receiver.bind({"", 0});
  const int port = receiver.getsockname().port();
  sk::socket sender(AF_INET, SOCK_DGRAM);
#ifdef SO_BINDTODEVICE
  const std::string held = failure_of(
      [&] { sender.setsockopt(SOL_SOCKET, SO_BINDTODEVICE, "lo"); });  // nothing may leave the host
#else
  const std::string held = "there is no option for it";
#endif
  if (held != "none") SKIP_TEST("sockets cannot be held on the loopback device: " + held);
  CHECK(failure_of([&] {
          (void)sender.sendto("x", {"<broadcast>", port});
        }) == failure("permission_error", EACCES));
  sender.setsockopt(SOL_SOCKET, SO_BROADCAST, 1);
  CHECK(sender.sendto("to all", {"<broadcast>", port}) == 6);
  CHECK(receiver.recv(100) == "to all");
  CHECK(failure_of([&] {
          (void)sender.sendto("x", {"<BROADCAST>", port});
        }).substr(0, 8) == "gaierror");
}

TEST_CASE("the options of multicast are set with structures", "[broadcast]") {
  sk::socket receiver(AF_INET, SOCK_DGRAM);
  receiver.settimeout(patience);
  receiver.bind({"", 0});
  const int port = receiver.getsockname().port();
  const std::string group = sk::inet_aton("239.255.40.40");
  const std::string interface = sk::inet_aton("127.0.0.1");
  ip_mreq membership{};
  std::memcpy(&membership.imr_multiaddr, group.data(), 4);
  std::memcpy(&membership.imr_interface, interface.data(), 4);
  receiver.setsockopt(IPPROTO_IP, IP_ADD_MEMBERSHIP, membership);

  sk::socket sender(AF_INET, SOCK_DGRAM);
  if (::setsockopt(raw(sender), IPPROTO_IP, IP_MULTICAST_IF, interface.data(), 4) != 0 &&
      sk::detail::system_code(sk::detail::sys::last_error()) == std::errc::no_protocol_option) {
    SKIP_TEST("this system's IP_MULTICAST_IF cannot be set");
  }
  sender.setsockopt(IPPROTO_IP, IP_MULTICAST_IF, interface);  // as bytes
  sender.setsockopt(IPPROTO_IP, IP_MULTICAST_TTL, 0);
  CHECK(sender.getsockopt(IPPROTO_IP, IP_MULTICAST_TTL) == 0);
  CHECK(sender.getsockopt(IPPROTO_IP, IP_MULTICAST_IF, 4) == interface);
  (void)sender.sendto("to the group", {"239.255.40.40", port});
  CHECK(receiver.recv(100) == "to the group");

  receiver.setsockopt(IPPROTO_IP, IP_DROP_MEMBERSHIP, membership);
  const std::string no_member =
      system_says([&] { return raw_option(receiver, IPPROTO_IP, IP_DROP_MEMBERSHIP, membership); });
  CHECK(no_member != "none");
  CHECK(failure_of([&] { receiver.setsockopt(IPPROTO_IP, IP_DROP_MEMBERSHIP, membership); }) ==
        no_member);
}

TEST_CASE("multicast over IPv6 with a scope", "[broadcast]") {
  if (!host_has_ipv6()) SKIP_TEST("this host has no IPv6 loopback");
  const std::string group = sk::inet_pton(AF_INET6, "ff12::4040");
  for (const sk::interface_info& interface : sk::if_nameindex()) {
    sk::socket receiver(AF_INET6, SOCK_DGRAM);
    receiver.settimeout(patience);
    receiver.bind({"", 0});
    ipv6_mreq membership{};
    std::memcpy(&membership.ipv6mr_multiaddr, group.data(), 16);
    membership.ipv6mr_interface = interface.index;
    if (failure_of([&] { receiver.setsockopt(IPPROTO_IPV6, IPV6_JOIN_GROUP, membership); }) !=
        "none")
      continue;
    sk::socket sender(AF_INET6, SOCK_DGRAM);
    sender.setsockopt(IPPROTO_IPV6, IPV6_MULTICAST_HOPS,
                      0);  // is looped back and does not leave the host
    const sk::address to("ff12::4040%" + interface.name, receiver.getsockname().port());
    if (failure_of([&] { (void)sender.sendto("to the group", to); }) != "none") continue;
    const auto [data, from] = receiver.recvfrom(100);
    CHECK(data == "to the group");
    CHECK(from.port() == sender.getsockname().port());
    CHECK(from.host().find('%') == std::string::npos);
    return;
  }
  SKIP_TEST("no interface has a route for multicast");
}
