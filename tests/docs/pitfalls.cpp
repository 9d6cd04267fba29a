// SPDX-License-Identifier: MIT
// The code around the code blocks of docs/pitfalls.md.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <clocale>
#include <map>

#include "snippets.hpp"

namespace {

BLOCK("pitfalls/one-send-is-not-one-receive") {
  auto [s, peer] = connected();
  background<int> sending([&peer = peer] {
    peer.sendall("Hel");
    peer.sendall("lo");
    return 0;
  });
#include "pitfalls/one-send-is-not-one-receive.inc"
}

BLOCK("pitfalls/header-and-body-in-two-sends") {
  auto [s, peer] = connected();
  const std::string header = "5\n", body = "Hello";
#include "pitfalls/header-and-body-in-two-sends.inc"
  EXPECT(receive(peer, 7) == "5\nHello");
}

BLOCK("pitfalls/closing-while-there-is-something-to-read") {
  auto [s, peer] = connected();
  peer.sendall("a request that is refused before it is read");
  wait_for(s.fileno(), POLLIN);
  background<std::string> client([&peer = peer] {
    std::string answer = receive(peer, 100);
    peer.close();
    return answer;
  });
#include "pitfalls/closing-while-there-is-something-to-read.inc"
  EXPECT(client.get() == "ERROR\n");
}

BLOCK("pitfalls/accept-without-descriptors") {
  sk::socket server = listening();
  sk::socket client = sk::create_connection(server.getsockname(), 30);
#include "pitfalls/accept-without-descriptors.inc"
  EXPECT(!ec && bool(conn));
}

BLOCK("pitfalls/a-name-lookup-has-no-timeout") {
  docs::echo_server echo;
  const int port = echo.port();
#include "pitfalls/a-name-lookup-has-no-timeout.inc"
}

BLOCK("pitfalls/fork") {
  auto [s, peer] = connected();
#include "pitfalls/fork.inc"
  EXPECT(child > 0 && ::waitpid(child, nullptr, 0) == child);
  f.close();
  s.close();
  EXPECT(receive(peer, 100) == "once\n");
}

BLOCK("pitfalls/international-host-names") {
#include "pitfalls/international-host-names.inc"
  EXPECT(a.host() == "xn--bcher-kva.example");
}

BLOCK("pitfalls/send-of-a-char-array-sends-the-whole-array") {
  auto [s, peer] = connected();
#include "pitfalls/send-of-a-char-array-sends-the-whole-array.inc"
  EXPECT(receive(peer, 10) == "HelloHello");
}

BLOCK("pitfalls/which-error-create-connection-reports") {
  const int port = listening().getsockname().port();
#include "pitfalls/which-error-create-connection-reports.inc"
}

BLOCK("pitfalls/a-udp-socket-has-a-family") {
  sk::socket peer = bound_udp();
  const std::string host = "127.0.0.1";
  const int port = peer.getsockname().port();
#include "pitfalls/a-udp-socket-has-a-family.inc"
  EXPECT(peer.recv(100) == "Hello");
}

BLOCK("pitfalls/the-blocking-mode-is-shared") {
  auto [s, peer] = connected();
#include "pitfalls/the-blocking-mode-is-shared.inc"
}

BLOCK("pitfalls/pthread-cancel") {
  sk::socket server = listening();
#include "pitfalls/pthread-cancel.inc"
}

BLOCK("pitfalls/moving-a-socket-and-asking-it-in-one-expression") {
  sk::socket conn;
  std::map<sk::native_handle_type, sk::socket> clients;
#include "pitfalls/moving-a-socket-and-asking-it-in-one-expression.inc"
  EXPECT(clients.at(fd).fileno() == fd);
}

BLOCK("pitfalls/refusals-take-two-seconds-on-windows") {
  const int port = listening().getsockname().port();
  bool up = true;
#include "pitfalls/refusals-take-two-seconds-on-windows.inc"
  EXPECT(!up);
}

}  // namespace
