// SPDX-License-Identifier: MIT
// Global state, of which a process has one.
#include <atomic>
#include <pysock/detail/raise.hpp>
#include <pysock/timeout.hpp>

namespace pysock {
inline namespace v1 {
namespace {

std::atomic<std::int64_t> default_word{detail::no_timeout};

}  // namespace

std::int64_t detail::default_timeout() noexcept {
  return default_word.load(std::memory_order_relaxed);
}

void setdefaulttimeout(timeout_value value) {
  const std::int64_t word = detail::timeout_word(value);
  if (detail::is_absolute(word)) detail::throw_invalid_argument("a deadline is no default timeout");
  default_word.store(word, std::memory_order_relaxed);
}

}  // namespace v1
}  // namespace pysock
