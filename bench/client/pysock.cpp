// SPDX-License-Identifier: MIT
// The smallest client, for measuring the cost of compiling and linking.
#include <pysock/socket.hpp>

int main() {
  pysock::socket s;
  s.connect({"localhost", 50007});
  s.sendall("Hello, world");
  char data[1024];
  return s.recv_into(data) == 12 ? 0 : 1;
}
