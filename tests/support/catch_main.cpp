// SPDX-License-Identifier: MIT
// Catch's main, compiled once. The exit status is 0 if all test cases passed, 4 if all that ran
// were skipped. It is not 0 if one failed or if no test case matches the given name.
#if __has_include(<catch2/catch_session.hpp>)
#include <catch2/catch_session.hpp>
#include <catch2/interfaces/catch_interfaces_capture.hpp>
#include <catch2/reporters/catch_reporter_event_listener.hpp>
#include <catch2/reporters/catch_reporter_registrars.hpp>
using listener_base = Catch::EventListenerBase;
#else
#define CATCH_CONFIG_RUNNER
#define CATCH_CONFIG_EXTERNAL_INTERFACES
#include <catch2/catch.hpp>
using listener_base = Catch::TestEventListenerBase;
#endif

#include <cstddef>
#include <iostream>
#include <set>
#include <string>

#include "catch.hpp"

namespace {

bool ran = false;  // false after --list-tests and the like
std::size_t test_cases = 0;
std::set<std::string> skipped;

class counter : public listener_base {
 public:
  using listener_base::listener_base;
  void testRunEnded(const Catch::TestRunStats& stats) override {
    ran = true;
    test_cases = static_cast<std::size_t>(stats.totals.testCases.total());
  }
};
CATCH_REGISTER_LISTENER(counter)

}  // namespace

void test_support::note_skip(const std::string& reason) {
  const std::string name = Catch::getResultCapture().getCurrentTestName();
  skipped.insert(name);
  std::cout << "skipped: " << name << ": " << reason << std::endl;
}

int main(int argc, char** argv) {
  const int result = Catch::Session().run(argc, argv);
  if (!ran) return result;
  if (!skipped.empty())
    std::cout << skipped.size() << " of " << test_cases << " test cases skipped" << std::endl;
  if (result != 0 || test_cases == 0) return 1;
  return skipped.size() == test_cases ? 4 : 0;
}
