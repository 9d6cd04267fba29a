// SPDX-License-Identifier: MIT
// Fetches a page from an HTTP server that listens on an AF_UNIX path, as Docker's does:
// unix_http_get path [target]. In Python:
//
//     import socket, sys
//
//     s = socket.socket(socket.AF_UNIX)
//     s.settimeout(10)
//     s.connect(sys.argv[1])
//     target = sys.argv[2] if sys.argv[2:] else '/'
//     s.sendall(f'GET {target} HTTP/1.0\r\nHost: localhost\r\n\r\n'.encode())
//     f = s.makefile('rb')
//     print(f.readline().decode().rstrip())
//     while f.readline().rstrip():
//         pass
//     print(f.read().decode(), end='')
#include <iostream>
#include <pysock/pysock.hpp>

namespace sk = pysock;

int main(int argc, char** argv) try {
  if (argc < 2) throw std::invalid_argument("usage: unix_http_get path [target]");
  const std::string target = argc > 2 ? argv[2] : "/";
  sk::socket s = sk::create_connection(std::string(argv[1]), 10);
  // After HTTP/1.0 the server closes the connection, and sends no chunks.
  s.sendall("GET " + target + " HTTP/1.0\r\nHost: localhost\r\n\r\n");
  sk::file f = s.makefile();
  const std::string status = f.readline(8192);
  std::cout << status.substr(0, status.find_last_not_of("\r\n") + 1) << '\n';
  for (std::string line = f.readline(8192); !line.empty() && line != "\r\n" && line != "\n";)
    line = f.readline(8192);  // the headers
  std::cout << f.read();
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
