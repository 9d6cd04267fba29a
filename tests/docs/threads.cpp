// SPDX-License-Identifier: MIT
// The code around the code blocks of docs/threads.md.
#include <unistd.h>
#include <csignal>
#include <cstdlib>
#include <fstream>

#include "snippets.hpp"

namespace {

BLOCK("threads/ending-a-connection") {
  auto [s, peer] = connected();
  peer.sendall("a request that nobody has read");
  wait_for(s.fileno(), POLLIN);
  background<bool> reading([&peer = peer] {
    const bool whole = receive(peer, 100) == "an answer";
    peer.close();
    return whole;
  });
#include "threads/ending-a-connection.inc"
  EXPECT(reading.get());
  auto [careless, other] = connected();
  other.sendall("nor this");
  wait_for(careless.fileno(), POLLIN);
  careless.close();
  try {
    (void)other.recv(10);
    EXPECT(false);
  } catch (const sk::connection_reset_error&) {
  }
}

namespace signals {
#include "threads/signals.inc"
}  // namespace signals

BLOCK("threads/signals") {
  using namespace signals;
  struct sigaction action {};
  action.sa_handler = [](int) { stop = 1; };
  ::sigaction(SIGUSR1, &action, nullptr);
  auto [s, peer] = connected();
  s.settimeout(std::nullopt);
  background<bool> waiting([&s = s] { return wait_for_data(s); });
  waiting.wait_until_asleep();
  ::pthread_kill(waiting.native_handle(), SIGUSR1);
  EXPECT(!waiting.get());
}

BLOCK("threads/passing-descriptors") {
  auto [a, b] = sk::socketpair();
  int ends[2];
  EXPECT(::pipe(ends) == 0);
  const sk::descriptor reading(ends[0]);
  const sk::descriptor writing(ends[1]);
#include "threads/passing-descriptors.inc"
  EXPECT(::write(received.fds.at(0).get(), "x", 1) == 1);
  char x = 0;
  EXPECT(::read(reading.get(), &x, 1) == 1 && x == 'x');
}

}  // namespace
