// SPDX-License-Identifier: MIT
// Joins a group on the loopback and prints one message to it: multicast_receiver [port]. In Python:
//
//     import socket, sys
//
//     group, loopback = '239.255.42.99', '127.0.0.1'
//     s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
//     s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # several receivers may share a port
//     s.bind(('', int(sys.argv[1]) if sys.argv[1:] else 50007))
//     s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
//                  socket.inet_aton(group) + socket.inet_aton(loopback))
//     print('Listening on', s.getsockname(), flush=True)
//     data, addr = s.recvfrom(1024)
//     print('Received', data.decode(), 'from', addr)
#include <iostream>
#include <pysock/pysock.hpp>

namespace sk = pysock;

int main(int argc, char** argv) try {
  const std::string group = "239.255.42.99";
  const std::string loopback = "127.0.0.1";
  sk::socket s(AF_INET, SOCK_DGRAM);
  s.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);  // several receivers may share a port
  s.bind({"", argc > 1 ? std::stoi(argv[1]) : 50007});
  s.setsockopt(IPPROTO_IP, IP_ADD_MEMBERSHIP, sk::inet_aton(group) + sk::inet_aton(loopback));
  std::cout << "Listening on " << s.getsockname() << std::endl;
  const auto [data, addr] = s.recvfrom(1024);
  std::cout << "Received " << data << " from " << addr << '\n';
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
