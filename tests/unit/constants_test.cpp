// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdint>

// Read before pysock/constants.hpp, which defines NI_MAXHOST where the system does not.
#if __has_include(<netdb.h>)
#include <netdb.h>
#endif
#ifdef NI_MAXHOST
static constexpr int expected_maxhost = NI_MAXHOST;
#else
static constexpr int expected_maxhost = 1025;
#endif

#include <pysock/constants.hpp>
#include <set>
#include <string>
#include <vector>

#include "support/catch.hpp"
#if __has_include(<sys/un.h>)
#include <sys/un.h>  // sockaddr_un
#endif

// The constants that every system must have. A program tests for the others with #ifdef.
#if !defined(AF_UNSPEC) || !defined(AF_INET) || !defined(AF_INET6)
#error "a family is missing"
#endif
#if !defined(SO_REUSEADDR) || !defined(SO_KEEPALIVE) || !defined(SO_BROADCAST) ||            \
    !defined(SO_ERROR) || !defined(SO_TYPE) || !defined(SO_LINGER) || !defined(SO_RCVBUF) || \
    !defined(SO_SNDBUF) || !defined(SO_OOBINLINE) || !defined(SO_DONTROUTE)
#error "a socket option is missing"
#endif
#if !defined(MSG_OOB) || !defined(MSG_PEEK) || !defined(MSG_DONTROUTE) || !defined(MSG_WAITALL) || \
    !defined(MSG_TRUNC) || !defined(MSG_CTRUNC)
#error "a message flag is missing"
#endif
#if !defined(SOL_SOCKET) || !defined(SOL_IP) || !defined(SOL_TCP) || !defined(SOL_UDP)
#error "an option level is missing"
#endif
#if !defined(IPPROTO_IP) || !defined(IPPROTO_ICMP) || !defined(IPPROTO_TCP) || \
    !defined(IPPROTO_UDP) || !defined(IPPROTO_RAW)
#error "a protocol is missing"
#endif
#if !defined(IPPORT_RESERVED) || !defined(IPPORT_USERRESERVED)
#error "a port limit is missing"
#endif
#if !defined(INADDR_ANY) || !defined(INADDR_BROADCAST) || !defined(INADDR_LOOPBACK) ||           \
    !defined(INADDR_NONE) || !defined(INADDR_UNSPEC_GROUP) || !defined(INADDR_ALLHOSTS_GROUP) || \
    !defined(INADDR_MAX_LOCAL_GROUP)
#error "a well-known address is missing"
#endif
#if !defined(SOMAXCONN) || !defined(NI_MAXHOST) || !defined(NI_MAXSERV)
#error "a limit is missing"
#endif
#if !defined(SHUT_RD) || !defined(SHUT_WR) || !defined(SHUT_RDWR)
#error "a direction is missing"
#endif

namespace {

// Options and error numbers of one kind must have different values.
bool all_different(const std::vector<int>& values) {
  return std::set<int>(values.begin(), values.end()).size() == values.size();
}

// Flags can be combined only if they share no bits.
bool bits_apart(const std::vector<int>& flags) {
  unsigned seen = 0;
  for (const int flag : flags) {
    const auto bits = static_cast<unsigned>(flag);
    if (bits == 0 || (seen & bits) != 0) return false;
    seen |= bits;
  }
  return true;
}

}  // namespace

TEST_CASE("constants: families") {
  CHECK(all_different({AF_UNSPEC, AF_INET, AF_INET6}));
  CHECK(AF_UNSPEC == 0);
  CHECK(AF_INET == 2);
#ifdef AF_UNIX
  CHECK(AF_UNIX == 1);
#endif
}

TEST_CASE("constants: AF_UNIX is defined together with its address") {
#ifdef AF_UNIX
  CHECK(sizeof(sockaddr_un::sun_path) >= 92);
#endif
  SUCCEED("a system without AF_UNIX has compiled this as well");
}

TEST_CASE("constants: socket types") {
  CHECK(all_different({SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_RDM, SOCK_SEQPACKET}));
  CHECK(SOCK_RAW == 3);
  CHECK(SOCK_RDM == 4);
  CHECK(SOCK_SEQPACKET == 5);
  CHECK(SOCK_STREAM + SOCK_DGRAM == 3);
}

TEST_CASE("constants: socket options") {
  CHECK(all_different({SO_REUSEADDR, SO_KEEPALIVE, SO_BROADCAST, SO_ERROR, SO_TYPE, SO_LINGER,
                       SO_RCVBUF, SO_SNDBUF, SO_OOBINLINE, SO_DONTROUTE}));
#ifdef SO_REUSEPORT
  CHECK(SO_REUSEPORT != SO_REUSEADDR);
#endif
}

TEST_CASE("constants: the backlog limit") { CHECK(SOMAXCONN >= 5); }

TEST_CASE("constants: message flags") {
  CHECK(bits_apart({MSG_OOB, MSG_PEEK, MSG_DONTROUTE, MSG_WAITALL, MSG_TRUNC, MSG_CTRUNC}));
  CHECK(MSG_OOB == 1);
  CHECK(MSG_PEEK == 2);
  CHECK(MSG_DONTROUTE == 4);
#if defined(MSG_NOSIGNAL) && defined(MSG_DONTWAIT)
  CHECK(bits_apart({MSG_OOB, MSG_PEEK, MSG_DONTROUTE, MSG_WAITALL, MSG_TRUNC, MSG_CTRUNC,
                    MSG_NOSIGNAL, MSG_DONTWAIT}));
#endif
}

TEST_CASE("constants: option levels") {
  CHECK(all_different({SOL_SOCKET, SOL_IP, SOL_TCP, SOL_UDP}));
  CHECK(SOL_IP == 0);
  CHECK(SOL_TCP == 6);
  CHECK(SOL_UDP == 17);
}

TEST_CASE("constants: protocols have their assigned numbers") {
  CHECK(IPPROTO_IP == 0);
  CHECK(IPPROTO_ICMP == 1);
  CHECK(IPPROTO_TCP == 6);
  CHECK(IPPROTO_UDP == 17);
  CHECK(IPPROTO_IPV6 == 41);
  CHECK(IPPROTO_ICMPV6 == 58);
  CHECK(IPPROTO_RAW == 255);
}

TEST_CASE("constants: port limits") {
  CHECK(IPPORT_RESERVED == 1024);
  CHECK(IPPORT_USERRESERVED == 5000);
}

TEST_CASE("constants: well-known addresses are in host byte order") {
  CHECK(INADDR_ANY == 0);
  CHECK(INADDR_LOOPBACK == 0x7f000001U);
  CHECK(INADDR_BROADCAST == 0xffffffffU);
  CHECK(INADDR_NONE == 0xffffffffU);
  CHECK(INADDR_UNSPEC_GROUP == 0xe0000000U);
  CHECK(INADDR_ALLHOSTS_GROUP == 0xe0000001U);
  CHECK(INADDR_MAX_LOCAL_GROUP == 0xe00000ffU);
}

TEST_CASE("constants: IPv4 options") {
  CHECK(all_different({IP_OPTIONS, IP_HDRINCL, IP_TOS, IP_TTL}));
  CHECK(all_different({IP_MULTICAST_IF, IP_MULTICAST_TTL, IP_MULTICAST_LOOP, IP_ADD_MEMBERSHIP,
                       IP_DROP_MEMBERSHIP}));
}

TEST_CASE("constants: IPv6 options") {
  CHECK(all_different({IPV6_UNICAST_HOPS, IPV6_MULTICAST_IF, IPV6_MULTICAST_HOPS,
                       IPV6_MULTICAST_LOOP, IPV6_JOIN_GROUP, IPV6_LEAVE_GROUP, IPV6_V6ONLY}));
}

TEST_CASE("constants: resolver errors") {
  CHECK(all_different({0, EAI_AGAIN, EAI_BADFLAGS, EAI_FAIL, EAI_FAMILY, EAI_MEMORY, EAI_NONAME,
                       EAI_SERVICE, EAI_SOCKTYPE}));
}

TEST_CASE("constants: resolver flags") {
  CHECK(bits_apart({AI_PASSIVE, AI_CANONNAME, AI_NUMERICHOST}));
#if defined(AI_NUMERICSERV) && defined(AI_V4MAPPED) && defined(AI_ALL) && defined(AI_ADDRCONFIG)
  CHECK(bits_apart({AI_PASSIVE, AI_CANONNAME, AI_NUMERICHOST, AI_NUMERICSERV, AI_V4MAPPED, AI_ALL,
                    AI_ADDRCONFIG}));
#endif
}

TEST_CASE("constants: name lookup flags and limits") {
  CHECK(bits_apart({NI_NUMERICHOST, NI_NUMERICSERV, NI_NAMEREQD, NI_NOFQDN, NI_DGRAM}));
  CHECK(NI_MAXHOST == expected_maxhost);
  CHECK(NI_MAXSERV == 32);
}

TEST_CASE("constants: TCP options") {
  CHECK(TCP_NODELAY == 1);
#if defined(TCP_KEEPINTVL) && defined(TCP_KEEPCNT)
  CHECK(all_different({TCP_NODELAY, TCP_KEEPINTVL, TCP_KEEPCNT}));
#endif
}

TEST_CASE("constants: the directions of shutdown") {
  CHECK(SHUT_RD == 0);
  CHECK(SHUT_WR == 1);
  CHECK(SHUT_RDWR == 2);
}

TEST_CASE("constants: the UDP-Lite options are defined together with the protocol") {
#ifdef IPPROTO_UDPLITE
  CHECK(UDPLITE_SEND_CSCOV == 10);
  CHECK(UDPLITE_RECV_CSCOV == 11);
#endif
  SUCCEED("a system without UDP-Lite has compiled this as well");
}
