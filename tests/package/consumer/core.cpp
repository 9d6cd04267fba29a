// SPDX-License-Identifier: MIT
// A user's program: it connects to itself, with inline and compiled parts of the library.
#include <iostream>
#include <pysock/pysock.hpp>

namespace sk = pysock;

int main() try {
  sk::socket server = sk::create_server({"127.0.0.1", 0});
  sk::socket client = sk::create_connection({"127.0.0.1", server.getsockname().port()}, 10);
  auto [connection, peer] = server.accept();
  connection.makefile("w").write("hello\n");
  const std::string line = client.makefile("r").readline();
  client.settimeout(0.001);
  try {
    char byte[1];
    client.recv_into(byte);
  } catch (const sk::timeout& e) {
    if (e.code() != sk::errc::timed_out || line != "hello\n") return 1;
    std::cout << "pysock " << PYSOCK_VERSION_MAJOR << '.' << PYSOCK_VERSION_MINOR << '.'
              << PYSOCK_VERSION_PATCH << " " << line;
    return 0;
  }
  return 1;
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
