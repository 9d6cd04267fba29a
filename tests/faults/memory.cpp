// SPDX-License-Identifier: MIT
// The operator new of the fault tests: counts, fails on request in whatever thread, and changes the
// error number, as POSIX allows.
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <new>

#include "harness.hpp"

namespace {

std::atomic<bool> is_armed{false};
std::atomic<unsigned> seen{0};
std::atomic<unsigned> failing{0};
std::atomic<bool> fails_on{false};
std::atomic<bool> any_failed{false};
std::atomic<long> live{0};
std::atomic<unsigned> seen_of_openssl{0};
std::atomic<unsigned> failing_of_openssl{0};

void* allocate(std::size_t size) noexcept {
  if (is_armed) {
    const unsigned number = ++seen;
    if (failing != 0 && (number == failing || (fails_on && number > failing))) {
      any_failed = true;
      return nullptr;
    }
  }
  void* const block = std::malloc(size != 0 ? size : 1);
  if (block == nullptr) return nullptr;
  ++live;
  if (is_armed) errno = EXDEV;
  return block;
}

void* allocate_or_throw(std::size_t size) {
  if (void* const block = allocate(size)) return block;
  throw std::bad_alloc();
}

void release(void* block) noexcept {
  if (block != nullptr) --live;
  std::free(block);
}

bool fails_for_openssl() noexcept {
  if (!is_armed || ++seen_of_openssl != failing_of_openssl) return false;
  any_failed = true;
  return true;
}

}  // namespace

namespace faults {
namespace memory {

void* allocate_for_openssl(std::size_t size, const char*, int) noexcept {
  if (size == 0 || fails_for_openssl()) return nullptr;
  void* const block = std::malloc(size);
  if (block != nullptr) ++live;
  return block;
}
void* reallocate_for_openssl(void* block, std::size_t size, const char* file, int line) noexcept {
  if (block == nullptr) return allocate_for_openssl(size, file, line);
  if (size == 0) {
    release_for_openssl(block, file, line);
    return nullptr;
  }
  return fails_for_openssl() ? nullptr : std::realloc(block, size);
}
void release_for_openssl(void* block, const char*, int) noexcept { release(block); }

void fail_for_openssl(unsigned number) noexcept {
  seen_of_openssl = 0;
  failing_of_openssl = number;
}
unsigned count_of_openssl() noexcept { return seen_of_openssl; }

void fail(unsigned number, bool always) noexcept {
  seen = 0;
  failing = number;
  fails_on = always;
  any_failed = false;
}
unsigned count() noexcept { return seen; }
bool has_failed() noexcept { return any_failed; }
long blocks() noexcept { return live; }
void arm(bool on) noexcept { is_armed = on; }

}  // namespace memory
}  // namespace faults

void* operator new(std::size_t size) { return allocate_or_throw(size); }
void* operator new[](std::size_t size) { return allocate_or_throw(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void operator delete(void* block) noexcept { release(block); }
void operator delete[](void* block) noexcept { release(block); }
void operator delete(void* block, std::size_t) noexcept { release(block); }
void operator delete[](void* block, std::size_t) noexcept { release(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept { release(block); }
void operator delete[](void* block, const std::nothrow_t&) noexcept { release(block); }
