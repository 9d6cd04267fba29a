// SPDX-License-Identifier: MIT
// Descriptors that wake a waiting thread.
#include <cerrno>
#include <pysock/detail/sys.hpp>
#include <pysock/interrupter.hpp>

#include "support/c_library.hpp"
#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/failure.hpp"
#include "support/native.hpp"

namespace sk = pysock;
namespace sys = pysock::detail::sys;
using namespace test_support;

TEST_CASE("an interrupter without a free descriptor throws the error", "[interrupter]") {
  const replaced<c_library::eventfd> no_eventfd(EMFILE);
  const replaced<c_library::pipe> no_pipe(EMFILE);
  try {
    const sk::interrupter stop;
    FAIL("no exception");
  } catch (const sk::error& e) {
    CHECK(std::string(e.what()) == "interrupter: " + errno_text(EMFILE));
    CHECK(e.errnum() == EMFILE);
  }
}

TEST_CASE("an interrupter closes a pipe whose flags it cannot set", "[.plain]") {
  for (const bool inheritance : {true, false}) {
    CAPTURE(inheritance);
    const auto before = open_descriptors();
    const auto make = [] { return sk::interrupter(); };
    if (inheritance) {
      const replaced<c_library::fcntl> broken(EINVAL);
      CHECK(failure_of(make) == failure("error", EINVAL));
    } else {
      const replaced<c_library::ioctl> broken(EINVAL);
      CHECK(failure_of(make) == failure("error", EINVAL));
    }
    CHECK(open_descriptors() == before);
  }
}

TEST_CASE("a pause ends early once it is woken, and not after that was cleared", "[interrupter]") {
  sk::native_handle_type ends[2];
  REQUIRE(sys::open_wake(ends) == 0);
  CHECK(sys::pause(1, ends[0]) == 0);
  sys::wake(ends[1]);
  sys::wake(ends[1]);
  CHECK(sys::pause(600000, ends[0]) == sys::woken);
  CHECK(sys::pause(600000, ends[0]) == sys::woken);
  sys::clear_wake(ends[0]);
  CHECK(sys::pause(1, ends[0]) == 0);
  const auto open = open_descriptors();
  sys::close_wake(ends);
  CHECK(open_descriptors().size() == open.size() - (ends[0] == ends[1] ? 1 : 2));
}
