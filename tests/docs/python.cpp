// SPDX-License-Identifier: MIT
// The code around the code blocks of docs/python.md.
#include "snippets.hpp"

namespace {

BLOCK("python/selectors") {
  auto [s, peer] = connected();
  peer.sendall("x");
#include "python/selectors.inc"
}

}  // namespace
