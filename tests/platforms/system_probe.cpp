// SPDX-License-Identifier: MIT
// Tests with system calls whether the system has a feature that an example needs, and prints the
// reason if it does not: system_probe "AF_UNIX streams"|"AF_UNIX datagrams"|"multicast
// interface"|"poll()"|"epoll"|"passing descriptors"|"peer credentials".
#include <iostream>

#include "support/raw.hpp"

namespace {

std::string why_no_multicast_interface() {
  const pysock::socket s(AF_INET, SOCK_DGRAM);
  in_addr loopback{};
  loopback.s_addr = htonl(INADDR_LOOPBACK);
  return test_support::raw_option(s, IPPROTO_IP, IP_MULTICAST_IF, loopback) == 0
             ? ""
             : test_support::because("::setsockopt of IP_MULTICAST_IF");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "AF_UNIX streams") {
    std::cout << test_support::why_no_unix(SOCK_STREAM);
  } else if (what == "AF_UNIX datagrams") {
    std::cout << test_support::why_no_unix(SOCK_DGRAM);
  } else if (what == "multicast interface") {
    std::cout << why_no_multicast_interface();
  } else if (what == "poll()") {
#if !__has_include(<poll.h>)
    std::cout << "there is no poll()";
#endif
  } else if (what == "epoll") {
#if !__has_include(<sys/epoll.h>)
    std::cout << "there is no epoll";
#endif
  } else if (what == "passing descriptors") {
#ifndef SCM_RIGHTS
    std::cout << "descriptors cannot be passed";
#endif
  } else if (what == "peer credentials") {
#ifndef __linux__
    std::cout << "there is no SO_PEERCRED of Linux";
#endif
  } else {
    return 2;
  }
}
