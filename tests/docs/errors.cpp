// SPDX-License-Identifier: MIT
// The code around the code blocks of docs/errors.md.
#include <cerrno>

#include "snippets.hpp"

namespace {

BLOCK("errors/errors") {
  const sk::address nobody = listening().getsockname();
  const int port = nobody.port();
#include "errors/errors.inc"
}

BLOCK("errors/comparing-the-code") {
  const int port = listening().getsockname().port();
  auto [s, peer] = connected();
  s.settimeout(0.05);
#include "errors/comparing-the-code.inc"
}

BLOCK("errors/bytes-transferred-before-a-failure") {
  auto [s, peer] = connected();
#include "errors/bytes-transferred-before-a-failure.inc"
}

BLOCK("errors/bad-arguments") {
  sk::socket s;
#include "errors/bad-arguments.inc"
}

BLOCK("errors/all-attempts-of-a-connection") {
  const int port = listening().getsockname().port();
#include "errors/all-attempts-of-a-connection.inc"
}

}  // namespace
