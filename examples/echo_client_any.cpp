// SPDX-License-Identifier: MIT
// A client of echo_server_any, which tries one address of the host after the other, as
// create_connection does in one call: echo_client_any [port [host]]. In Python:
//
//     import socket, sys
//
//     port, host = sys.argv[1:] + ['50007', 'localhost'][len(sys.argv) - 1:]
//     s = None
//     for res in socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM):
//         family, type, proto, canonname, sockaddr = res
//         try:
//             s = socket.socket(family, type, proto)
//             s.connect(sockaddr)
//             break
//         except OSError as e:
//             print(e)
//             s = None
//     if s is None:
//         sys.exit('could not connect')
//     s.sendall(b'Hello, world')
//     data = s.recv(1024)
//     s.close()
//     print('Received', data.decode())
#include <iostream>
#include <pysock/pysock.hpp>

namespace sk = pysock;

int main(int argc, char** argv) try {
  const std::string port = argc > 1 ? argv[1] : "50007";
  const std::string host = argc > 2 ? argv[2] : "localhost";
  sk::socket s(nullptr);
  for (const auto& [family, type, proto, canonname, sockaddr] :
       sk::getaddrinfo(host, port, 0, SOCK_STREAM)) {
    try {
      s = sk::socket(family, type, proto);
      s.connect(sockaddr);
      break;
    } catch (const sk::error& e) {
      std::cout << e.what() << '\n';
      s.close();
    }
  }
  if (!s) {
    std::cerr << "could not connect\n";
    return 1;
  }
  s.sendall("Hello, world");
  const std::string data = s.recv(1024);
  s.close();
  std::cout << "Received " << data << '\n';
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
