// SPDX-License-Identifier: MIT
// The code around the code blocks of README.md.
#include "snippets.hpp"

namespace {

BLOCK("README/what-it-does-that-others-do-not") {
  docs::echo_server echo;
  const int port = echo.port();
  auto [s, peer] = connected();
  peer.sendall("header, body");
#include "README/what-it-does-that-others-do-not.inc"
}

}  // namespace
