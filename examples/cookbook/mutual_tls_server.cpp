// SPDX-License-Identifier: MIT
// A TLS server that requires a certificate from its clients, signed by an authority in cafile, and
// greets each by name: mutual_tls_server certfile cafile [port]. The certfile contains the private
// key. In Python:
//
//     import socket, ssl, sys, threading
//
//     context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=sys.argv[2])
//     context.load_cert_chain(sys.argv[1])
//     context.verify_mode = ssl.CERT_REQUIRED
//
//     def serve(conn):
//         conn.settimeout(30)
//         try:
//             with context.wrap_socket(conn, server_side=True) as tls:
//                 subject = dict(names[0] for names in tls.getpeercert()['subject'])
//                 tls.sendall(f'Hello, {subject["commonName"]}\n'.encode())
//                 tls.unwrap().close()
//         except OSError as e:
//             print(e, file=sys.stderr)
//
//     s = socket.create_server(('', int(sys.argv[3]) if sys.argv[3:] else 50007))
//     print('Listening on', s.getsockname(), flush=True)
//     while True:
//         threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
#include <functional>
#include <iostream>
#include <pysock/create.hpp>
#include <pysock/ssl.hpp>
#include <thread>

namespace sk = pysock;

namespace {

// The handshake is done here: a slow client does not delay the others.
void serve(const sk::ssl_context& context, sk::socket conn) try {
  conn.settimeout(30);
  sk::ssl_socket tls = context.wrap_server(std::move(conn));
  tls.sendall("Hello, " + tls.getpeercert()->subject["commonName"] + '\n');
  tls.unwrap().close();
} catch (const sk::error& e) {
  std::cerr << e.what() << std::endl;  // for example a client without a certificate
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 3) throw std::invalid_argument("usage: mutual_tls_server certfile cafile [port]");
  sk::ssl_context context = sk::create_default_context(sk::Purpose::CLIENT_AUTH, argv[2]);
  context.load_cert_chain(argv[1]);
  context.verify_mode(sk::VerifyMode::CERT_REQUIRED);
  sk::socket s = sk::create_server({"", argc > 3 ? std::stoi(argv[3]) : 50007});
  std::cout << "Listening on " << s.getsockname() << std::endl;
  while (true) std::thread(serve, std::cref(context), s.accept().conn).detach();
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
