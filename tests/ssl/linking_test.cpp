// SPDX-License-Identifier: MIT
// What programs are linked with.
#include "ssl/tls.hpp"
#include "support/catch.hpp"

using namespace test_support;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("a program that uses only the core needs no OpenSSL", "[ssl][M93]") {
  if (!has_program("ldd")) SKIP_TEST("there is no ldd");
  const std::string libraries = process({"ldd", PYSOCK_CORE_PROGRAM}).rest();
  CHECK_THAT(libraries, ContainsSubstring("libc.so"));
  CHECK(libraries.find("ssl") == std::string::npos);
  CHECK(libraries.find("crypto") == std::string::npos);
}
