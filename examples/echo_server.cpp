// SPDX-License-Identifier: MIT
// An echo server over IPv4, for one client: echo_server [port]. In Python:
//
//     import socket, sys
//
//     s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
//     s.bind(('', int(sys.argv[1]) if sys.argv[1:] else 50007))
//     s.listen(1)
//     print('Listening on', s.getsockname(), flush=True)
//     conn, addr = s.accept()
//     print('Connected by', addr)
//     while data := conn.recv(1024):
//         conn.sendall(data)
#include <iostream>
#include <pysock/pysock.hpp>

namespace sk = pysock;

int main(int argc, char** argv) try {
  sk::socket s(AF_INET, SOCK_STREAM);
  s.bind({"", argc > 1 ? std::stoi(argv[1]) : 50007});
  s.listen(1);
  std::cout << "Listening on " << s.getsockname() << std::endl;
  auto [conn, addr] = s.accept();
  std::cout << "Connected by " << addr << '\n';
  for (std::string data; !(data = conn.recv(1024)).empty();) conn.sendall(data);
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
