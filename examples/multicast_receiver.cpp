// SPDX-License-Identifier: MIT
// Joins a group on one interface and prints one message to it:
// multicast_receiver [port [group [interface]]]. The interface of an IPv4 group is given by its
// address, that of an IPv6 group by its name. In Python:
//
//     import socket, struct, sys
//
//     port, group, interface = (sys.argv[1:] +
//                               ['50007', '239.255.42.99', '127.0.0.1'][len(sys.argv) - 1:])
//     family = socket.getaddrinfo(group, port, type=socket.SOCK_DGRAM)[0][0]
//     s = socket.socket(family, socket.SOCK_DGRAM)
//     s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # several receivers may share a port
//     s.bind(('', int(port)))
//     if family == socket.AF_INET6:
//         s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
//                      socket.inet_pton(family, group) +
//                      struct.pack('@I', socket.if_nametoindex(interface)))
//     else:
//         s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
//                      socket.inet_aton(group) + socket.inet_aton(interface))
//     print('Listening on', s.getsockname(), flush=True)
//     data, addr = s.recvfrom(1024)
//     print('Received', data.decode(), 'from', addr[0])
#include <cstring>
#include <iostream>
#include <pysock/pysock.hpp>

namespace sk = pysock;

int main(int argc, char** argv) try {
  const int port = argc > 1 ? std::stoi(argv[1]) : 50007;
  const std::string group = argc > 2 ? argv[2] : "239.255.42.99";
  const std::string interface_ = argc > 3 ? argv[3] : "127.0.0.1";
  sk::socket s(sk::address(group, port).family(), SOCK_DGRAM);
  s.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);  // several receivers may share a port
  s.bind({"", port});
  if (s.family() == AF_INET6) {
    ipv6_mreq membership{};
    const std::string packed = sk::inet_pton(AF_INET6, group);
    std::memcpy(&membership.ipv6mr_multiaddr, packed.data(), packed.size());
    membership.ipv6mr_interface = sk::if_nametoindex(interface_);
    s.setsockopt(IPPROTO_IPV6, IPV6_JOIN_GROUP, membership);
  } else {
    s.setsockopt(IPPROTO_IP, IP_ADD_MEMBERSHIP, sk::inet_aton(group) + sk::inet_aton(interface_));
  }
  std::cout << "Listening on " << s.getsockname() << std::endl;
  const auto [data, addr] = s.recvfrom(1024);
  std::cout << "Received " << data << " from " << addr.host() << '\n';
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
