// SPDX-License-Identifier: MIT
// Fetches a page over TLS, from a server whose certificate is verified: https_get [host [port
// [cafile]]]. In Python:
//
//     import socket, ssl, sys
//
//     host, port, cafile = sys.argv[1:] + ['www.python.org', '443', None][len(sys.argv) - 1:]
//     context = ssl.create_default_context(cafile=cafile)  # default: the system's authorities
//     s = context.wrap_socket(socket.create_connection((host, port), timeout=10),
//                             server_hostname=host, suppress_ragged_eofs=False)
//     issuer = dict(names[0] for names in s.getpeercert()['issuer'])
//     print(s.version(), 'with', host, 'certified by', issuer['commonName'])
//     s.sendall(f'GET / HTTP/1.0\r\nHost: {host}\r\n\r\n'.encode())
//     answer = b''
//     while data := s.recv(16384):
//         answer += data
//     print(answer.decode(), end='')
#include <iostream>
#include <pysock/create.hpp>
#include <pysock/ssl.hpp>

namespace sk = pysock;

int main(int argc, char** argv) try {
  const std::string host = argc > 1 ? argv[1] : "www.python.org";
  const std::string port = argc > 2 ? argv[2] : "443";
  // Without cafile the system's authorities are trusted.
  const sk::ssl_context context =
      argc > 3 ? sk::create_default_context(sk::Purpose::SERVER_AUTH, argv[3])
               : sk::create_default_context();
  sk::ssl_socket s = context.wrap_socket(sk::create_connection({host, port}, 10), host);
  std::cout << *s.version() << " with " << host << " certified by "
            << s.getpeercert()->issuer["commonName"] << '\n';
  s.sendall("GET / HTTP/1.0\r\nHost: " + host + "\r\n\r\n");
  std::string answer;
  for (std::string data; !(data = s.recv(16384)).empty();) answer += data;
  std::cout << answer;
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
