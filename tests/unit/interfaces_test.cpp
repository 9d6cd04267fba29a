// SPDX-License-Identifier: MIT
#include <pysock/interfaces.hpp>

#include <cerrno>

#include "support/catch.hpp"
#include "support/fake_sys.hpp"

TEST_CASE("interfaces have numbers and names", "[M12][M13][M14]") {
  const fake::session session;
  fake::set_interfaces({{1, "lo"}, {7, "eth7"}});
  const auto list = pysock::if_nameindex();
  REQUIRE(list.size() == 2);
  CHECK(list[1].index == 7);
  CHECK(list[1].name == "eth7");
  CHECK(pysock::if_nametoindex("eth7") == 7);
  CHECK(pysock::if_indextoname(7) == "eth7");
  fake::on_if_nameindex({fake::fails(ENOBUFS)});
  CHECK_THROWS_AS(pysock::if_nameindex(), pysock::error);
}

TEST_CASE("interfaces that are not there", "[M13][M14]") {
  const fake::session session;
  CHECK_THROWS_WITH(pysock::if_nametoindex("nosuch"),
                    "if_nametoindex 'nosuch': no interface with this name");
  CHECK_THROWS_AS(pysock::if_nametoindex("lo\0x"), std::invalid_argument);
  try {
    (void)pysock::if_indextoname(99);
    FAIL("not thrown");
  } catch (const pysock::error& e) {
    CHECK(e.errnum() == ENXIO);
  }
  CHECK_THROWS_AS(pysock::if_indextoname(-1), std::out_of_range);
  CHECK_THROWS_AS(pysock::if_indextoname(4294967296LL), std::out_of_range);
}
