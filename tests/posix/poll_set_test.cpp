// SPDX-License-Identifier: MIT
// Selectors without descriptors.
#include <cerrno>
#include <pysock/selectors.hpp>

#include "support/c_library.hpp"
#include "support/catch.hpp"
#include "support/native.hpp"

namespace sk = pysock;
using namespace test_support;

TEST_CASE("a selector without a free descriptor throws the error", "[selectors]") {
  const replaced<c_library::epoll_create1> failing(EMFILE);
  try {
    const sk::selector<int> s;
    FAIL("no exception");
  } catch (const sk::error& e) {
    CHECK(std::string(e.what()) == "selector: " + errno_text(EMFILE));
    CHECK(e.errnum() == EMFILE);
  }
}

TEST_CASE("select without registered descriptors waits until the timeout", "[selectors]") {
  sk::selector<int> s;
  CHECK(s.select(0).empty());
  CHECK(s.select(0.001).empty());
}
