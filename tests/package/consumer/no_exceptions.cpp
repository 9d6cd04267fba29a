// SPDX-License-Identifier: MIT
// A program built with -fno-exceptions. It uses the overloads with std::error_code; with an
// argument it also calls one that throws.
#include <cstdio>
#include <pysock/pysock.hpp>

namespace sk = pysock;

int main(int argc, char**) {
  sk::socket server = sk::create_server({"127.0.0.1", 0});
  sk::socket client;
  std::error_code ec;
  client.connect(server.getsockname(), ec);
  if (ec || client.sendall("hello", ec) != 5 || ec) return 1;
  const sk::address gone = server.getsockname();
  server.close();
  sk::socket late;
  if (argc > 1) late.connect(gone);
  late.connect(gone, ec);
  if (ec != std::errc::connection_refused) return 1;
  std::printf("pysock %d.%d.%d hello\n", PYSOCK_VERSION_MAJOR, PYSOCK_VERSION_MINOR,
              PYSOCK_VERSION_PATCH);
  return 0;
}
