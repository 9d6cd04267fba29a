// SPDX-License-Identifier: MIT
// A connection over a path in the file system, both ends in one program: unix_stream [path].
// In Python:
//
//     import os, socket, sys
//
//     path = sys.argv[1] if sys.argv[1:] else 'stream.sock'
//     server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
//     server.bind(path)
//     server.listen()
//     client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
//     client.connect(path)
//     conn, addr = server.accept()
//     print('Connected to', repr(client.getpeername()), 'by', repr(addr))  # it has no name
//     client.sendall(b'Hello, world')
//     client.shutdown(socket.SHUT_WR)
//     while data := conn.recv(5):
//         print('Received', data.decode())
//     os.remove(path)  # close() does not remove it
#include <cstdio>
#include <iostream>
#include <pysock/pysock.hpp>

namespace sk = pysock;

int main(int argc, char** argv) try {
  const std::string path = argc > 1 ? argv[1] : "stream.sock";
  sk::socket server(AF_UNIX, SOCK_STREAM);
  server.bind(path);
  server.listen();
  sk::socket client(AF_UNIX, SOCK_STREAM);
  client.connect(path);
  auto [conn, addr] = server.accept();
  std::cout << "Connected to " << client.getpeername() << " by " << addr << '\n';  // unnamed
  client.sendall("Hello, world");
  client.shutdown(SHUT_WR);
  for (std::string data; !(data = conn.recv(5)).empty();) std::cout << "Received " << data << '\n';
  std::remove(path.c_str());  // close() does not remove it
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
