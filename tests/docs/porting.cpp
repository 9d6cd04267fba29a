// SPDX-License-Identifier: MIT
// The code around the code blocks of docs/porting.md.
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cerrno>
#include <stdexcept>

#include "snippets.hpp"

namespace {

namespace porting {
#include "porting/porting.inc"
}  // namespace porting

BLOCK("porting/porting") {
  using namespace porting;
  docs::echo_server echo;
  EXPECT(ask("127.0.0.1", std::to_string(echo.port()), "Hello") == "Hello");
}

namespace from_raw_system_calls {
#include "porting/from-system-calls.inc"
}  // namespace from_raw_system_calls

BLOCK("porting/from-system-calls") {
  using namespace from_raw_system_calls;
  docs::echo_server echo;
  EXPECT(ask("127.0.0.1", std::to_string(echo.port()).c_str(), "Hello") == "Hello");
}

}  // namespace
