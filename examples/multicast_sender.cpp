// SPDX-License-Identifier: MIT
// Sends one message to the receivers on this machine: multicast_sender [port]. In Python:
//
//     import socket, sys
//
//     group, loopback = '239.255.42.99', '127.0.0.1'
//     s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
//     s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(loopback))
//     s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 0)  # no further than this machine
//     s.sendto(b'Hello, group', (group, int(sys.argv[1]) if sys.argv[1:] else 50007))
//     print('Sent from', s.getsockname())
#include <iostream>
#include <pysock/pysock.hpp>

namespace sk = pysock;

int main(int argc, char** argv) try {
  const std::string group = "239.255.42.99";
  const std::string loopback = "127.0.0.1";
  sk::socket s(AF_INET, SOCK_DGRAM);
  s.setsockopt(IPPROTO_IP, IP_MULTICAST_IF, sk::inet_aton(loopback));
  s.setsockopt(IPPROTO_IP, IP_MULTICAST_TTL, 0);  // no further than this machine
  (void)s.sendto("Hello, group", {group, argc > 1 ? std::stoi(argv[1]) : 50007});
  std::cout << "Sent from " << s.getsockname() << '\n';
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
