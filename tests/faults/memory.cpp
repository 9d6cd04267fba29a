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

}  // namespace

namespace faults {
namespace memory {

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
