// SPDX-License-Identifier: MIT
// Random choices that a seed repeats on every platform.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <random>

namespace test_support {

class dice {
 public:
  explicit dice(std::uint64_t seed) : engine_(seed) {}

  /// 0..`count` - 1.
  std::uint64_t below(std::uint64_t count) { return engine_() % count; }
  bool chance(std::uint64_t percent) { return below(100) < percent; }
  /// 1..`most`, each power of two as likely as the next.
  std::int64_t magnitude(std::int64_t most) {
    int bits = 0;
    while (bits < 62 && (std::int64_t{1} << bits) < most) ++bits;
    const std::uint64_t top = std::uint64_t{1} << below(static_cast<std::uint64_t>(bits) + 1);
    return std::min(most, 1 + static_cast<std::int64_t>(below(top)));
  }
  std::size_t size(std::size_t most) {
    return static_cast<std::size_t>(magnitude(static_cast<std::int64_t>(most)));
  }

 private:
  std::mt19937_64 engine_;
};

/// The number in an environment variable, or `otherwise` if it is not set.
inline std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

}  // namespace test_support
