// SPDX-License-Identifier: MIT
#include <iostream>
#include <pysock/pysock.hpp>
#if defined(WITH_SSL)
#include <pysock/ssl.hpp>
#endif

int main() {
  auto [a, b] = pysock::socketpair();
  a.sendall("hello");
  std::cout << "received " << b.recv(5) << '\n';
#if defined(WITH_SSL)
  std::cout << "verifies: " << pysock::create_default_context().check_hostname() << '\n';
#endif
}
