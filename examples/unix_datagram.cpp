// SPDX-License-Identifier: MIT
// Datagrams between two paths in the file system, both ends in one program: unix_datagram [path
// path]. In Python:
//
//     import os, socket, sys
//
//     here, there = sys.argv[1:] or ('a.sock', 'b.sock')
//     a = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
//     b = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
//     a.bind(here)
//     b.bind(there)
//     a.sendto(b'one', there)
//     a.sendto(b'two and more', there)
//     data, addr = b.recvfrom(1024)
//     print('Received', data.decode(), 'from', repr(addr))
//     print('Received', b.recv(3).decode())  # the rest of the message is lost
//     b.sendto(b'three', addr)
//     print('Received', a.recv(1024).decode())
//     os.remove(here)
//     os.remove(there)
#include <cstdio>
#include <iostream>
#include <pysock/pysock.hpp>

namespace sk = pysock;

int main(int argc, char** argv) try {
  const std::string here = argc > 2 ? argv[1] : "a.sock";
  const std::string there = argc > 2 ? argv[2] : "b.sock";
  sk::socket a(AF_UNIX, SOCK_DGRAM);
  sk::socket b(AF_UNIX, SOCK_DGRAM);
  a.bind(here);
  b.bind(there);
  (void)a.sendto("one", there);
  (void)a.sendto("two and more", there);
  const auto [data, addr] = b.recvfrom(1024);
  std::cout << "Received " << data << " from " << addr << '\n';
  std::cout << "Received " << b.recv(3) << '\n';  // the rest of the message is lost
  (void)b.sendto("three", addr);
  std::cout << "Received " << a.recv(1024) << '\n';
  std::remove(here.c_str());
  std::remove(there.c_str());
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
