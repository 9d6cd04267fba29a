// SPDX-License-Identifier: MIT
// The monotonic clock, and the number of the process.
#include "features.hpp"

#include <unistd.h>

#include <ctime>
#include <pysock/detail/sys.hpp>

namespace pysock {
inline namespace v1 {
namespace detail {

std::int64_t sys::now() noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return std::int64_t{t.tv_sec} * 1000000000 + t.tv_nsec;
}

long sys::process_id() noexcept { return static_cast<long>(::getpid()); }

}  // namespace detail
}  // namespace v1
}  // namespace pysock
