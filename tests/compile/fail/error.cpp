// SPDX-License-Identifier: MIT
#include <pysock/error.hpp>
#include <string>

void fail(const std::string& name) {
#ifdef THROW_LAST_OF_A_STRING
  pysock::detail::throw_last(
      "sethostname " + name);  // error: could not convert|cannot convert|no matching|no viable
#else
  const std::error_code reason = pysock::detail::last_code();
  pysock::detail::throw_error(reason, "sethostname " + name);
#endif
}
