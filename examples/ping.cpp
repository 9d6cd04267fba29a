// SPDX-License-Identifier: MIT
// Sends an ICMP echo request to this machine. Needs root. In Python:
//
//     import os, socket, struct, sys, time
//
//     def checksum(data):
//         total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
//         total = (total >> 16) + (total & 0xffff)
//         return ~(total + (total >> 16)) & 0xffff
//
//     try:
//         s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
//     except PermissionError:
//         sys.exit('A raw socket needs root')
//     s.settimeout(5)
//     mark = os.urandom(4) + b'ping of pysock'  # identifier, sequence number, data
//     packet = b'\10\0' + struct.pack('!H', checksum(b'\10\0' + mark)) + mark
//     start = time.monotonic()
//     s.sendto(packet, ('127.0.0.1', 0))
//     while True:
//         data, addr = s.recvfrom(1024)
//         reply = data[(data[0] & 15) * 4:]  # behind the IP header
//         if reply[0] == 0 and reply[4:] == mark:
//             break
//     passed = (time.monotonic() - start) * 1000
//     print(len(reply), 'bytes from', addr[0], 'after', passed, 'ms')
#include <algorithm>
#include <chrono>
#include <iostream>
#include <pysock/pysock.hpp>
#include <random>

namespace sk = pysock;
using steady = std::chrono::steady_clock;

// Returns two bytes in network order. The data must have an even length.
std::string checksum(const std::string& data) {
  unsigned total = 0;
  for (std::size_t i = 0; i < data.size(); i += 2) {
    total += static_cast<unsigned char>(data[i]) * 256U + static_cast<unsigned char>(data[i + 1]);
  }
  total = (total >> 16U) + (total & 0xFFFFU);
  total = ~(total + (total >> 16U));
  return {static_cast<char>(total >> 8U & 0xFFU), static_cast<char>(total & 0xFFU)};
}

int main() try {
  sk::socket s(AF_INET, SOCK_RAW, IPPROTO_ICMP);
  s.settimeout(5);
  std::random_device random;
  std::string mark = "....ping of pysock";  // identifier, sequence number, data
  std::generate_n(mark.begin(), 4, [&random] { return static_cast<char>(random()); });
  const std::string type("\10\0", 2);
  const auto start = steady::now();
  (void)s.sendto(type + checksum(type + mark) + mark, {"127.0.0.1", 0});
  for (;;) {
    const auto [data, addr] = s.recvfrom(1024);
    const std::string reply =
        data.substr((static_cast<unsigned char>(data[0]) & 15U) * 4);  // behind the IP header
    if (reply[0] != 0 || reply.substr(4) != mark) continue;
    const std::chrono::duration<double, std::milli> passed = steady::now() - start;
    std::cout << reply.size() << " bytes from " << addr.host() << " after " << passed.count()
              << " ms\n";
    return 0;
  }
} catch (const sk::permission_error&) {
  std::cerr << "A raw socket needs root\n";
  return 1;
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
