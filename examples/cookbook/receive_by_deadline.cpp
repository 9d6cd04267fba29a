// SPDX-License-Identifier: MIT
// Connects and receives exactly `size` bytes, all within one deadline:
// receive_by_deadline port size seconds. In Python:
//
//     import socket, sys, time
//
//     port, size, limit = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
//     deadline = time.monotonic() + limit
//     data = b''
//     try:
//         s = socket.create_connection(('127.0.0.1', port), limit)
//         while len(data) < size:
//             left = deadline - time.monotonic()
//             if left <= 0:
//                 raise TimeoutError
//             s.settimeout(left)
//             piece = s.recv(size - len(data))
//             if not piece:
//                 sys.exit(f'The stream ended after {len(data)} of {size} bytes')
//             data += piece
//     except TimeoutError:
//         sys.exit(f'Timed out after {len(data)} of {size} bytes')
//     print('Received', data.decode())
#include <chrono>
#include <iostream>
#include <pysock/pysock.hpp>

namespace sk = pysock;
using steady_clock = std::chrono::steady_clock;

int main(int argc, char** argv) try {
  if (argc != 4) throw std::invalid_argument("usage: receive_by_deadline port size seconds");
  const std::size_t size = std::stoul(argv[2]);
  const std::chrono::duration<double> limit(std::stod(argv[3]));
  const auto deadline =
      steady_clock::now() + std::chrono::duration_cast<steady_clock::duration>(limit);
  try {
    // The socket keeps the deadline, so it also bounds recv_exactly.
    sk::socket s = sk::create_connection({"127.0.0.1", std::stoi(argv[1])}, deadline);
    const std::string data = s.recv_exactly(size);
    std::cout << "Received " << data << '\n';
  } catch (const sk::timeout& e) {
    std::cerr << "Timed out after " << e.transferred() << " of " << size << " bytes\n";
    return 1;
  } catch (const sk::incomplete_read_error& e) {
    std::cerr << "The stream ended after " << e.partial().size() << " of " << size << " bytes\n";
    return 1;
  }
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
