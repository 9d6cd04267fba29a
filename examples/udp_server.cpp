// SPDX-License-Identifier: MIT
// Sends datagrams back in capitals, until an empty one arrives: udp_server [port]. In Python:
//
//     import socket, sys
//
//     s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
//     s.bind(('', int(sys.argv[1]) if sys.argv[1:] else 50007))
//     print('Listening on', s.getsockname(), flush=True)
//     while True:
//         data, addr = s.recvfrom(1024)
//         if not data:
//             break
//         print('Received', data.decode(), 'from', addr)
//         s.sendto(data.upper(), addr)
#include <algorithm>
#include <cctype>
#include <iostream>
#include <pysock/pysock.hpp>

namespace sk = pysock;

int main(int argc, char** argv) try {
  sk::socket s(AF_INET, SOCK_DGRAM);
  s.bind({"", argc > 1 ? std::stoi(argv[1]) : 50007});
  std::cout << "Listening on " << s.getsockname() << std::endl;
  for (;;) {
    auto [data, addr] = s.recvfrom(1024);
    if (data.empty()) break;
    std::cout << "Received " << data << " from " << addr << '\n';
    std::transform(data.begin(), data.end(), data.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    (void)s.sendto(data, addr);
  }
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
