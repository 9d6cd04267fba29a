// SPDX-License-Identifier: MIT
// Lookups of interfaces that fail for another reason than an unknown interface.
#include <cerrno>
#include <pysock/interfaces.hpp>

#include "support/c_library.hpp"
#include "support/catch.hpp"
#include "support/failure.hpp"

namespace sk = pysock;
using namespace test_support;

namespace {

// How both lookups fail if the C library's functions fail with this number.
std::string failure_with(int number) {
  const replaced<c_library::if_nametoindex> no_index(number);
  const replaced<c_library::if_indextoname> no_name(number);
  return failure_of([] { return sk::if_nametoindex("name"); }) + ", " +
         failure_of([] { return sk::if_indextoname(1); });
}

std::string both(int of_index, int of_name) {
  return failure("error", of_index) + ", " + failure("error", of_name);
}

}  // namespace

TEST_CASE("an unknown interface has ENODEV by name and ENXIO by number", "[interfaces]") {
  CHECK(failure_with(0) == both(ENODEV, ENXIO));
  CHECK(failure_with(ENOENT) == both(ENODEV, ENXIO));
  CHECK(failure_with(ENODEV) == both(ENODEV, ENODEV));
  CHECK(failure_with(ENXIO) == both(ENXIO, ENXIO));
}

TEST_CASE("a lookup of an interface reports another error of the C library", "[interfaces]") {
  CHECK(failure_with(ENOBUFS) == both(ENOBUFS, ENOBUFS));
}

TEST_CASE("a lookup of an interface that could not open a socket reports why", "[interfaces]") {
  const replaced<c_library::socket> failing(EMFILE);
  CHECK(failure_with(ENOENT) == both(EMFILE, EMFILE));
  CHECK(failure_with(ENODEV) == both(ENODEV, ENODEV));
  CHECK(failure_with(ENXIO) == both(ENXIO, ENXIO));
}

TEST_CASE("if_nameindex throws the error of the C library", "[interfaces]") {
  const replaced<c_library::if_nameindex> failing(ENOBUFS);
  CHECK(failure_of([] { return sk::if_nameindex(); }) == failure("error", ENOBUFS));
}
