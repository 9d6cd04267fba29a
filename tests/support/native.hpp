// SPDX-License-Identifier: MIT
// The system's own number for a portable condition.
#pragma once

#include <pysock/error.hpp>

namespace test_support {

/// 0 where the system has none.
inline int native_number(std::errc condition) {
  const auto means = [condition](int number) { return std::error_code(number, pysock::detail::sys::category()) == condition; };
  if (means(static_cast<int>(condition))) return static_cast<int>(condition);
  for (int number = 12000; number > 0; --number) {
    if (means(number)) return number;
  }
  return 0;
}

/// As a message begins: `[Errno 111] `.
inline std::string number_text(int number) {
  return std::string("[") + pysock::detail::sys::number_label() + " " + std::to_string(number) + "] ";
}

}  // namespace test_support
