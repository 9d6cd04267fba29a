// SPDX-License-Identifier: MIT
// Waiting for one socket, and waking a thread that waits.
#include "winsock.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

// select() and not WSAPoll(), which before Windows 10 2004 never reported a connect that failed.
int sys::poll(native_handle_type s, event events, int milliseconds,
              native_handle_type wake) noexcept {
  fd_set one;
  one.fd_count = 1;
  one.fd_array[0] = winsock::to_socket(s);
  // select() removes the sockets that are not ready from each set.
  fd_set readable{};
  if (contains(events, event::read)) readable = one;
  if (wake >= 0) readable.fd_array[readable.fd_count++] = winsock::to_socket(wake);
  fd_set writable = one;
  fd_set failed = one;
  timeval limit{};
  limit.tv_sec = milliseconds / 1000;
  limit.tv_usec = milliseconds % 1000 * 1000;

  fd_set* const none = nullptr;
  // A failed connect is only in the set of exceptions, which for a reader means urgent data.
  const int ready = ::select(0, readable.fd_count != 0 ? &readable : none,
                             contains(events, event::write | event::connect) ? &writable : none,
                             contains(events, event::connect) ? &failed : none,
                             milliseconds < 0 ? nullptr : &limit);
  if (ready <= 0) return winsock::outcome(ready);
  return wake >= 0 && FD_ISSET(winsock::to_socket(wake), &readable) ? woken : 1;
}

int sys::pause(int milliseconds, native_handle_type wake) noexcept {
  if (wake >= 0) return poll(wake, event::read, milliseconds) > 0 ? woken : 0;
  ::Sleep(static_cast<DWORD>(milliseconds));
  return 0;
}

int sys::open_wake(native_handle_type (&ends)[2]) noexcept {
  return socketpair(AF_INET, SOCK_STREAM, 0, true, ends);
}

void sys::close_wake(const native_handle_type (&ends)[2]) noexcept {
  close(ends[1]);
  close(ends[0]);
}

void sys::wake(native_handle_type writing_end) noexcept {
  const int error = ::WSAGetLastError();
  // It fails only if the buffers are full; the other end is then readable.
  ::send(winsock::to_socket(writing_end), "", 1, 0);
  ::WSASetLastError(error);
}

void sys::clear_wake(native_handle_type reading_end) noexcept {
  char bytes[256];
  while (::recv(winsock::to_socket(reading_end), bytes, sizeof bytes, 0) > 0) {
  }
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
