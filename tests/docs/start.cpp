// SPDX-License-Identifier: MIT
// The code around the code blocks of docs/start.md.
#include "snippets.hpp"

namespace {

BLOCK("start/a-stream-of-lines") {
  auto [s, peer] = connected();
#include "start/a-stream-of-lines.inc"
}

}  // namespace
