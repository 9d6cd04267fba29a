// SPDX-License-Identifier: MIT
// The smallest client: what it costs to compile and to link is counted on it.
#include <pysock/socket.hpp>

int main() {
  pysock::socket s;
  s.connect({"localhost", 50007});
  s.sendall("Hello, world");
  char data[1024];
  return s.recv_into(data) == 12 ? 0 : 1;
}
