// SPDX-License-Identifier: MIT
// Results of getaddrinfo that stand for a failure of the system.
#include <cerrno>
#include <pysock/resolver.hpp>

#include "support/c_library.hpp"
#include "support/catch.hpp"
#include "support/failure.hpp"

namespace sk = pysock;
using namespace test_support;

namespace {

// How a lookup fails if the C library's function returns `result` and leaves `number` in errno.
std::string failure_with(int result, int number) {
  const replaced<c_library::getaddrinfo> failing(
      [result, number](const char*, const char*, const addrinfo*, addrinfo**) {
        errno = number;
        return result;
      });
  return failure_of([] { return sk::getaddrinfo("host.example", "service"); });
}

}  // namespace

TEST_CASE("a resolver without a free descriptor reports that, not an unknown name", "[resolver]") {
  CHECK(failure_with(EAI_SERVICE, EMFILE) == failure("error", EMFILE));
  CHECK(failure_with(EAI_NONAME, ENFILE) == failure("error", ENFILE));
  CHECK(failure_with(EAI_NONAME, ENOENT) == failure("gaierror", EAI_NONAME));
}

TEST_CASE("EAI_SYSTEM becomes the error in errno, or EAI_FAIL without one", "[resolver]") {
  CHECK(failure_with(EAI_SYSTEM, EIO) == failure("error", EIO));
  CHECK(failure_with(EAI_SYSTEM, 0) == failure("gaierror", EAI_FAIL));
}
