// SPDX-License-Identifier: MIT
#include <pysock/families.hpp>

#include <cerrno>

#include "support/catch.hpp"
#include "support/fake_sys.hpp"
#ifdef PACKET_HOST
#include <netpacket/packet.h>
#endif

using pysock::address;
using pysock::endpoint;

namespace {

// The sockaddr that the system receives.
template <class Native>
Native seen(const endpoint& e) {
  REQUIRE(static_cast<std::size_t>(e.size()) == sizeof(Native));
  Native native;
  std::memcpy(&native, e.data(), sizeof native);
  return native;
}

template <class Native>
address returned(const Native& native, std::size_t size = sizeof(Native)) {
  return endpoint(reinterpret_cast<const sockaddr*>(&native), static_cast<socklen_t>(size));
}

}  // namespace

TEST_CASE("an endpoint of an unknown family prints as its number and bytes") {
  sockaddr_storage other{};
  other.ss_family = 77;
  CHECK(returned(other, 4).to_string() == "(77, b'\\x00\\x00')");
}

#ifdef PACKET_HOST
TEST_CASE("a packet address has Python's five parts") {
  const fake::session session;
  const pysock::packet_address full("lo", 0x0800, PACKET_OTHERHOST, 772,
                                    std::string("\1\2\3\4\5\6", 6));
  const auto native = seen<sockaddr_ll>(full);
  CHECK(native.sll_family == AF_PACKET);
  CHECK(std::memcmp(&native.sll_protocol, "\x08\x00", 2) == 0);
  CHECK(native.sll_ifindex == 1);
  CHECK((native.sll_pkttype == PACKET_OTHERHOST && native.sll_hatype == 772 &&
         native.sll_halen == 6));
  CHECK(std::memcmp(native.sll_addr, "\1\2\3\4\5\6\0\0", 8) == 0);

  const pysock::packet_address back{address(full)};
  CHECK(back.ifname() == "lo");
  CHECK((back.ifindex() == 1 && back.proto() == 0x0800 && back.pkttype() == PACKET_OTHERHOST &&
         back.hatype() == 772));
  CHECK(back.addr() == "\1\2\3\4\5\6");
  CHECK(address(back) == address(full));
  CHECK(back == full);
  CHECK(back == address(full));
  CHECK(back != pysock::packet_address("lo", 0x0800));
  CHECK(address(full).to_string() == "('lo', 2048, 3, 772, b'\\x01\\x02\\x03\\x04\\x05\\x06')");
}

TEST_CASE("the default parts of a packet address") {
  const fake::session session;
  CHECK(address(pysock::packet_address("eth0", 3)).to_string() == "('eth0', 3, 0, 0, b'')");
  const pysock::packet_address any("", 0);
  CHECK((any.ifindex() == 0 && any.ifname().empty()));
  for (const int number : {ENXIO, ENODEV}) {
    fake::on_if_indextoname({fake::fails(number)});
    CHECK(pysock::packet_address("lo", 0).ifname().empty());  // the interface no longer exists
  }
}

TEST_CASE("packet_address reports that the system could not look up an interface",
          "[packet_address]") {
  const fake::session session;
  const pysock::packet_address known("lo", 3);
  fake::on_if_nametoindex({fake::fails(EMFILE)});
  fake::on_if_indextoname({fake::fails(EMFILE), fake::fails(EMFILE)});
  const auto code_of = [](const auto& call) {
    try {
      (void)call();
    } catch (const pysock::error& e) {
      return e.code();
    }
    return std::error_code();
  };
  CHECK(code_of([] { return pysock::packet_address("lo", 3); }) == std::errc::too_many_files_open);
  CHECK(code_of([&known] { return known.ifname(); }) == std::errc::too_many_files_open);
  CHECK(address(known).to_string() == "('', 3, 0, 0, b'')");  // printing must not throw
}

TEST_CASE("packet addresses of the system's minimum and maximum size") {
  const fake::session session;
  struct {
    sockaddr_ll head{};
    unsigned char more[12] = {};
  } native;
  native.head.sll_family = AF_PACKET;
  native.head.sll_ifindex = 2;
  const std::size_t start = offsetof(sockaddr_ll, sll_addr);
  CHECK(pysock::packet_address(returned(native, start)).addr().empty());
  native.head.sll_halen = 20;  // InfiniBand
  CHECK(pysock::packet_address(returned(native, start + 20)).addr().size() == 20);
  CHECK(pysock::packet_address(returned(native, start + 4)).addr().size() == 4);
}

TEST_CASE("packet_address rejects invalid numbers and names") {
  const fake::session session;
  using pysock::packet_address;
  CHECK_THROWS_AS(packet_address("lo", -1), std::out_of_range);
  CHECK_THROWS_AS(packet_address("lo", 65536), std::out_of_range);
  CHECK_THROWS_AS(packet_address("lo", 0, 256), std::out_of_range);
  CHECK_THROWS_AS(packet_address("lo", 0, 0, 65536), std::out_of_range);
  CHECK_THROWS_AS(packet_address("lo", 4294967296LL + 0x0800), std::out_of_range);
  CHECK_THROWS_AS(packet_address("lo", 0, 4294967296LL), std::out_of_range);
  CHECK_THROWS_AS(packet_address("lo", 0, 0, 4294967296LL), std::out_of_range);
  CHECK_THROWS_AS(packet_address("lo", 0, 0, 0, "123456789"), std::invalid_argument);
  CHECK_THROWS_AS(packet_address("nosuch", 0), pysock::error);
  CHECK_THROWS_AS(packet_address(std::string("l\0o", 3), 0), std::invalid_argument);
  CHECK_THROWS_AS(packet_address(address()), std::invalid_argument);
  CHECK_THROWS_AS(packet_address(address("127.0.0.1", 80)), std::invalid_argument);
}
#endif

#ifdef NETLINK_ROUTE
TEST_CASE("a netlink address is a port and groups") {
  const pysock::netlink_address a(4294967295, 5);
  const auto native = seen<sockaddr_nl>(a);
  CHECK((native.nl_family == AF_NETLINK && native.nl_pid == 4294967295 && native.nl_groups == 5));
  const pysock::netlink_address back{address(a)};
  CHECK((back.pid() == 4294967295 && back.groups() == 5));
  CHECK(address(a).to_string() == "(4294967295, 5)");
  CHECK_THROWS_AS(pysock::netlink_address(-1, 0), std::out_of_range);
  CHECK_THROWS_AS(pysock::netlink_address(0, 4294967296), std::out_of_range);
  CHECK_THROWS_AS(pysock::netlink_address(address("127.0.0.1", 80)), std::invalid_argument);
}

TEST_CASE("an address too short for its family reads as zeros") {
  sockaddr_nl native{};
  native.nl_family = AF_NETLINK;
  native.nl_groups = 7;
  const pysock::netlink_address cut(returned(native, offsetof(sockaddr_nl, nl_groups)));
  CHECK(cut.groups() == 0);
}
#endif

#ifdef VMADDR_CID_ANY
TEST_CASE("a vsock address is a CID and a port") {
  const pysock::vsock_address a(VMADDR_CID_ANY, 1234);
  const auto native = seen<sockaddr_vm>(a);
  CHECK((native.svm_family == AF_VSOCK && native.svm_cid == VMADDR_CID_ANY &&
         native.svm_port == 1234));
  const pysock::vsock_address back{address(a)};
  CHECK((back.cid() == 4294967295 && back.port() == 1234));
  CHECK(address(a).to_string() == "(4294967295, 1234)");
  enum { service_port = 5000 };
  CHECK(pysock::vsock_address(VMADDR_CID_ANY, service_port).port() == 5000);
  enum { no_port = -1 };
  CHECK_THROWS_AS(pysock::vsock_address(0, no_port), std::out_of_range);
  CHECK_THROWS_AS(pysock::vsock_address(0, -1), std::out_of_range);
  CHECK_THROWS_AS(pysock::vsock_address(4294967296, 0), std::out_of_range);
  CHECK_THROWS_AS(pysock::vsock_address(address("/a/path")), std::invalid_argument);
}
#endif

#ifdef CAN_RAW
TEST_CASE("a CAN address is an interface") {
  const fake::session session;
  const pysock::can_address a("eth0");
  const auto native = seen<sockaddr_can>(a);
  CHECK((native.can_family == AF_CAN && native.can_ifindex == 2));
  const pysock::can_address back{address(a)};
  CHECK((back.ifindex() == 2 && back.ifname() == "eth0"));
  CHECK(address(a).to_string() == "('eth0',)");
  CHECK(pysock::can_address("").ifindex() == 0);
  CHECK_THROWS_AS(pysock::can_address("nosuch"), pysock::error);
  CHECK_THROWS_AS(pysock::can_address(address("eth0")), std::invalid_argument);  // that is a path
}
#endif

#ifdef TIPC_ADDR_NAME
TEST_CASE("a TIPC address is three numbers whose meaning depends on its type") {
  using pysock::tipc_address;
  const tipc_address range(TIPC_ADDR_NAMESEQ, 1000, 1, 9, TIPC_NODE_SCOPE);
  const auto native = seen<sockaddr_tipc>(range);
  CHECK((native.family == AF_TIPC && native.addrtype == TIPC_ADDR_NAMESEQ &&
         native.scope == TIPC_NODE_SCOPE));
  CHECK((native.addr.nameseq.type == 1000 && native.addr.nameseq.lower == 1 &&
         native.addr.nameseq.upper == 9));
  CHECK(address(range).to_string() == "(1, 1000, 1, 9, 3)");

  const tipc_address name(TIPC_ADDR_NAME, 1000, 4, 0);
  CHECK(seen<sockaddr_tipc>(name).addr.name.name.instance == 4);
  CHECK(address(name).to_string() == "(2, 1000, 4, 4, 2)");

  const tipc_address id(TIPC_ADDR_ID, 0x01001001, 77, 0);
  CHECK(seen<sockaddr_tipc>(id).addr.id.ref == 77);
  const tipc_address back{address(id)};
  CHECK((back.addr_type() == TIPC_ADDR_ID && back.v1() == 0x01001001 && back.v2() == 77 &&
         back.v3() == 0));

  CHECK_THROWS_AS(tipc_address(9, 0, 0, 0), std::invalid_argument);
  CHECK_THROWS_AS(tipc_address(TIPC_ADDR_NAME, -1, 0, 0), std::out_of_range);
  CHECK_THROWS_AS(tipc_address(TIPC_ADDR_NAME, 0, 0, 0, 1000), std::out_of_range);
  CHECK_THROWS_AS(tipc_address(4294967296LL + TIPC_ADDR_NAME, 0, 0, 0), std::out_of_range);
  CHECK_THROWS_AS(tipc_address(TIPC_ADDR_NAME, 0, 0, 0, 4294967296LL), std::out_of_range);
  CHECK_THROWS_AS(tipc_address(address("127.0.0.1", 80)), std::invalid_argument);
}
#endif
