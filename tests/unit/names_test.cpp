// SPDX-License-Identifier: MIT
#include <pysock/constants.hpp>
#include <pysock/names.hpp>
#include <string>

#include "support/catch.hpp"

using pysock::family_name;
using pysock::msg_flag_names;
using pysock::type_name;

TEST_CASE("family_name: the spelling of the enumeration", "[names]") {
  CHECK(family_name(AF_INET) == "AF_INET");
  CHECK(family_name(AF_INET6) == "AF_INET6");
  CHECK(family_name(AF_UNSPEC) == "AF_UNSPEC");
#ifdef AF_UNIX
  CHECK(family_name(AF_UNIX) == "AF_UNIX");
#endif
#ifdef AF_NETLINK
  CHECK(family_name(AF_NETLINK) == "AF_NETLINK");
#endif
#ifdef AF_PACKET
  CHECK(family_name(AF_PACKET) == "AF_PACKET");
#endif
#ifdef AF_VSOCK
  CHECK(family_name(AF_VSOCK) == "AF_VSOCK");
#endif
#ifdef AF_BLUETOOTH
  CHECK(family_name(AF_BLUETOOTH) == "AF_BLUETOOTH");
#endif
}

TEST_CASE("family_name: a number without a name is printed as it is", "[names]") {
  CHECK(family_name(9999) == "9999");
  CHECK(family_name(-1) == "-1");
}

TEST_CASE("type_name: the spelling of the enumeration, else the number", "[names]") {
  CHECK(type_name(SOCK_STREAM) == "SOCK_STREAM");
  CHECK(type_name(SOCK_DGRAM) == "SOCK_DGRAM");
  CHECK(type_name(SOCK_RAW) == "SOCK_RAW");
  CHECK(type_name(SOCK_RDM) == "SOCK_RDM");
  CHECK(type_name(SOCK_SEQPACKET) == "SOCK_SEQPACKET");
  CHECK(type_name(0) == "0");
  CHECK(type_name(9999) == "9999");
#ifdef SOCK_CLOEXEC
  CHECK(type_name(SOCK_CLOEXEC) == "SOCK_CLOEXEC");
  CHECK(type_name(SOCK_STREAM | SOCK_CLOEXEC) == std::to_string(SOCK_STREAM | SOCK_CLOEXEC));
#endif
}

TEST_CASE("msg_flag_names: every flag once, unnamed bits in hexadecimal", "[names]") {
  CHECK(msg_flag_names(0) == "0");
  CHECK(msg_flag_names(MSG_PEEK) == "MSG_PEEK");
  CHECK(msg_flag_names(MSG_OOB | MSG_PEEK | MSG_DONTROUTE) == "MSG_OOB|MSG_PEEK|MSG_DONTROUTE");
  CHECK(msg_flag_names(MSG_PEEK | MSG_WAITALL) ==
        (MSG_PEEK < MSG_WAITALL ? "MSG_PEEK|MSG_WAITALL" : "MSG_WAITALL|MSG_PEEK"));
  CHECK(msg_flag_names(MSG_TRUNC) == "MSG_TRUNC");
  CHECK(msg_flag_names(MSG_CTRUNC) == "MSG_CTRUNC");
  // The highest bit has no name on any system.
  CHECK(msg_flag_names(static_cast<int>(0x80000000U)) == "0x80000000");
  CHECK(msg_flag_names(static_cast<int>(0x80000000U | MSG_PEEK)) == "MSG_PEEK|0x80000000");
#ifdef MSG_NOSIGNAL
  CHECK(msg_flag_names(MSG_NOSIGNAL) == "MSG_NOSIGNAL");
#endif
#ifdef MSG_CMSG_CLOEXEC
  CHECK(msg_flag_names(MSG_CMSG_CLOEXEC) == "MSG_CMSG_CLOEXEC");
#endif
}
