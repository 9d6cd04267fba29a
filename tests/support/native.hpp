// SPDX-License-Identifier: MIT
// The system's own number for a portable condition.
#pragma once

#include <cerrno>
#include <pysock/error.hpp>
#include <string>

namespace test_support {

/// 0 if the system has none.
inline int native_number(std::errc condition) {
  const auto means = [condition](int number) {
    return std::error_code(number, pysock::detail::sys::category()) == condition;
  };
  if (means(static_cast<int>(condition))) return static_cast<int>(condition);
  for (int number = 12000; number > 0; --number) {
    if (means(number)) return number;
  }
  return 0;
}

/// The number for one of errno's.
inline int native(int errno_number) { return native_number(static_cast<std::errc>(errno_number)); }

/// The error of a connect that continues in the background.
inline int pending_connect() {
  int number = native(EINPROGRESS);
  while (!pysock::detail::sys::connect_pending(number)) --number;
  return number;
}

/// The beginning of a message: `[Errno 111] `.
inline std::string number_text(int number) {
  return std::string("[") + pysock::detail::sys::number_label() + " " + std::to_string(number) +
         "] ";
}

/// The text of a message for a number of errno. For unit tests, whose fake has errno's numbers.
inline std::string errno_text(int number) {
  return number_text(number) + std::error_code(number, pysock::detail::sys::category()).message();
}
/// The same for an EAI_* number.
inline std::string gai_text(int number) {
  return "[Errno " + std::to_string(number) + "] " +
         std::error_code(number, pysock::gai_category()).message();
}
/// The same for an h_errno number.
inline std::string herror_text(int number) {
  return "[Errno " + std::to_string(number) + "] " +
         std::error_code(number, pysock::herror_category()).message();
}

}  // namespace test_support
