// SPDX-License-Identifier: MIT
// What a process has one of.
#include <atomic>
#include <pysock/timeout.hpp>

namespace pysock {
inline namespace v1 {
namespace {

std::atomic<std::int64_t> default_nanoseconds{detail::no_timeout};

}  // namespace

std::int64_t detail::default_timeout() noexcept {
  return default_nanoseconds.load(std::memory_order_relaxed);
}

void setdefaulttimeout(timeout_value value) noexcept {
  default_nanoseconds.store(value.nanoseconds(), std::memory_order_relaxed);
}

}  // namespace v1
}  // namespace pysock
