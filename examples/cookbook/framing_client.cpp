// SPDX-License-Identifier: MIT
// A client of framing_server, which sends three messages before it receives the answers:
// framing_client [port [host]]. In Python:
//
//     import socket, struct, sys
//
//     port, host = sys.argv[1:] + ['50007', '127.0.0.1'][len(sys.argv) - 1:]
//     messages = [b'Hello', b'', b'x' * 100000]
//
//     with socket.create_connection((host, int(port)), timeout=30) as s, s.makefile('rb') as f:
//         s.sendall(b''.join(struct.pack('!I', len(one)) + one for one in messages))
//         for _ in messages:
//             size, = struct.unpack('!I', f.read(4))
//             print('Received', size, 'bytes:', f.read(size)[:10].decode())
#include <cstdint>
#include <iostream>
#include <pysock/pysock.hpp>
#include <stdexcept>

namespace sk = pysock;

namespace {

constexpr std::uint32_t limit = 1 << 20;  // a server cannot make the client allocate more

std::string framed(const std::string& body) {
  const std::uint32_t size = sk::htonl(static_cast<std::uint32_t>(body.size()));
  return std::string(reinterpret_cast<const char*>(&size), sizeof size) + body;
}

std::string recv_message(sk::socket& s) {
  std::uint32_t size = 0;
  s.recv_exactly_into({&size, sizeof size});
  size = sk::ntohl(size);
  if (size > limit) throw std::runtime_error("the message is too long");
  return s.recv_exactly(size);
}

}  // namespace

int main(int argc, char** argv) try {
  const int port = argc > 1 ? std::stoi(argv[1]) : 50007;
  const std::string host = argc > 2 ? argv[2] : "127.0.0.1";
  sk::socket s = sk::create_connection({host, port}, 30);
  s.sendall(framed("Hello") + framed("") + framed(std::string(100000, 'x')));
  for (int i = 0; i < 3; ++i) {
    const std::string body = recv_message(s);
    std::cout << "Received " << body.size() << " bytes: " << body.substr(0, 10) << '\n';
  }
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
