// SPDX-License-Identifier: MIT
// The code around the code blocks of docs/pitfalls.md.
#include <pysock/ssl.hpp>

#include "snippets.hpp"

namespace {

BLOCK("pitfalls/a-tls-stream-that-ends-without-the-closing-alert") {
#include "pitfalls/a-tls-stream-that-ends-without-the-closing-alert.inc"
  EXPECT(options.suppress_ragged_eofs());
}

}  // namespace
