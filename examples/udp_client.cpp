// SPDX-License-Identifier: MIT
// A client of udp_server, which waits five seconds for its answer and then ends the server:
// udp_client [port [host]]. In Python:
//
//     import socket, sys
//
//     port, host = sys.argv[1:] + ['50007', 'localhost'][len(sys.argv) - 1:]
//     server = (host, int(port))
//     s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
//     s.settimeout(5)
//     s.sendto(b'Hello, world', server)
//     data, addr = s.recvfrom(1024)
//     print('Received', data.decode())
//     s.sendto(b'', server)
#include <iostream>
#include <pysock/pysock.hpp>

namespace sk = pysock;

int main(int argc, char** argv) try {
  const int port = argc > 1 ? std::stoi(argv[1]) : 50007;
  const std::string host = argc > 2 ? argv[2] : "localhost";
  const sk::address server(host, port);
  sk::socket s(AF_INET, SOCK_DGRAM);
  s.settimeout(5);
  (void)s.sendto("Hello, world", server);
  const auto [data, addr] = s.recvfrom(1024);
  std::cout << "Received " << data << '\n';
  (void)s.sendto("", server);
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
