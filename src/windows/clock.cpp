// SPDX-License-Identifier: MIT
// The monotonic clock.
#include "winsock.hpp"

#include <chrono>

namespace pysock {
inline namespace v1 {
namespace detail {

std::int64_t sys::now() noexcept {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
