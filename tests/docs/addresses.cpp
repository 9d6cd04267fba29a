// SPDX-License-Identifier: MIT
// The code around the code blocks of docs/addresses.md.
#include <unistd.h>
#include <map>

#include "snippets.hpp"

namespace {

BLOCK("addresses/special-hosts") {
  const sk::socket server = listening();
  sk::socket s;
  const int port = server.getsockname().port();
#include "addresses/special-hosts.inc"
}

namespace paths_and_names_of_af_unix {
#include "addresses/paths-and-names-of-af-unix.inc"
}  // namespace paths_and_names_of_af_unix

BLOCK("addresses/paths-and-names-of-af-unix") {
  using namespace paths_and_names_of_af_unix;
  const std::string name = "pysock-docs-" + std::to_string(::getpid());
  const sk::socket s = listen_at(name);
  EXPECT(s.getsockname().path() == '\0' + name);
  sk::socket client(AF_UNIX);
  client.connect('\0' + name);
  EXPECT(client.getsockname().is_unnamed());
}

BLOCK("addresses/reading-an-address") {
#include "addresses/reading-an-address.inc"
  static_assert(sizeof(sk::inet_address) == 16);
}

BLOCK("addresses/the-system-s-form") {
  sk::socket a = bound_udp();
  sk::socket b = bound_udp();
#include "addresses/the-system-s-form.inc"
}

}  // namespace
