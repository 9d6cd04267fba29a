// SPDX-License-Identifier: MIT
// Waiting for one descriptor, and waking a thread that waits.
#include "features.hpp"

#include <poll.h>

#include <pysock/detail/sys.hpp>

namespace pysock {
inline namespace v1 {
namespace detail {

int sys::poll(native_handle_type s, event events, int milliseconds,
              native_handle_type wake) noexcept {
  // poll(2) ignores a negative descriptor, and would wait for the whole time instead of failing.
  if (s < 0) return -EBADF;
  pollfd entries[2] = {};
  entries[0].fd = s;
  if (contains(events, event::read)) entries[0].events |= POLLIN;
  if (contains(events, event::write | event::connect)) entries[0].events |= POLLOUT;
  entries[1].fd = wake;
  entries[1].events = POLLIN;
  // An error, a hang-up and an invalid descriptor are ready too: the call that follows reports
  // them.
  const int ready = outcome(::poll(entries, wake < 0 ? 1 : 2, milliseconds));
  if (ready <= 0) return ready;
  return entries[1].revents != 0 ? woken : 1;
}

int sys::pause(int milliseconds, native_handle_type wake) noexcept {
  pollfd entry{};
  entry.fd = wake;
  entry.events = POLLIN;
  const int ready = outcome(::poll(&entry, wake < 0 ? 0 : 1, milliseconds));
  return ready > 0 ? woken : ready;
}

#if PYSOCK_HAVE_EVENTFD
int sys::open_wake(native_handle_type (&ends)[2]) noexcept {
  const int made = outcome(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  ends[0] = ends[1] = made;
  return made < 0 ? made : 0;
}

void sys::wake(native_handle_type writing_end) noexcept {
  const int error = errno;
  const std::uint64_t one = 1;
  // It fails only if the count is at its maximum; the descriptor is then readable.
  [[maybe_unused]] const ssize_t count = ::write(writing_end, &one, sizeof one);
  errno = error;
}

void sys::clear_wake(native_handle_type reading_end) noexcept {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t size = ::read(reading_end, &count, sizeof count);
}
#else
int sys::open_wake(native_handle_type (&ends)[2]) noexcept {
  int result = outcome(::pipe(ends));
  if (result < 0) return result;
  for (const native_handle_type end : ends) {
    if (result == 0) result = set_inheritable(end, false);
    if (result == 0) result = set_nonblocking(end, true);
  }
  if (result < 0) close_wake(ends);
  return result;
}

void sys::wake(native_handle_type writing_end) noexcept {
  const int error = errno;
  const char one = 1;
  // It fails only if the pipe is full; the other end is then readable.
  [[maybe_unused]] const ssize_t count = ::write(writing_end, &one, sizeof one);
  errno = error;
}

void sys::clear_wake(native_handle_type reading_end) noexcept {
  char bytes[256];
  while (::read(reading_end, bytes, sizeof bytes) > 0) {
  }
}
#endif

void sys::close_wake(const native_handle_type (&ends)[2]) noexcept {
  ::close(ends[0]);
  if (ends[1] != ends[0]) ::close(ends[1]);
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
