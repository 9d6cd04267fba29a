// SPDX-License-Identifier: MIT
// Length-prefixed messages: four bytes of length in network order, then the message. Answers each
// message in upper case, with a thread for each client: framing_server [port]. In Python:
//
//     import socket, struct, sys, threading
//
//     LIMIT = 1 << 20
//
//     def read(f, size):
//         data = f.read(size)
//         if len(data) < size:
//             raise EOFError
//         return data
//
//     def serve(conn):
//         conn.settimeout(30)
//         try:
//             with conn, conn.makefile('rb') as f:
//                 while True:
//                     size, = struct.unpack('!I', read(f, 4))
//                     if size > LIMIT:
//                         raise OSError('the message is too long')
//                     body = read(f, size).upper()
//                     conn.sendall(struct.pack('!I', len(body)) + body)
//         except EOFError:
//             pass
//         except OSError as e:
//             print(e, file=sys.stderr)
//
//     s = socket.create_server(('', int(sys.argv[1]) if sys.argv[1:] else 50007))
//     print('Listening on', s.getsockname(), flush=True)
//     while True:
//         threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
#include <cstdint>
#include <iostream>
#include <pysock/pysock.hpp>
#include <stdexcept>
#include <thread>

namespace sk = pysock;

namespace {

constexpr std::uint32_t limit = 1 << 20;  // a client cannot make the server allocate more

void send_message(sk::socket& s, const std::string& body) {
  const std::uint32_t size = sk::htonl(static_cast<std::uint32_t>(body.size()));
  const std::string header(reinterpret_cast<const char*>(&size), sizeof size);
  s.sendall(header + body);  // in one call: two small ones may be delayed by Nagle's algorithm
}

std::string recv_message(sk::socket& s) {
  std::uint32_t size = 0;
  s.recv_exactly_into({&size, sizeof size});
  size = sk::ntohl(size);
  if (size > limit) throw std::runtime_error("the message is too long");
  return s.recv_exactly(size);
}

void serve(sk::socket conn) try {
  conn.settimeout(30);
  while (true) {
    std::string body = recv_message(conn);
    for (char& c : body)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    send_message(conn, body);
  }
} catch (const sk::incomplete_read_error&) {
  // The client has closed its connection.
} catch (const std::exception& e) {
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
