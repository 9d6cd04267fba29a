// SPDX-License-Identifier: MIT
// The code around the code blocks of docs/index.md.
#include "snippets.hpp"

namespace {

BLOCK("index/pysock") {
  docs::echo_server echo;
  const int port = echo.port();
#include "index/pysock.inc"
}

}  // namespace
