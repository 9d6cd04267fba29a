// SPDX-License-Identifier: MIT
// A line protocol, with a thread for each client: PING, ADD 1 2, QUIT: line_server [port].
// In Python:
//
//     import socket, sys, threading
//
//     def answer(words):
//         if words == ['PING']:
//             return 'PONG'
//         if len(words) == 3 and words[0] == 'ADD':
//             try:
//                 return str(int(words[1]) + int(words[2]))
//             except ValueError:
//                 return 'ERROR not a number'
//         return 'ERROR unknown command'
//
//     def serve(conn):
//         conn.settimeout(30)
//         try:
//             with conn, conn.makefile('rwb') as f:
//                 while (line := f.readline(1000).decode()).endswith('\n') and line[:4] != 'QUIT':
//                     f.write(answer(line.split()).encode() + b'\n')
//                     f.flush()
//                 if line and not line.endswith('\n'):
//                     f.write(b'ERROR incomplete line\n')
//         except OSError as e:
//             print(e, file=sys.stderr)
//
//     s = socket.create_server(('', int(sys.argv[1]) if sys.argv[1:] else 50007))
//     print('Listening on', s.getsockname(), flush=True)
//     while True:
//         threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
#include <iostream>
#include <pysock/pysock.hpp>
#include <sstream>
#include <thread>

namespace sk = pysock;

namespace {

std::string answer(const std::string& line) {
  std::istringstream words(line);
  std::string command, rest;
  long a = 0, b = 0;
  words >> command;
  if (command == "PING") return "PONG";
  if (command != "ADD") return "ERROR unknown command";
  return words >> a >> b ? std::to_string(a + b) : "ERROR not a number";
}

void serve(sk::socket conn) try {
  conn.settimeout(30);
  sk::file f = conn.makefile("rw");
  std::string line;
  // The limit bounds the memory that one client can use.
  while (!(line = f.readline(1000)).empty() && line.back() == '\n') {
    if (line.compare(0, 4, "QUIT") == 0) return;
    f << answer(line) << '\n';
    f.flush();  // reading does not flush
  }
  if (!line.empty()) f << "ERROR incomplete line\n";
  f.close();  // reports what the destructor would not
} catch (const sk::error& e) {
  std::cerr << e.what() << '\n';
}

}  // namespace

int main(int argc, char** argv) try {
  sk::socket s = sk::create_server({"", argc > 1 ? std::stoi(argv[1]) : 50007});
  std::cout << "Listening on " << s.getsockname() << std::endl;
  while (true) std::thread(serve, s.accept().conn).detach();
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
