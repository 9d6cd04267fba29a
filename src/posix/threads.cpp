// SPDX-License-Identifier: MIT
// The threads of lookups with a limit. Separate, so that programs without such lookups do not link
// them.
#include "features.hpp"

#include <pthread.h>

#include <cerrno>
#include <csignal>
#include <new>
#include <pysock/detail/sys.hpp>

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
  if (start == nullptr) return -ENOMEM;
  // A thread inherits the mask.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);  // a macro on macOS
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread{};
  const int error = ::pthread_create(
      &thread, nullptr,
      [](void* data) -> void* {
        const thread_start given = *static_cast<thread_start*>(data);
        delete static_cast<thread_start*>(data);
        given.function(given.argument);
        return nullptr;
      },
      start);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error == 0) ::pthread_detach(thread);
  if (error != 0) delete start;
  return -error;
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
