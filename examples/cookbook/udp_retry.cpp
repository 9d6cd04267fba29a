// SPDX-License-Identifier: MIT
// Asks a UDP server, and asks again if no answer arrives: udp_retry [port [host [attempts]]]. The
// request contains an identifier, which the server sends back. In Python:
//
//     import secrets, socket, sys, time
//
//     port, host, attempts = sys.argv[1:] + ['50007', '127.0.0.1', '5'][len(sys.argv) - 1:]
//     family, kind, proto, _, server = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
//     s = socket.socket(family, kind, proto)
//     s.connect(server)
//     identifier = secrets.token_hex(4).encode() + b' '
//
//     def ask(wait):
//         deadline = time.monotonic() + wait
//         try:
//             s.send(identifier + b'Hello')
//             while (left := deadline - time.monotonic()) > 0:
//                 s.settimeout(left)
//                 answer = s.recv(1500)
//                 if answer.startswith(identifier):
//                     return answer[len(identifier):].decode()
//         except TimeoutError:
//             pass
//         except ConnectionRefusedError:
//             time.sleep(max(deadline - time.monotonic(), 0))
//
//     for attempt in range(int(attempts)):
//         if (answer := ask(0.25 * 2 ** attempt)) is not None:
//             print('Received', answer)
//             sys.exit()
//     sys.exit(f'no answer to {attempts} requests')
#include <chrono>
#include <iostream>
#include <optional>
#include <pysock/pysock.hpp>
#include <random>
#include <thread>

namespace sk = pysock;
using namespace std::chrono_literals;

namespace {

std::optional<std::string> ask(sk::socket& s, const std::string& identifier,
                               std::chrono::milliseconds wait) {
  const auto deadline = std::chrono::steady_clock::now() + wait;
  s.settimeout(deadline);
  try {
    (void)s.send(identifier + "Hello");
    while (true) {
      const std::string answer = s.recv(1500);
      if (answer.compare(0, identifier.size(), identifier) == 0)
        return answer.substr(identifier.size());
    }  // otherwise it is the answer to another request
  } catch (const sk::timeout&) {
  } catch (const sk::connection_refused_error&) {  // the server may start later
    std::this_thread::sleep_until(deadline);
  }
  return std::nullopt;
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string host = argc > 2 ? argv[2] : "127.0.0.1";
  const int attempts = argc > 3 ? std::stoi(argv[3]) : 5;
  const auto server = sk::getaddrinfo(host, argc > 1 ? argv[1] : "50007", 0, SOCK_DGRAM).at(0);
  sk::socket s(server.family, server.type, server.proto);
  s.connect(server.sockaddr);  // datagrams of others are not received
  const std::string identifier = std::to_string(std::random_device()()) + ' ';
  auto wait = 250ms;
  for (int i = 0; i < attempts; ++i, wait *= 2) {
    if (const auto answer = ask(s, identifier, wait)) {
      std::cout << "Received " << *answer << '\n';
      return 0;
    }
  }
  std::cerr << "no answer to " << attempts << " requests\n";
  return 1;
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
