// SPDX-License-Identifier: MIT
// Sends one message to a group through one interface. The message does not leave this machine:
// multicast_sender [port [group [interface]]], as multicast_receiver. In Python:
//
//     import socket, sys
//
//     port, group, interface = (sys.argv[1:] +
//                               ['50007', '239.255.42.99', '127.0.0.1'][len(sys.argv) - 1:])
//     family = socket.getaddrinfo(group, port, type=socket.SOCK_DGRAM)[0][0]
//     s = socket.socket(family, socket.SOCK_DGRAM)
//     if family == socket.AF_INET6:
//         index = socket.if_nametoindex(interface)
//         s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
//         s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 0)
//     else:
//         s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
//         s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 0)
//     s.sendto(b'Hello, group', (group, int(port)))
//     print('Sent through', interface)
#include <iostream>
#include <pysock/pysock.hpp>

namespace sk = pysock;

int main(int argc, char** argv) try {
  const std::string group = argc > 2 ? argv[2] : "239.255.42.99";
  const std::string interface_ = argc > 3 ? argv[3] : "127.0.0.1";
  const sk::address to(group, argc > 1 ? std::stoi(argv[1]) : 50007);
  sk::socket s(to.family(), SOCK_DGRAM);
  if (s.family() == AF_INET6) {
    const auto index = static_cast<int>(sk::if_nametoindex(interface_));
    s.setsockopt(IPPROTO_IPV6, IPV6_MULTICAST_IF, index);
    s.setsockopt(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 0);
  } else {
    s.setsockopt(IPPROTO_IP, IP_MULTICAST_IF, sk::inet_aton(interface_));
    s.setsockopt(IPPROTO_IP, IP_MULTICAST_TTL, 0);
  }
  (void)s.sendto("Hello, group", to);
  std::cout << "Sent through " << interface_ << '\n';
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
