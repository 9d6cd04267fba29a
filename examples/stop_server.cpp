// SPDX-License-Identifier: MIT
// An echo server with a thread for each client that Ctrl-C stops at once, whatever its threads are
// waiting for: stop_server [port]. In Python:
//
//     import socket, sys, threading
//
//     connections = set()
//
//     def serve(conn):
//         try:
//             while data := conn.recv(65536):
//                 conn.sendall(data)
//         except OSError:
//             pass
//         connections.discard(conn)
//
//     s = socket.create_server(('', int(sys.argv[1]) if sys.argv[1:] else 50007))
//     print('Listening on', s.getsockname(), flush=True)
//     try:
//         while True:
//             conn, addr = s.accept()
//             connections.add(conn)
//             threading.Thread(target=serve, args=(conn,)).start()
//     except KeyboardInterrupt:
//         for conn in list(connections):
//             conn.shutdown(socket.SHUT_RDWR)
//     print('Stopped')
#include <csignal>
#include <iostream>
#include <pysock/pysock.hpp>
#include <thread>
#include <vector>

namespace sk = pysock;

namespace {

sk::interrupter stop;

// The connection has inherited the listener's interrupter.
void serve(sk::socket conn) {
  try {
    for (std::string data; !(data = conn.recv(65536)).empty();) conn.sendall(data);
  } catch (const sk::error&) {
    // The client has disconnected, or the server stops.
  }
}

}  // namespace

int main(int argc, char** argv) try {
  std::signal(SIGINT, [](int) { stop.interrupt(); });
  sk::socket s = sk::create_server({"", argc > 1 ? std::stoi(argv[1]) : 50007});
  s.set_interrupter(stop);
  std::cout << "Listening on " << s.getsockname() << std::endl;
  std::vector<std::thread> threads;
  try {
    while (true) threads.emplace_back(serve, s.accept().conn);
  } catch (const sk::interrupted_error&) {
  }
  for (std::thread& one : threads) one.join();
  std::cout << "Stopped\n";
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
