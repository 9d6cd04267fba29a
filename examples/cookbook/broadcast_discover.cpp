// SPDX-License-Identifier: MIT
// Asks all hosts of a network with one broadcast, and prints those that answer in time:
// broadcast_discover [port [broadcast address [own address [seconds]]]]. The own address chooses
// the interface. In Python:
//
//     import socket, sys, time
//
//     port, everybody, own, seconds = (
//         sys.argv[1:] + ['50007', '255.255.255.255', '0.0.0.0', '1'][len(sys.argv) - 1:])
//     s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
//     s.bind((own, 0))
//     s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
//     s.sendto(b'who serves?', (everybody, int(port)))
//     deadline = time.monotonic() + float(seconds)
//     try:
//         while (left := deadline - time.monotonic()) > 0:
//             s.settimeout(left)
//             data, addr = s.recvfrom(1500)
//             print(addr[0], 'answers', data.decode())
//     except TimeoutError:
//         pass
#include <chrono>
#include <iostream>
#include <pysock/pysock.hpp>

namespace sk = pysock;

int main(int argc, char** argv) try {
  const int port = argc > 1 ? std::stoi(argv[1]) : 50007;
  const std::string everybody = argc > 2 ? argv[2] : "255.255.255.255";
  const std::string own = argc > 3 ? argv[3] : "0.0.0.0";
  const std::chrono::duration<double> time(argc > 4 ? std::stod(argv[4]) : 1);
  sk::socket s(AF_INET, SOCK_DGRAM);
  s.bind({own, 0});
  s.setsockopt(SOL_SOCKET, SO_BROADCAST, 1);
  (void)s.sendto("who serves?", {everybody, port});
  s.settimeout(std::chrono::steady_clock::now() +
               std::chrono::duration_cast<std::chrono::steady_clock::duration>(time));
  try {
    while (true) {
      const auto [data, addr] = s.recvfrom(1500);
      std::cout << addr.host() << " answers " << data << std::endl;
    }
  } catch (const sk::timeout&) {
  }
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
