// SPDX-License-Identifier: MIT
// Passes accepted connections to worker processes, in turn: worker_server [port]. In Python:
//
//     import os, socket, sys
//
//     def work(channel):
//         while True:
//             data, fds, _, _ = socket.recv_fds(channel, 1, 1)
//             if not fds:
//                 os._exit(0)  # the parent has ended
//             with socket.socket(fileno=fds[0]) as conn:
//                 conn.settimeout(5)
//                 try:
//                     conn.sendall(f'served by process {os.getpid()}\n'.encode())
//                 except OSError as e:
//                     print(e, file=sys.stderr)
//
//     s = socket.create_server(('', int(sys.argv[1]) if sys.argv[1:] else 50007))
//     workers = []
//     for _ in range(2):
//         ours, theirs = socket.socketpair()
//         if os.fork() == 0:
//             for one in (s, ours, *workers):
//                 one.close()
//             work(theirs)
//         workers.append(ours)
//         theirs.close()
//     print('Listening on', s.getsockname(), flush=True)
//     while True:
//         for worker in workers:
//             with s.accept()[0] as conn:
//                 socket.send_fds(worker, [b'x'], [conn.fileno()])
#include <unistd.h>

#include <cerrno>
#include <iostream>
#include <pysock/pysock.hpp>
#include <vector>

namespace sk = pysock;

namespace {

void work(sk::socket& channel) {
  while (true) {
    sk::recv_fds_result received = sk::recv_fds(channel, 1, 1);
    if (received.fds.empty()) return;  // the parent has ended
    try {
      sk::socket conn = sk::from_fileno(received.fds[0].get());
      (void)received.fds[0].release();  // conn owns it now
      conn.settimeout(5);
      conn.sendall("served by process " + std::to_string(::getpid()) + '\n');
    } catch (const sk::error& e) {
      std::cerr << e.what() << '\n';
    }
  }
}

}  // namespace

int main(int argc, char** argv) try {
  sk::socket s = sk::create_server({"", argc > 1 ? std::stoi(argv[1]) : 50007});
  std::vector<sk::socket> workers;
  for (int i = 0; i < 2; ++i) {
    auto [ours, theirs] = sk::socketpair();
    const pid_t child = ::fork();
    if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (child ==
        0) {  // closes the parent's ends, or the workers would never see the end of the stream
      s.close();
      ours.close();
      workers.clear();
      work(theirs);
      ::_exit(0);
    }
    workers.push_back(std::move(ours));
  }
  std::cout << "Listening on " << s.getsockname() << std::endl;
  while (true) {
    for (sk::socket& worker : workers) {
      const sk::socket conn = s.accept().conn;
      (void)sk::send_fds(worker, {"x"}, {conn.fileno()});  // a stream needs one byte at least
    }                                                      // closes the parent's descriptor
  }
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
