// SPDX-License-Identifier: MIT
// The operator new that counts, and fails on request, apart from the tests: compilers that see it
// beside a call take it for a mismatch.
#include "allocations.hpp"

#include <cstdlib>
#include <new>

namespace {

thread_local std::size_t count = 0;
thread_local std::size_t failing = 0;  // the one that fails, by its number; 0: none

void* counted(std::size_t size) noexcept {
  if (++count == failing) return nullptr;
  return std::malloc(size != 0 ? size : 1);
}

void* counted_or_throw(std::size_t size) {
  if (void* room = counted(size)) return room;
  throw std::bad_alloc();
}

}  // namespace

std::size_t test_support::allocations() noexcept { return count; }

void test_support::fail_allocation(std::size_t number) noexcept { failing = count + number; }

bool test_support::stop_failing() noexcept {
  const bool failed = failing != 0 && count >= failing;
  failing = 0;
  return failed;
}

void* operator new(std::size_t size) { return counted_or_throw(size); }
void* operator new[](std::size_t size) { return counted_or_throw(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return counted(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return counted(size); }
void operator delete(void* room) noexcept { std::free(room); }
void operator delete[](void* room) noexcept { std::free(room); }
void operator delete(void* room, std::size_t) noexcept { std::free(room); }
void operator delete[](void* room, std::size_t) noexcept { std::free(room); }
void operator delete(void* room, const std::nothrow_t&) noexcept { std::free(room); }
void operator delete[](void* room, const std::nothrow_t&) noexcept { std::free(room); }
