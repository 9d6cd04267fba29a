// SPDX-License-Identifier: MIT
// An operator new that counts, and fails on request. It has its own file because compilers that see
// it together with a call warn of mismatched functions. When it succeeds it changes errno, as POSIX
// allows: a test of a failing call then fails if the library allocates before it reads errno.
#include "allocations.hpp"

#include <cerrno>
#include <cstdlib>
#include <new>
#include <pysock/constants.hpp>

namespace {

thread_local std::size_t count = 0;
thread_local std::size_t failing = 0;  // the count at which an allocation fails; 0: never

// An error number that no call of the library reports.
void change_error_number() noexcept {
  errno = EXDEV;
#if PYSOCK_WINDOWS
  ::SetLastError(ERROR_NOT_SAME_DEVICE);
#endif
}

void* counted(std::size_t size) noexcept {
  if (++count == failing) return nullptr;
  void* const memory = std::malloc(size != 0 ? size : 1);
  if (memory != nullptr) change_error_number();
  return memory;
}

void* counted_or_throw(std::size_t size) {
  if (void* buffer = counted(size)) return buffer;
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
void operator delete(void* buffer) noexcept { std::free(buffer); }
void operator delete[](void* buffer) noexcept { std::free(buffer); }
void operator delete(void* buffer, std::size_t) noexcept { std::free(buffer); }
void operator delete[](void* buffer, std::size_t) noexcept { std::free(buffer); }
void operator delete(void* buffer, const std::nothrow_t&) noexcept { std::free(buffer); }
void operator delete[](void* buffer, const std::nothrow_t&) noexcept { std::free(buffer); }
