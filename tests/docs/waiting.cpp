// SPDX-License-Identifier: MIT
// The code around the code blocks of docs/waiting.md.
#include <csignal>
#include <map>

#include "snippets.hpp"

namespace {

BLOCK("waiting/ending-a-wait") {
  auto [s, peer] = connected();
  s.settimeout(std::nullopt);
#include "waiting/ending-a-wait.inc"
}

namespace ending_a_wait_2 {
#include "waiting/ending-a-wait-2.inc"
}  // namespace ending_a_wait_2

BLOCK("waiting/ending-a-wait-2") {
  using namespace ending_a_wait_2;
  sk::socket server = sk::create_server({"127.0.0.1", 0});
  ctrl_c.interrupt();  // before the call
  serve(server);
  std::signal(SIGINT, SIG_DFL);
}

BLOCK("waiting/waiting-for-one-socket") {
  auto [s, peer] = connected();
#include "waiting/waiting-for-one-socket.inc"
}

BLOCK("waiting/waiting-for-many") {
  sk::socket listener = sk::create_server({"127.0.0.1", 0});
  background<std::string> client([port = listener.getsockname().port()] {
    sk::socket s = sk::create_connection({"127.0.0.1", port}, 30);
    s.sendall("Hello");
    return s.recv(100);
  });
#include "waiting/waiting-for-many.inc"
  EXPECT(client.get() == "Hello");
}

}  // namespace
