// SPDX-License-Identifier: MIT
// Catch2, 2.13 or 3.x. Tests include this header and none of Catch2's. Matchers have the names
// of 3.x.
#pragma once

#include <string>

#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_message.hpp>
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/catch_tostring.hpp>
#include <catch2/generators/catch_generators_all.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <catch2/matchers/catch_matchers_predicate.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#else
#include <catch2/catch.hpp>
namespace Catch {
namespace Matchers {
inline auto ContainsSubstring(const std::string& part) { return Contains(part); }
}  // namespace Matchers
}  // namespace Catch
#endif

namespace test_support {

/// Prints `skipped: <test case>: <reason>` and counts the test case among the skipped ones.
void note_skip(const std::string& reason);

}  // namespace test_support

/// Skips the rest of the test case, because a probe in the same run has found that something is
/// missing. Use it only in the body of a test case. A run in which every test case was skipped
/// exits with 4, which ctest reports as skipped.
#define SKIP_TEST(reason)              \
  do {                                 \
    ::test_support::note_skip(reason); \
    return;                            \
  } while (false)
