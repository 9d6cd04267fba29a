// SPDX-License-Identifier: MIT
// Network interfaces of this host by name and number, compared with Python's.
#include <pysock/interfaces.hpp>

#include <filesystem>

#include "support/catch.hpp"
#include "support/failure.hpp"
#include "support/python_peer.hpp"

namespace sk = pysock;
using namespace test_support;

TEST_CASE("if_nametoindex and if_indextoname convert every interface of if_nameindex",
          "[interfaces]") {
  const auto all = sk::if_nameindex();
  REQUIRE_FALSE(all.empty());
  for (const sk::interface_info& one : all) {
    CHECK(one.index > 0);
    CHECK(sk::if_nametoindex(one.name) == one.index);
    CHECK(sk::if_indextoname(one.index) == one.name);
  }
}

TEST_CASE("unknown interfaces are reported with an errno", "[if_nametoindex][if_indextoname]") {
  const std::string longer = sk::if_nameindex().at(0).name + std::string(256, 'x');
  for (const std::string& name : {std::string("no such one"), std::string(), longer}) {
    CAPTURE(name);
    try {
      (void)sk::if_nametoindex(name);
      FAIL("not thrown");
    } catch (const sk::error& e) {
      const bool unknown =
          e.code() == std::errc::no_such_device || e.code() == std::errc::no_such_device_or_address;
      CHECK(unknown);
      CHECK(e.errnum());
    }
  }
  CHECK(failure_of([] { return sk::if_indextoname(0); }) == failure("error", ENXIO));
  CHECK(failure_of([] { return sk::if_indextoname(123456789); }) == failure("error", ENXIO));
}

TEST_CASE("invalid interface names and numbers are bad arguments",
          "[if_nametoindex][if_indextoname]") {
  CHECK(failure_of([] { return sk::if_nametoindex("l\0o"); }) == "invalid_argument");
  CHECK(failure_of([] { return sk::if_indextoname(-1); }) == "invalid_argument");
  CHECK(failure_of([] { return sk::if_indextoname(0x100000000LL); }) == "out_of_range");
}

TEST_CASE("Python finds the same interfaces", "[interfaces]") {
  if (!has_program("python3")) SKIP_TEST("there is no python3");
  python_peer python(
      "import os\n"
      "say('separator', os.sep)\n"
      "say('interfaces', ' '.join('%d:%s' % one for one in socket.if_nameindex()))");
  const std::string separator(1, static_cast<char>(std::filesystem::path::preferred_separator));
  if (python.expect("separator") != separator) SKIP_TEST("the Python here is another system's");
  std::string ours;
  for (const sk::interface_info& one : sk::if_nameindex())
    ours += (ours.empty() ? "" : " ") + std::to_string(one.index) + ":" + one.name;
  CHECK(python.expect("interfaces") == ours);
  python.finish();
}
