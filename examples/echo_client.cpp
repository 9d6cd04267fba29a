// SPDX-License-Identifier: MIT
// A client of echo_server: echo_client [port [host]]. In Python:
//
//     import socket, sys
//
//     port, host = sys.argv[1:] + ['50007', 'localhost'][len(sys.argv) - 1:]
//     s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
//     s.connect((host, int(port)))
//     s.sendall(b'Hello, world')
//     data = s.recv(1024)
//     s.close()
//     print('Received', data.decode())
#include <iostream>
#include <pysock/pysock.hpp>

namespace sk = pysock;

int main(int argc, char** argv) try {
  const int port = argc > 1 ? std::stoi(argv[1]) : 50007;
  const std::string host = argc > 2 ? argv[2] : "localhost";
  sk::socket s(AF_INET, SOCK_STREAM);
  s.connect({host, port});
  s.sendall("Hello, world");
  const std::string data = s.recv(1024);
  s.close();
  std::cout << "Received " << data << '\n';
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
