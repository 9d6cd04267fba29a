// SPDX-License-Identifier: MIT
// Connects without waiting, and polls until the connect has ended: nonblocking_connect [port
// [host]]. In Python:
//
//     import errno, os, select, socket, sys
//
//     port, host = sys.argv[1:] + ['50007', '127.0.0.1'][len(sys.argv) - 1:]
//     s = socket.socket()
//     s.setblocking(False)
//     result = s.connect_ex((host, int(port)))
//     if result == errno.EINPROGRESS:
//         print('Under way')
//         poller = select.poll()
//         poller.register(s.fileno(), select.POLLOUT)
//         while not poller.poll(1000):
//             print('Still under way')  # or do other work in the meantime
//         result = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
//     if result != 0:
//         sys.exit(os.strerror(result))
//     print('Connected to', s.getpeername())
#include <poll.h>

#include <cerrno>
#include <iostream>
#include <pysock/pysock.hpp>

namespace sk = pysock;

int main(int argc, char** argv) try {
  const int port = argc > 1 ? std::stoi(argv[1]) : 50007;
  const std::string host = argc > 2 ? argv[2] : "127.0.0.1";
  sk::socket s;
  s.setblocking(false);
  int result = s.connect_ex({host, port});
  if (result == EINPROGRESS) {
    std::cout << "Under way\n";
    pollfd entry{s.fileno(), POLLOUT, 0};
    while (::poll(&entry, 1, 1000) != 1)
      std::cout << "Still under way\n";  // or do other work in the meantime
    result = s.getsockopt(SOL_SOCKET, SO_ERROR);
  }
  if (result != 0) {
    std::cerr << std::generic_category().message(result) << '\n';
    return 1;
  }
  std::cout << "Connected to " << s.getpeername() << '\n';
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
