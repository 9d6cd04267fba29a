// SPDX-License-Identifier: MIT
// Tells each client of an AF_UNIX path its process and user as the kernel reports them, and serves
// only processes of the same user: peer_credentials_server path. Linux has SO_PEERCRED. In Python:
//
//     import contextlib, os, socket, struct, sys
//
//     with contextlib.suppress(FileNotFoundError):
//         os.remove(sys.argv[1])
//     s = socket.socket(socket.AF_UNIX)
//     s.bind(sys.argv[1])
//     s.listen()
//     print('Listening', flush=True)
//     while True:
//         conn, _ = s.accept()
//         try:
//             conn.settimeout(5)
//             data = conn.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
//             pid, uid, gid = struct.unpack('3i', data)
//             if uid == os.getuid():
//                 conn.sendall(f'process {pid}, user {uid}\n'.encode())
//         except OSError as e:
//             print(e, file=sys.stderr)
//         conn.close()
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <pysock/pysock.hpp>

namespace sk = pysock;

int main(int argc, char** argv) try {
  if (argc < 2) throw std::invalid_argument("usage: peer_credentials_server path");
  std::remove(argv[1]);  // the path of an earlier run; bind() fails if it exists
  sk::socket s = sk::create_server(sk::address(argv[1]));
  std::cout << "Listening" << std::endl;
  while (true) {
    sk::socket conn = s.accept().conn;
    try {
      conn.settimeout(5);
      // The process that called connect(), at that time.
      const auto peer = conn.getsockopt<ucred>(SOL_SOCKET, SO_PEERCRED);
      if (peer.uid == ::getuid())
        conn.sendall("process " + std::to_string(peer.pid) + ", user " + std::to_string(peer.uid) +
                     '\n');
    } catch (const sk::error& e) {
      std::cerr << e.what() << '\n';
    }
  }
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
