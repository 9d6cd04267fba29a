// SPDX-License-Identifier: MIT
// A user's program that uses TLS: it refuses a peer that sends plain text.
#include <iostream>
#include <pysock/pysock.hpp>
#include <pysock/ssl.hpp>

namespace sk = pysock;

int main() try {
  auto [client, peer] = sk::socketpair();
  client.settimeout(10);
  peer.sendall("220 this is no TLS\r\n");
  try {
    sk::ssl_socket session =
        sk::create_default_context().wrap_socket(std::move(client), "localhost");
  } catch (const sk::sslerror& e) {
    std::cout << "pysock " << PYSOCK_VERSION_MAJOR << '.' << PYSOCK_VERSION_MINOR << '.'
              << PYSOCK_VERSION_PATCH << " " << e.what() << '\n';
    return 0;
  }
  return 1;
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
