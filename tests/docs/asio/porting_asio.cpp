// SPDX-License-Identifier: MIT
// The code around the code blocks of docs/porting.md.
#include <asio.hpp>

#include "snippets.hpp"

namespace {

namespace from_asio {
#include "porting/from-asio.inc"
}  // namespace from_asio

BLOCK("porting/from-asio") {
  using namespace from_asio;
  docs::echo_server echo;
  EXPECT(ask("127.0.0.1", std::to_string(echo.port()), "Hello") == "Hello");
}

}  // namespace
