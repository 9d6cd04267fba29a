// SPDX-License-Identifier: MIT
// Checks which of many servers accept connections, all within one deadline:
// health_check seconds host:port... In Python:
//
//     import concurrent.futures, socket, sys, time
//
//     deadline = time.monotonic() + float(sys.argv[1])
//
//     def check(server):
//         host, _, port = server.rpartition(':')
//         try:
//             left = max(deadline - time.monotonic(), 0.001)
//             socket.create_connection((host, port), left).close()
//             return 'up'
//         except OSError as e:
//             return e.strerror or str(e)
//
//     with concurrent.futures.ThreadPoolExecutor(100) as pool:
//         for server, state in zip(sys.argv[2:], pool.map(check, sys.argv[2:])):
//             print(server + ':', state)
#include <chrono>
#include <future>
#include <iostream>
#include <pysock/pysock.hpp>
#include <vector>

namespace sk = pysock;
using steady_clock = std::chrono::steady_clock;

namespace {

// The deadline bounds the lookup and all addresses of a host together.
std::string check(const std::string& server, steady_clock::time_point deadline) {
  const std::size_t colon = server.rfind(':');
  try {
    const auto options = sk::connection_options().happy_eyeballs_delay(0.25);
    (void)sk::create_connection({server.substr(0, colon), server.substr(colon + 1)}, deadline,
                                options);
    return "up";
  } catch (const sk::error& e) {
    return e.strerror();
  }
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 2) throw std::invalid_argument("usage: health_check seconds host:port...");
  const std::vector<std::string> servers(argv + 2, argv + argc);
  const std::chrono::duration<double> limit(std::stod(argv[1]));
  const auto deadline =
      steady_clock::now() + std::chrono::duration_cast<steady_clock::duration>(limit);
  std::vector<std::future<std::string>> states;
  states.reserve(servers.size());
  for (const std::string& server : servers)
    states.push_back(std::async(std::launch::async, check, server, deadline));
  for (std::size_t i = 0; i < servers.size(); ++i)
    std::cout << servers[i] << ": " << states[i].get() << '\n';
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
