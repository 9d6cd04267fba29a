// SPDX-License-Identifier: MIT
// Shared by the fuzz targets: reading the input, and checks.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

/// Called by libFuzzer or corpus_main.cpp.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

/// Aborts the process if the condition is false, which libFuzzer reports as a finding.
#define FUZZ_CHECK(condition) \
  ::fuzz::check(static_cast<bool>(condition), #condition, __FILE__, __LINE__)

namespace fuzz {

inline void check(bool holds, const char* condition, const char* file, int line) {
  if (holds) return;
  std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, condition);
  std::abort();
}

/// The bytes of one run, in order. After the last byte it returns 0.
class input {
 public:
  input(const std::uint8_t* data, std::size_t size) : next_(data), left_(size) {}

  [[nodiscard]] bool empty() const { return left_ == 0; }

  unsigned byte() {
    if (left_ == 0) return 0;
    --left_;
    return *next_++;
  }

  /// A number in 0..most, from one byte if that is enough, otherwise from two. Small bytes give
  /// small
  /// numbers.
  std::size_t number(std::size_t most) {
    const std::size_t first = byte();
    return (most < 256 ? first : first * 256 + byte()) % (most + 1);
  }

  /// The next bytes, fewer if there are no more.
  std::string bytes(std::size_t size) {
    std::string taken(reinterpret_cast<const char*>(next_), std::min(size, left_));
    next_ += taken.size();
    left_ -= taken.size();
    return taken;
  }

  std::string rest() { return bytes(left_); }

 private:
  const std::uint8_t* next_;
  std::size_t left_;
};

}  // namespace fuzz
