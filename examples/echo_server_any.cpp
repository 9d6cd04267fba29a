// SPDX-License-Identifier: MIT
// An echo server over IPv4 and IPv6, for one client of each: echo_server_any [port]. In Python:
//
//     import socket, sys, threading
//
//     def serve(s):
//         conn, addr = s.accept()
//         print('Connected by', addr)
//         while data := conn.recv(1024):
//             conn.sendall(data)
//
//     port = sys.argv[1] if sys.argv[1:] else 50007
//     for res in socket.getaddrinfo(None, port, 0, socket.SOCK_STREAM, 0, socket.AI_PASSIVE):
//         family, type, proto, canonname, sockaddr = res
//         try:
//             s = socket.socket(family, type, proto)
//             if family == socket.AF_INET6:
//                 s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
//             s.bind(sockaddr)
//             s.listen(1)
//         except OSError as e:
//             print(e)
//             continue
//         print('Listening on', s.getsockname(), flush=True)
//         threading.Thread(target=serve, args=(s,)).start()
#include <future>
#include <iostream>
#include <pysock/pysock.hpp>

namespace sk = pysock;

void serve(sk::socket s) {
  auto [conn, addr] = s.accept();
  std::cout << "Connected by " + addr.to_string() + "\n";
  for (std::string data; !(data = conn.recv(1024)).empty();) conn.sendall(data);
}

int main(int argc, char** argv) try {
  const std::string port = argc > 1 ? argv[1] : "50007";
  std::vector<std::future<void>> threads;
  for (const auto& [family, type, proto, canonname, sockaddr] :
       sk::getaddrinfo(std::nullopt, port, 0, SOCK_STREAM, 0, AI_PASSIVE)) {
    try {
      sk::socket s(family, type, proto);
      if (family == AF_INET6) s.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, 1);
      s.bind(sockaddr);
      s.listen(1);
      std::cout << "Listening on " << s.getsockname() << std::endl;
      threads.push_back(std::async(std::launch::async, serve, std::move(s)));
    } catch (const sk::error& e) {
      std::cout << e.what() << '\n';
    }
  }
  for (std::future<void>& thread : threads) thread.get();
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
