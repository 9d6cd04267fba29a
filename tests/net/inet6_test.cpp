// SPDX-License-Identifier: MIT
// AF_INET6: addresses of four parts, scopes, the wildcard, and IPv4 over IPv6 sockets.
#include <pysock/interfaces.hpp>
#include <pysock/resolver.hpp>
#include <pysock/socket.hpp>

#include "support/catch.hpp"
#include "support/failure.hpp"
#include "support/link_local.hpp"
#include "support/native.hpp"
#include "support/probes.hpp"
#include "support/raw.hpp"
#include "support/sockets.hpp"

namespace sk = pysock;
using namespace test_support;

#define NEEDS_IPV6() \
  if (!host_has_ipv6()) SKIP_TEST("this host has no IPv6 loopback")

TEST_CASE("an IPv6 address takes two, three or four parts and returns four", "[inet6]") {
  NEEDS_IPV6();
  sk::socket listener = listening(AF_INET6);
  const int port = listener.getsockname().port();
  for (const sk::address& to : {sk::address("::1", port), sk::address("::1", port, 5),
                                sk::address("::1", port, 0, 0), sk::address("0:0::1", port)}) {
    sk::socket client(AF_INET6);
    client.settimeout(patience);
    client.connect(to);
    const auto [conn, peer] = listener.accept();
    CHECK(peer == client.getsockname());
    CHECK(peer.to_string() == "('::1', " + std::to_string(peer.port()) + ", 0, 0)");
    CHECK(client.getpeername() == sk::address("::1", port));
  }
}

TEST_CASE("flow labels and scopes have their ranges", "[inet6]") {
  NEEDS_IPV6();
  sk::socket s(AF_INET6);
  CHECK(failure_of([&] { s.bind({"::1", 0, 0x100000}); }) == "out_of_range");
  CHECK(failure_of([&] { s.bind({"::1", 0, -1}); }) == "out_of_range");
  CHECK(failure_of([&] { s.bind({"::1", 0, 0, -1}); }) == "out_of_range");
  CHECK(failure_of([&] { s.bind({"::1", 0, 0, 0x100000000LL}); }) == "out_of_range");
  CHECK(failure_of([&] { s.bind({"::1", 70000, 0, 0}); }) == "out_of_range");
  s.bind({"::1", 0, 0xFFFFF, 99});  // Linux ignores both for the loopback
  CHECK(s.getsockname().scope_id() == 0);
}

TEST_CASE("a flow label is sent in network order", "[inet6]") {
  NEEDS_IPV6();
  sk::socket receiver = bound_udp(AF_INET6);
  sk::socket sender = bound_udp(AF_INET6);
  constexpr int ipv6_flowinfo_send = 33;  // <linux/in6.h> conflicts with <netinet/in.h>
  if (raw_option(sender, IPPROTO_IPV6, ipv6_flowinfo_send, 1) != 0)
    SKIP_TEST(because("::setsockopt of IPV6_FLOWINFO_SEND"));
  // With the option the kernel keeps the label and clears the other bits. A label in host order
  // would lose some of its own.
  sender.connect({"::1", receiver.getsockname().port(), 0xFFFFF});
  CHECK(sender.getpeername().flowinfo() == 0xFFFFF);
  (void)sender.send("x");
  CHECK(receiver.recv(1) == "x");
}

TEST_CASE("an empty host is the wildcard of IPv6 too", "[inet6]") {
  NEEDS_IPV6();
  sk::socket s(AF_INET6);
  CHECK(is_unbound(s));
  s.settimeout(patience);
  s.bind({"", 0});
  CHECK(s.getsockname().host() == "::");
  s.listen();
  sk::socket client(AF_INET6);
  client.settimeout(patience);
  client.connect({"::1", s.getsockname().port()});
  CHECK(s.accept().address == client.getsockname());
  sk::socket four_parts(AF_INET6);
  four_parts.bind({"", 0, 0, 0});
  CHECK(four_parts.getsockname().host() == "::");
}

TEST_CASE("broadcast is only for IPv4", "[inet6]") {
  NEEDS_IPV6();
  sk::socket s(AF_INET6, SOCK_DGRAM);
  CHECK(failure_of([&] { s.bind({"<broadcast>", 0}); }) == "error: address family mismatched");
  CHECK(failure_of([&] {
          (void)s.sendto("x", {"<broadcast>", 9});
        }) == "error: address family mismatched");
  CHECK(failure_of([&] { s.bind({"255.255.255.255", 0}); }) == "error: address family mismatched");
}

TEST_CASE("an IPv4 address is never mapped implicitly", "[inet6]") {
  NEEDS_IPV6();
  sk::socket s(AF_INET6);
  CHECK(failure_of([&] { s.connect({"127.0.0.1", 80}); }) == failure("gaierror", eai_wrong_family));
  CHECK(failure_of([&] {
          s.connect({"127.0.0.1", 80, 0, 0});
        }) == failure("gaierror", wrong_family_of_resolver(AF_INET6)));
  CHECK(failure_of([&] {
          s.connect({"127.1", 80});
        }) == failure("gaierror", wrong_family_of_resolver(AF_INET6)));
}

TEST_CASE("a dual-stack socket accepts IPv4 and IPv6", "[inet6]") {
  NEEDS_IPV6();
  sk::socket s(AF_INET6);
  s.settimeout(patience);
  s.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, 0);
  s.bind({"", 0});
  s.listen();
  const int port = s.getsockname().port();
  sk::socket four;
  four.settimeout(patience);
  four.connect({"127.0.0.1", port});
  auto [conn, peer] = s.accept();
  CHECK(peer == sk::address("::ffff:127.0.0.1", four.getsockname().port(), 0, 0));
  CHECK(peer.host() == "::ffff:127.0.0.1");
  sk::socket six(AF_INET6);
  six.settimeout(patience);
  six.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, 0);
  six.connect({"::ffff:127.0.0.1", port});
  CHECK(six.getpeername().host() == "::ffff:127.0.0.1");

  sk::socket only(AF_INET6);
  only.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, 1);
  only.bind({"", 0});
  only.listen();
  sk::socket refused;
  CHECK(refused.connect_ex({"127.0.0.1", only.getsockname().port()}) == native(ECONNREFUSED));
}

namespace {

// Binding to a multicast address of link scope needs only the interface, no address on it.
sk::address bound_to(const sk::address& where) {
  sk::socket s(AF_INET6, SOCK_DGRAM);
  s.bind(where);
  return s.getsockname();
}

std::string why_no_bind_to_multicast(unsigned interface) {
  const sk::inet6_address group("ff02::1", 0, 0, interface);
  const sk::socket s(AF_INET6, SOCK_DGRAM);
  return ::bind(raw(s), group.data(), group.size()) == 0 ? "" : because("::bind to ff02::1");
}

}  // namespace

TEST_CASE("an address keeps a scope given in the text or as the fourth part", "[inet6]") {
  NEEDS_IPV6();
  const sk::interface_info interface = sk::if_nameindex().front();
  const std::string missing = why_no_bind_to_multicast(interface.index);
  if (!missing.empty()) SKIP_TEST(missing);
  const auto index = static_cast<int>(interface.index);
  for (const sk::address& where :
       {sk::address("ff02::1%" + std::to_string(index), 0), sk::address("ff02::1", 0, 0, index),
        sk::address("ff02::1%12345", 0, 0, index)}) {
    CAPTURE(where.to_string());
    const sk::address name = bound_to(where);
    CHECK(name.scope_id() == told_scope(interface.index));
    CHECK(name.host() == "ff02::1");  // without the scope
  }
  CHECK(failure_of([] {
          return bound_to({"ff02::1%nosuch", 0});
        }) == failure("gaierror", EAI_NONAME));
  CHECK(failure_of([] { return bound_to({"fe80::1%", 0}); }) == failure("gaierror", EAI_NONAME));
  const sk::inet6_address unscoped("ff02::1", 0);
  const sk::socket s(AF_INET6, SOCK_DGRAM);
  CHECK(failure_of([] {
          return bound_to({"ff02::1", 0});
        }) == system_says([&] { return ::bind(raw(s), unscoped.data(), unscoped.size()); }));
}

TEST_CASE("a scope by the name of its interface", "[inet6]") {
  NEEDS_IPV6();
  const sk::interface_info interface = sk::if_nameindex().front();
  std::string missing = why_no_scope_names(interface.name);
  if (missing.empty()) missing = why_no_bind_to_multicast(interface.index);
  if (!missing.empty()) SKIP_TEST(missing);
  for (const sk::address& where : {sk::address("ff02::1%" + interface.name, 0),
                                   sk::address("ff02::1%" + interface.name, 0, 0, 0)}) {
    CAPTURE(where.to_string());
    CHECK(bound_to(where).scope_id() == told_scope(interface.index));
    CHECK(bound_to(where).host() == "ff02::1");
  }
  const auto found = sk::getaddrinfo("fe80::1%" + interface.name, 80, AF_INET6, SOCK_STREAM);
  REQUIRE(found.size() == 1);
  CHECK(found[0].sockaddr.host() == "fe80::1");
  CHECK(found[0].sockaddr.scope_id() == interface.index);
}

TEST_CASE("getaddrinfo and getnameinfo keep a scope", "[inet6]") {
  NEEDS_IPV6();
  const sk::interface_info interface = sk::if_nameindex().front();
  const auto found =
      sk::getaddrinfo("fe80::1%" + std::to_string(interface.index), 80, AF_INET6, SOCK_STREAM);
  REQUIRE(found.size() == 1);
  CHECK(found[0].sockaddr.host() == "fe80::1");
  CHECK(found[0].sockaddr.scope_id() == interface.index);
  const auto names = sk::getnameinfo(found[0].sockaddr, NI_NUMERICHOST | NI_NUMERICSERV);
  char by_system[100];
  REQUIRE(::getnameinfo(found[0].sockaddr.data(), found[0].sockaddr.size(), by_system,
                        sizeof by_system, nullptr, 0, NI_NUMERICHOST) == 0);
  CHECK(names.host == by_system);
  CHECK(sk::getaddrinfo("fe80::1%99", 80, 0, SOCK_STREAM).at(0).sockaddr.scope_id() == 99);
}

TEST_CASE("link-local connections carry their scope", "[inet6]") {
  NEEDS_IPV6();
  const auto own = link_local_address();
  if (!own) SKIP_TEST("no interface has a link-local address");
  sk::socket listener(AF_INET6);
  listener.settimeout(patience);
  listener.bind({own->host(), 0, 0, own->scope_id()});
  listener.listen();
  sk::socket client(AF_INET6);
  client.settimeout(patience);
  client.connect({own->host(), listener.getsockname().port(), 0, own->scope_id()});
  CHECK(client.getpeername().scope_id() == told_scope(own->scope_id()));
  CHECK(client.getpeername().host() == own->host());
  const auto [conn, peer] = listener.accept();
  CHECK(peer == client.getsockname());
  CHECK(peer.scope_id() == told_scope(own->scope_id()));
  sk::socket unscoped(AF_INET6);
  const sk::socket reference(AF_INET6);
  const sk::inet6_address no_scope(own->host(), listener.getsockname().port());
  CHECK(failure_of([&] {
          unscoped.connect({own->host(), listener.getsockname().port()});
        }) ==
        system_says([&] { return ::connect(raw(reference), no_scope.data(), no_scope.size()); }));
}
