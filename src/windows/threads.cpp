// SPDX-License-Identifier: MIT
// The threads of lookups with a limit. Separate, so that programs without such lookups do not link
// them.
#include "winsock.hpp"

#include <process.h>

#include <new>

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

struct thread_start {
  void (*function)(void*) noexcept;
  void* argument;
};

}  // namespace

int sys::run_detached(void (*function)(void*) noexcept, void* argument) noexcept {
  auto* const start = new (std::nothrow) thread_start{function, argument};
  if (start == nullptr) return -WSA_NOT_ENOUGH_MEMORY;
  const std::uintptr_t thread = ::_beginthreadex(
      nullptr, 0,
      [](void* data) -> unsigned {
        const thread_start given = *static_cast<thread_start*>(data);
        delete static_cast<thread_start*>(data);
        given.function(given.argument);
        return 0;
      },
      start, 0, nullptr);
  if (thread != 0) {
    ::CloseHandle(reinterpret_cast<HANDLE>(thread));
    return 0;
  }
  delete start;
  return -WSAENOBUFS;
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
