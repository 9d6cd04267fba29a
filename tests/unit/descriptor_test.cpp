// SPDX-License-Identifier: MIT
#include <pysock/descriptor.hpp>

#include <cerrno>
#include <type_traits>

#include "support/catch.hpp"
#include "support/fake_sys.hpp"
#include "support/native.hpp"

using pysock::descriptor;

using test_support::errno_text;

TEST_CASE("a descriptor is closed once, by its last owner") {
  const fake::session session;
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<descriptor>);
  {
    descriptor a(fake::adopt());
    descriptor b(std::move(a));
    CHECK_FALSE(a);  // NOLINT(bugprone-use-after-move): tests the moved-from object
    a = std::move(b);
    CHECK(a);
    auto& same = a;
    a = std::move(same);
    CHECK(a);
    CHECK(fake::closed().empty());
    a.reset(fake::adopt());
    CHECK(fake::closed().size() == 1);
  }
  CHECK(fake::problems() == fake::lines{});
}

TEST_CASE("a released descriptor stays open") {
  const fake::session session;
  fake::handle kept = -1;
  {
    descriptor a(fake::adopt());
    kept = a.release();
    CHECK(a.get() == -1);
  }
  CHECK(fake::is_open(kept));
}

TEST_CASE("dup and close work on plain handles") {
  const fake::session session;
  const fake::handle original = fake::adopt();
  {
    const descriptor copy = pysock::dup(original);
    CHECK(copy.get() != original);
    CHECK_FALSE(fake::is_inheritable(copy.get()));
  }
  pysock::close(original);
  CHECK_FALSE(fake::is_open(original));
  CHECK_THROWS_WITH(pysock::close(-1), "close: " + errno_text(EBADF));
  CHECK_THROWS_WITH(pysock::dup(-1), "dup: " + errno_text(EBADF));
}
