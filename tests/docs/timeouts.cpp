// SPDX-License-Identifier: MIT
// The code around the code blocks of docs/timeouts.md.
#include <poll.h>
#include <cerrno>

#include "snippets.hpp"

namespace {

BLOCK("timeouts/timeouts-and-deadlines") {
  using namespace std::chrono_literals;
  auto [s, peer] = connected();
#include "timeouts/timeouts-and-deadlines.inc"
}

BLOCK("timeouts/a-deadline-over-several-calls") {
  using namespace std::chrono_literals;
  auto [s, peer] = connected();
  peer.sendall("half");
#include "timeouts/a-deadline-over-several-calls.inc"
}

BLOCK("timeouts/a-deadline-over-several-calls-2") {
  using namespace std::chrono_literals;
  using clock = std::chrono::steady_clock;
  docs::echo_server echo;
  const int port = echo.port();
#include "timeouts/a-deadline-over-several-calls-2.inc"
}

BLOCK("timeouts/a-deadline-over-several-calls-3") {
  auto [s, peer] = connected();
#include "timeouts/a-deadline-over-several-calls-3.inc"
}

BLOCK("timeouts/connecting") {
  full_listener full;
  const sk::address slow = full.address();
#include "timeouts/connecting.inc"
}

BLOCK("timeouts/without-waiting") {
  auto [s, peer] = connected();
  peer.sendall("x");
  wait_for(s.fileno(), POLLIN);
#include "timeouts/without-waiting.inc"
}

}  // namespace
