// SPDX-License-Identifier: MIT
// The code around the code block of docs/waiting.md that needs C++20.
#include <stop_token>

#include "snippets.hpp"

namespace {

BLOCK("waiting/ending-a-wait-3") {
  auto [s, peer] = connected();
  s.settimeout(std::nullopt);
  std::stop_source source;
  const std::stop_token token = source.get_token();
#include "waiting/ending-a-wait-3.inc"
  source.request_stop();
  try {
    (void)s.recv(1);
    EXPECT(false);
  } catch (const sk::interrupted_error&) {
  }
}

}  // namespace
