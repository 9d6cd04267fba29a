// SPDX-License-Identifier: MIT
// The code around the code blocks of docs/cookbook.md.
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <random>
#include <stdexcept>

#include "snippets.hpp"
#include "support/temporary_directory.hpp"

namespace {

namespace messages_with_a_length_in_front {
#include "cookbook/messages-with-a-length-in-front.inc"
}  // namespace messages_with_a_length_in_front

BLOCK("cookbook/messages-with-a-length-in-front") {
  using namespace messages_with_a_length_in_front;
  auto [a, b] = connected();
  send_message(a, "Hello");
  send_message(a, "");
  EXPECT(recv_message(b) == "Hello" && recv_message(b).empty());
}

BLOCK("cookbook/lines") {
  auto [conn, peer] = connected();
  peer.sendall("PING\n");
  peer.shutdown(SHUT_WR);
#include "cookbook/lines.inc"
  EXPECT(receive(peer, 5) == "PONG\n");
}

BLOCK("cookbook/exactly-n-bytes-within-one-deadline") {
  docs::echo_server echo;
  const int port = echo.port();
#include "cookbook/exactly-n-bytes-within-one-deadline.inc"
}

BLOCK("cookbook/files") {
  const temporary_directory folder;
  const std::string path = folder / "sent";
  const std::string target = folder / "received";
  std::ofstream(path) << "the contents";
  auto [sender, receiver] = connected();
#include "cookbook/files.inc"
  std::string text;
  std::getline(std::ifstream(target), text);
  EXPECT(text == "the contents");
}

BLOCK("cookbook/a-udp-request-that-is-repeated") {
  sk::socket peer = bound_udp();
  background<int> answering([&peer] {
    (void)peer.recvfrom(100);  // lost
    auto [data, from] = peer.recvfrom(100);
    (void)peer.sendto(data, from);
    return 0;
  });
  const sk::address server = peer.getsockname();
  std::string answer;
#include "cookbook/a-udp-request-that-is-repeated.inc"
  EXPECT(answer == "17 Hello");
}

BLOCK("cookbook/broadcast-and-multicast") {
  sk::socket server(AF_INET, SOCK_DGRAM);
  server.bind({"", 0});
  const int port = server.getsockname().port();
  const std::string own = "127.0.0.1";
  const std::string everybody = "127.255.255.255";
#include "cookbook/broadcast-and-multicast.inc"
  server.settimeout(test_support::patience);
  EXPECT(server.recv(100) == "who serves?");
}

BLOCK("cookbook/broadcast-and-multicast-2") {
  sk::socket receiver(AF_INET, SOCK_DGRAM);
  receiver.bind({"", 0});
  const int port = receiver.getsockname().port();
  const std::string own = "127.0.0.1";
  const std::string group = "239.255.42.98";
  sk::socket sender(AF_INET, SOCK_DGRAM);
#include "cookbook/broadcast-and-multicast-2.inc"
  receiver.settimeout(test_support::patience);
  EXPECT(receiver.recv(100) == "Hello, group");
}

BLOCK("cookbook/connecting-again") {
  docs::echo_server echo;
  const int port = echo.port();
  sk::socket s(nullptr);
#include "cookbook/connecting-again.inc"
}

BLOCK("cookbook/options-of-tcp") {
  auto [s, peer] = connected();
#include "cookbook/options-of-tcp.inc"
  EXPECT(s.getsockopt(SOL_SOCKET, SO_KEEPALIVE) != 0);
}

BLOCK("cookbook/http-over-af-unix") {
  const std::string path = '\0' + std::string("pysock-docs-http-") + std::to_string(::getpid());
  sk::socket listener = sk::create_server(sk::address(path));
  background<int> serving([&listener] {
    sk::socket conn = listener.accept().conn;
    sk::file request = conn.makefile();
    while (request.readline() != "\r\n") continue;
    conn.sendall("HTTP/1.0 200 OK\r\n\r\nfine\n");
    return 0;
  });
#include "cookbook/http-over-af-unix.inc"
}

BLOCK("cookbook/the-peer-s-credentials") {
  auto [conn, peer] = sk::socketpair();
#include "cookbook/the-peer-s-credentials.inc"
  EXPECT(bool(conn));
}

BLOCK("cookbook/an-event-loop-of-your-own") {
  auto [s, peer] = connected();
  peer.sendall("Hello");
  wait_for(s.fileno(), POLLIN);
#include "cookbook/an-event-loop-of-your-own.inc"
  EXPECT(size == 5 && bool(s));
}

BLOCK("cookbook/another-process-serves-the-connection") {
  auto [ours, theirs] = sk::socketpair();
  auto [conn, client] = connected();
#include "cookbook/another-process-serves-the-connection.inc"
  EXPECT(receive(client, 5) == "Hello");
}

}  // namespace
