// SPDX-License-Identifier: MIT
// Keep-alive, TCP_NODELAY and SO_LINGER on one connection: tcp_options [port [host]]. In Python:
//
//     import socket, struct, sys
//
//     port, host = sys.argv[1:] + ['50007', '127.0.0.1'][len(sys.argv) - 1:]
//     s = socket.create_connection((host, int(port)), 30)
//     s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
//     s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
//     if hasattr(socket, 'SIO_KEEPALIVE_VALS'):
//         s.ioctl(socket.SIO_KEEPALIVE_VALS, (1, 60000, 10000))
//     elif hasattr(socket, 'TCP_KEEPIDLE'):
//         s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)
//         s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)
//         s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
//         print('idle seconds', s.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE))
//     s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
//     print('keep-alive', int(s.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) != 0))
//     print('no delay', int(s.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0))
//     s.close()
#include <iostream>
#include <pysock/pysock.hpp>

#ifndef _WIN32
#include <netinet/tcp.h>
#endif

namespace sk = pysock;

int main(int argc, char** argv) try {
  const int port = argc > 1 ? std::stoi(argv[1]) : 50007;
  const std::string host = argc > 2 ? argv[2] : "127.0.0.1";
  sk::socket s = sk::create_connection({host, port}, 30);

  // Small messages are sent at once, also while earlier ones have not been acknowledged.
  s.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);

  // Detects within 60 + 3 * 10 seconds that a silent peer no longer exists; the default is two
  // hours.
  s.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1);
#if defined(SIO_KEEPALIVE_VALS)
  s.ioctl(SIO_KEEPALIVE_VALS, {1, 60000, 10000});  // milliseconds
#elif defined(TCP_KEEPIDLE)
  s.setsockopt(IPPROTO_TCP, TCP_KEEPIDLE, 60);
  s.setsockopt(IPPROTO_TCP, TCP_KEEPINTVL, 10);
  s.setsockopt(IPPROTO_TCP, TCP_KEEPCNT, 3);
  std::cout << "idle seconds " << s.getsockopt(IPPROTO_TCP, TCP_KEEPIDLE) << '\n';
#endif

  // close() resets the connection and discards what was not sent. Use it only to abort a
  // connection.
  s.setsockopt(SOL_SOCKET, SO_LINGER, linger{1, 0});

  std::cout << "keep-alive " << (s.getsockopt(SOL_SOCKET, SO_KEEPALIVE) != 0) << '\n';
  std::cout << "no delay " << (s.getsockopt(IPPROTO_TCP, TCP_NODELAY) != 0) << '\n';
  s.close();
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
