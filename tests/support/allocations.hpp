// SPDX-License-Identifier: MIT
// Counts allocations, and makes one fail. A program that links allocations.cpp uses its operator
// new everywhere.
#pragma once

#include <cstddef>
#include <exception>

namespace test_support {

/// How often this thread has called operator new.
std::size_t allocations() noexcept;

/// How often `call` calls operator new.
template <class F>
std::size_t allocations_of(const F& call) {
  const std::size_t before = allocations();
  call();
  return allocations() - before;
}

/// Makes the `number`th allocation of this thread from now on fail, counted from 1.
void fail_allocation(std::size_t number) noexcept;
/// Ends the effect of fail_allocation(). \returns whether an allocation has failed
bool stop_failing() noexcept;

/// Calls `call`, whose `number`th allocation fails, and catches its exception. \returns whether
/// there was such an allocation
template <class F>
bool fails_to_allocate(std::size_t number, const F& call) {
  fail_allocation(number);
  try {
    call();
  } catch (const std::exception&) {
  }
  return stop_failing();
}

}  // namespace test_support
