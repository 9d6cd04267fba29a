// SPDX-License-Identifier: MIT
// What only Windows has, or does in its own way.
#include <pysock/create.hpp>
#include <pysock/interfaces.hpp>

#include <mswsock.h>

#include "support/catch.hpp"

TEST_CASE("AF_UNIX is refused where the system does not have it", "[S27]") {
  try {
    const pysock::socket s(AF_UNIX);
    CHECK(s.family() == AF_UNIX);
  } catch (const pysock::error& e) {
    CHECK(e.code() == std::errc::address_family_not_supported);
  }
}
