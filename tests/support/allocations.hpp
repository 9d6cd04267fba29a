// SPDX-License-Identifier: MIT
// Counting allocations: a program that links allocations.cpp has a counting operator new
// throughout.
#pragma once

#include <cstddef>

namespace test_support {

/// How often this thread has called operator new.
std::size_t allocations() noexcept;

/// How often `call` does.
template <class F>
std::size_t allocations_of(const F& call) {
  const std::size_t before = allocations();
  call();
  return allocations() - before;
}

}  // namespace test_support
