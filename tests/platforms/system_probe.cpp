// SPDX-License-Identifier: MIT
// Tries what examples need by the own calls of the system that runs this; says why it cannot be, and nothing if it can:
// system_probe "AF_UNIX streams"|"AF_UNIX datagrams"|"multicast interface".
#include <iostream>

#include "support/raw.hpp"

namespace {

std::string why_no_unix_sockets(int type) {
  const auto made = ::socket(AF_UNIX, type, 0);
  if (made == static_cast<test_support::native_socket>(-1)) return test_support::because("::socket of AF_UNIX");
  pysock::close(static_cast<pysock::native_handle_type>(made));
  return "";
}

std::string why_no_multicast_interface() {
  const pysock::socket s(AF_INET, SOCK_DGRAM);
  in_addr loopback{};
  loopback.s_addr = htonl(INADDR_LOOPBACK);
  return test_support::raw_option(s, IPPROTO_IP, IP_MULTICAST_IF, loopback) == 0 ? ""
                                                                                 : test_support::because("::setsockopt of IP_MULTICAST_IF");
}

}  // namespace

int main(int argc, char** argv) {
  const pysock::socket starts_winsock;
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "AF_UNIX streams") {
    std::cout << why_no_unix_sockets(SOCK_STREAM);
  } else if (what == "AF_UNIX datagrams") {
    std::cout << why_no_unix_sockets(SOCK_DGRAM);
  } else if (what == "multicast interface") {
    std::cout << why_no_multicast_interface();
  } else {
    return 2;
  }
}
