// SPDX-License-Identifier: MIT
#include <pysock/interfaces.hpp>

#include <cerrno>

#include "support/catch.hpp"
#include "support/fake_sys.hpp"
#include "support/native.hpp"

TEST_CASE("if_nametoindex and if_indextoname convert names and numbers") {
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

TEST_CASE("if_nametoindex and if_indextoname report unknown interfaces with an errno",
          "[if_nametoindex][if_indextoname]") {
  const fake::session session;
  const auto number_of = [](const auto& call) -> int {
    try {
      (void)call();
    } catch (const pysock::error& e) {
      return e.errnum().value_or(-1);
    }
    return 0;
  };
  CHECK(number_of([] { return pysock::if_nametoindex("nosuch"); }) == ENODEV);
  CHECK(number_of([] { return pysock::if_indextoname(99); }) == ENXIO);
  CHECK_THROWS_WITH(pysock::if_nametoindex("nosuch"),
                    "if_nametoindex 'nosuch': " + test_support::errno_text(ENODEV));
  fake::on_if_nametoindex({fake::fails(EMFILE)});
  fake::on_if_indextoname({fake::fails(EMFILE)});
  fake::on_if_nameindex({fake::fails(EMFILE)});
  CHECK(number_of([] { return pysock::if_nametoindex("lo"); }) == EMFILE);
  CHECK(number_of([] { return pysock::if_indextoname(1); }) == EMFILE);
  CHECK(number_of([] { return pysock::if_nameindex().size(); }) == EMFILE);
}

TEST_CASE("invalid interface names and numbers are refused before the lookup",
          "[if_nametoindex][if_indextoname]") {
  const fake::session session;
  CHECK_THROWS_AS(pysock::if_nametoindex("lo\0x"), std::invalid_argument);
  CHECK_THROWS_AS(pysock::if_indextoname(-1), std::invalid_argument);
  CHECK_THROWS_AS(pysock::if_indextoname(4294967296LL), std::out_of_range);
  CHECK(fake::log().empty());
}
