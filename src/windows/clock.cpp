// SPDX-License-Identifier: MIT
// The monotonic clock, and the number of the process.
#include "winsock.hpp"

#include <chrono>

namespace pysock {
inline namespace v1 {
namespace detail {

std::int64_t sys::now() noexcept {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

std::int64_t sys::process_id() noexcept { return 0; }

}  // namespace detail
}  // namespace v1
}  // namespace pysock
