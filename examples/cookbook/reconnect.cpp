// SPDX-License-Identifier: MIT
// Prints the lines of a server, and connects again when the connection ends, until a line `bye`.
// The waits double up to a limit and are random below it, so that many clients do not connect at
// the same time: reconnect [port [attempts]]. In Python:
//
//     import random, socket, sys, time
//
//     port, attempts = sys.argv[1:] + ['50007', '10'][len(sys.argv) - 1:]
//     failures = 0
//     while failures < int(attempts):
//         try:
//             with socket.create_connection(('127.0.0.1', int(port)), 10) as s:
//                 s.settimeout(60)
//                 for line in s.makefile():
//                     failures = 0
//                     print(line, end='', flush=True)
//                     if line == 'bye\n':
//                         sys.exit()
//             print('The server closed the connection', file=sys.stderr, flush=True)
//         except OSError as e:
//             print(e, file=sys.stderr, flush=True)
//         time.sleep(random.uniform(0, min(0.1 * 2 ** failures, 5)))
//         failures += 1
//     sys.exit(f'{attempts} attempts have failed')
#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>
#include <pysock/pysock.hpp>
#include <random>
#include <thread>

namespace sk = pysock;

int main(int argc, char** argv) try {
  const int port = argc > 1 ? std::stoi(argv[1]) : 50007;
  const int attempts = argc > 2 ? std::stoi(argv[2]) : 10;
  std::mt19937 random(std::random_device{}());
  for (int failures = 0; failures < attempts; ++failures) {
    try {
      sk::socket s = sk::create_connection({"127.0.0.1", port}, 10);
      s.settimeout(60);  // longer than the silence of a server that works
      sk::file lines = s.makefile();
      for (const std::string& line : lines) {
        failures = 0;  // not when connected: if a server closes at once, the waits must grow
        std::cout << line << std::flush;
        if (line == "bye\n") return 0;
      }
      std::cerr << "The server closed the connection" << std::endl;
    } catch (const sk::error& e) {
      std::cerr << e.what() << std::endl;
    }
    const double limit = std::min(0.1 * std::pow(2, failures), 5.0);
    const std::chrono::duration<double> wait(std::uniform_real_distribution<>(0, limit)(random));
    std::this_thread::sleep_for(wait);
  }
  std::cerr << attempts << " attempts have failed\n";
  return 1;
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
