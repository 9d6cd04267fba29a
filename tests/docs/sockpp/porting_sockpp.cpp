// SPDX-License-Identifier: MIT
// The code around the code blocks of docs/porting.md.
#include <sockpp/tcp_connector.h>

#include "snippets.hpp"

namespace {

namespace from_sockpp {
#include "porting/from-sockpp.inc"
}  // namespace from_sockpp

BLOCK("porting/from-sockpp") {
  using namespace from_sockpp;
  docs::echo_server echo;
  EXPECT(ask("127.0.0.1", static_cast<in_port_t>(echo.port()), "Hello") == "Hello");
}

}  // namespace
