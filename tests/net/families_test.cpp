// SPDX-License-Identifier: MIT
#include <pysock/families.hpp>
#include <pysock/socket.hpp>

#if __has_include(<linux/rtnetlink.h>)
#include <linux/filter.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#endif

#include <set>

#include "support/catch.hpp"

using pysock::SocketType;

namespace {

// Why no SocketType of this kind can be created here; empty if one can.
[[maybe_unused]] std::string missing(int family, int type, int proto) {
  try {
    const SocketType probe(family, type, proto);
    return "";
  } catch (const pysock::error& e) {
    return e.what();
  }
}

#ifdef RTM_GETLINK
struct link_request {
  nlmsghdr header{};
  ifinfomsg link{};
};

// The names of the interfaces in an answer to RTM_GETLINK. Sets `done` at the last answer.
std::set<std::string> read_names(const std::string& answer, bool& done) {
  std::set<std::string> names;
  for (std::size_t at = 0; at + sizeof(nlmsghdr) <= answer.size();) {
    nlmsghdr header;
    std::memcpy(&header, answer.data() + at, sizeof header);
    REQUIRE(header.nlmsg_type != NLMSG_ERROR);
    done = done || header.nlmsg_type == NLMSG_DONE;
    if (header.nlmsg_type == RTM_NEWLINK) {
      std::size_t part = at + sizeof header + sizeof(ifinfomsg);
      while (part + sizeof(rtattr) <= at + header.nlmsg_len) {
        rtattr attribute;
        std::memcpy(&attribute, answer.data() + part, sizeof attribute);
        if (attribute.rta_type == IFLA_IFNAME)
          names.insert(answer.data() + part + sizeof attribute);
        part += (attribute.rta_len + 3U) & ~3U;
      }
    }
    at += (header.nlmsg_len + 3U) & ~3U;
  }
  return names;
}

TEST_CASE("the kernel lists its interfaces over netlink") {
  const std::string reason = missing(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  if (!reason.empty()) SKIP_TEST(reason);
  SocketType s(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  s.settimeout(10);
  s.bind(pysock::netlink_address(0, 0));
  const pysock::netlink_address own(s.getsockname());
  CHECK(own.pid() != 0);
  CHECK(own.groups() == 0);
  CHECK(s.getsockname().to_string() == "(" + std::to_string(own.pid()) + ", 0)");

  link_request request;
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = RTM_GETLINK;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  CHECK(s.sendto(pysock::const_bytes(&request, sizeof request), pysock::netlink_address(0, 0)) ==
        sizeof request);
  std::set<std::string> names;
  for (bool done = false; !done;) {
    const auto [answer, from] = s.recvfrom(65536);
    CHECK(from == pysock::netlink_address(0, 0));
    names.merge(read_names(answer, done));
  }
  CHECK(names.count("lo") == 1);
}
#endif

#ifdef PACKET_HOST
// Lets only packets to this UDP port pass: with the traffic of other tests on lo the socket could
// lose packets.
void attach_filter(SocketType& tap, int port) {
  constexpr unsigned destination_port = 22;  // behind the header of IP
  sock_filter program[] = {BPF_STMT(BPF_LD | BPF_H | BPF_ABS, destination_port),
                           BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(port), 0, 1),
                           BPF_STMT(BPF_RET | BPF_K, 65535), BPF_STMT(BPF_RET | BPF_K, 0)};
  tap.setsockopt(SOL_SOCKET, SO_ATTACH_FILTER, sock_fprog{4, program});
}

TEST_CASE("a packet socket receives the packets on lo") {
  const std::string reason = missing(AF_PACKET, SOCK_DGRAM, 0);
  if (!reason.empty()) SKIP_TEST(reason);
  SocketType receiver(AF_INET, SOCK_DGRAM);
  receiver.bind({"127.0.0.1", 0});
  SocketType tap(AF_PACKET, SOCK_DGRAM);
  tap.settimeout(10);
  attach_filter(tap, receiver.getsockname().port());
  tap.bind(pysock::packet_address("lo", ETH_P_ALL));
  CHECK(tap.getsockname().to_string() == "('lo', 3, 0, 772, b'\\x00\\x00\\x00\\x00\\x00\\x00')");

  const std::string message = "seen by the tap of " + std::to_string(receiver.getsockname().port());
  (void)SocketType(AF_INET, SOCK_DGRAM).sendto(message, receiver.getsockname());

  std::set<int> kinds;
  while (kinds.size() < 2) {  // lo shows each packet on its way out and on its way in
    const auto [data, from] = tap.recvfrom(65536);
    if (data.find(message) == std::string::npos) continue;
    const pysock::packet_address seen(from);
    CHECK(seen.ifname() == "lo");
    CHECK(seen.proto() == ETH_P_IP);
    CHECK(seen.hatype() == 772);
    CHECK(seen.addr() == std::string(6, '\0'));
    kinds.insert(seen.pkttype());
  }
  CHECK(kinds == std::set<int>{PACKET_HOST, PACKET_OUTGOING});
}

TEST_CASE("sendto of a packet socket sends to the interface and protocol of the address") {
  const std::string reason = missing(AF_PACKET, SOCK_DGRAM, 0);
  if (!reason.empty()) SKIP_TEST(reason);
  constexpr int experimental = 0x88B5;  // an ethertype for experiments
  SocketType tap(AF_PACKET, SOCK_DGRAM);
  tap.settimeout(10);
  tap.bind(pysock::packet_address("lo", experimental));
  SocketType sender(AF_PACKET, SOCK_DGRAM);
  CHECK(sender.sendto("hello", pysock::packet_address("lo", experimental, PACKET_HOST, 0,
                                                      std::string(6, '\0'))) == 5);
  CHECK(tap.recv(100).substr(0, 5) == "hello");
}
#endif

#ifdef VMADDR_CID_ANY
TEST_CASE("a vsock socket can be bound") {
  const std::string reason = missing(AF_VSOCK, SOCK_STREAM, 0);
  if (!reason.empty()) SKIP_TEST(reason);
  SocketType s(AF_VSOCK, SOCK_STREAM);
  s.bind(pysock::vsock_address(VMADDR_CID_ANY, VMADDR_PORT_ANY));
  const pysock::vsock_address own(s.getsockname());
  CHECK(own.cid() == VMADDR_CID_ANY);
  CHECK(own.port() != VMADDR_PORT_ANY);
  CHECK(own.port() != 0);
  CHECK(s.getsockname().to_string() == "(4294967295, " + std::to_string(own.port()) + ")");
}

TEST_CASE("vsock over loopback") {
  std::string reason = missing(AF_VSOCK, SOCK_STREAM, 0);
  if (!reason.empty()) SKIP_TEST(reason);
  SocketType server(AF_VSOCK, SOCK_STREAM);
  server.bind(pysock::vsock_address(VMADDR_CID_ANY, VMADDR_PORT_ANY));
  server.listen();
  constexpr int this_machine = 1;
  const pysock::vsock_address where(this_machine,
                                    pysock::vsock_address(server.getsockname()).port());
  const SocketType probe(AF_VSOCK, SOCK_STREAM);
  if (::connect(probe.fileno(), where.data(), where.size()) < 0) {
    reason = pysock::detail::system_code(pysock::detail::sys::last_error()).message();
    SKIP_TEST("no vsock loopback: " + reason);
  }
  const SocketType first = server.accept().conn;
  SocketType client(AF_VSOCK, SOCK_STREAM);
  client.settimeout(10);
  client.connect(where);
  SocketType conn = server.accept().conn;
  client.sendall("hello");
  CHECK(conn.recv(10) == "hello");
}
#endif

}  // namespace
