// SPDX-License-Identifier: MIT
// The monotonic clock, and the number of the process.
#include "winsock.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

std::int64_t sys::now() noexcept {
  constexpr std::int64_t second = 1000000000;
  static const std::int64_t frequency = [] {
    LARGE_INTEGER ticks;
    ::QueryPerformanceFrequency(&ticks);
    return std::int64_t{ticks.QuadPart};
  }();
  LARGE_INTEGER ticks;
  ::QueryPerformanceCounter(&ticks);
  // In two parts: the product alone would overflow after some minutes.
  return ticks.QuadPart / frequency * second + ticks.QuadPart % frequency * second / frequency;
}

long sys::process_id() noexcept { return 0; }

}  // namespace detail
}  // namespace v1
}  // namespace pysock
