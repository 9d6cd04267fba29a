// SPDX-License-Identifier: MIT
// Names to addresses: apart from everything else in the databases, which a program that only
// connects has no use for.
#include "resolver.hpp"

#include <pthread.h>
#include <signal.h>

namespace pysock {
inline namespace v1 {
namespace detail {

sys::resolver_status sys::getaddrinfo(const char* host, const char* service, const addrinfo* hints,
                                      addrinfo** results) noexcept {
  errno = 0;
  const int number = ::getaddrinfo(host, service, hints, results);
  return status_of(number, errno);
}

void sys::freeaddrinfo(addrinfo* results) noexcept { ::freeaddrinfo(results); }

int sys::answered_protocol(int usual) noexcept { return usual; }

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
  ::sigfillset(&all);
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
