// SPDX-License-Identifier: MIT
// The code around the code blocks of docs/performance.md.
#include "snippets.hpp"

namespace {

BLOCK("performance/which-function-to-choose") {
  sk::socket a = bound_udp();
  sk::socket b = bound_udp();
  const sk::address where = b.getsockname();
  const sk::endpoint to(where.data(), where.size());
  for (int i = 0; i < 3; ++i) (void)a.sendto("datagram", to);
  int left = 3;
  std::size_t total = 0;
#include "performance/which-function-to-choose.inc"
  EXPECT(total == 24);
}

}  // namespace
