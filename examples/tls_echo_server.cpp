// SPDX-License-Identifier: MIT
// An echo server over TLS, for one client: tls_echo_server certfile [port]. The file contains the
// private key, too. In Python:
//
//     import socket, ssl, sys
//
//     context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
//     context.load_cert_chain(sys.argv[1])
//     s = socket.create_server(('', int(sys.argv[2]) if sys.argv[2:] else 50007))
//     print('Listening on', s.getsockname(), flush=True)
//     conn, addr = s.accept()
//     conn.settimeout(30)  # a client that stops in the handshake does not block the server
//     tls = context.wrap_socket(conn, server_side=True, suppress_ragged_eofs=False)
//     print('Connected by', addr, 'with', tls.version())
//     while data := tls.recv(1024):
//         tls.sendall(data)
//     tls.unwrap().close()
#include <iostream>
#include <pysock/create.hpp>
#include <pysock/ssl.hpp>

namespace sk = pysock;

int main(int argc, char** argv) try {
  if (argc < 2) throw std::invalid_argument("usage: tls_echo_server certfile [port]");
  sk::ssl_context context = sk::create_default_context(sk::Purpose::CLIENT_AUTH);
  context.load_cert_chain(argv[1]);
  sk::socket s = sk::create_server({"", argc > 2 ? std::stoi(argv[2]) : 50007});
  std::cout << "Listening on " << s.getsockname() << std::endl;
  auto [conn, addr] = s.accept();
  conn.settimeout(30);  // a client that stops in the handshake does not block the server
  sk::ssl_socket tls = context.wrap_server(std::move(conn));
  std::cout << "Connected by " << addr << " with " << *tls.version() << '\n';
  for (std::string data; !(data = tls.recv(1024)).empty();) tls.sendall(data);
  tls.unwrap().close();
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
