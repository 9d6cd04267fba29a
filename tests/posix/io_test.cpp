// SPDX-License-Identifier: MIT
// Limits of messages.
#include <unistd.h>

#include <cerrno>
#include <pysock/detail/sys.hpp>

#include "support/c_library.hpp"
#include "support/catch.hpp"

using namespace test_support;

TEST_CASE("a system without a limit of buffers takes as many as POSIX requires", "[sendmsg]") {
  int asked = 0;
  const replaced<c_library::sysconf> unlimited([&asked](int name) {
    asked = name;
    return -1L;
  });
  CHECK(pysock::detail::sys::max_buffers() == 16);
  CHECK(asked == _SC_IOV_MAX);
}
