// SPDX-License-Identifier: MIT
// The same client on Asio.
#include <asio/connect.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/write.hpp>

int main() {
  asio::io_context io;
  asio::ip::tcp::socket s(io);
  asio::connect(s, asio::ip::tcp::resolver(io).resolve("localhost", "50007"));
  asio::write(s, asio::buffer("Hello, world", 12));
  char data[1024];
  return s.receive(asio::buffer(data)) == 12 ? 0 : 1;
}
