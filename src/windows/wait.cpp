// SPDX-License-Identifier: MIT
// Waiting for one socket.
#include "winsock.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

// select() and not WSAPoll(), which before Windows 10 2004 never reported a connect that failed.
int sys::poll(native_handle_type s, event events, int milliseconds) noexcept {
  fd_set one;
  one.fd_count = 1;
  one.fd_array[0] = winsock::to_socket(s);
  // select() takes out of each set what is not ready.
  fd_set readable = one;
  fd_set writable = one;
  fd_set failed = one;
  timeval limit{};
  limit.tv_sec = milliseconds / 1000;
  limit.tv_usec = milliseconds % 1000 * 1000;

  fd_set* const none = nullptr;
  // A connect that failed is among the exceptions and nowhere else; to a reader they would be
  // urgent data.
  const int ready = ::select(0, contains(events, event::read) ? &readable : none,
                             contains(events, event::write | event::connect) ? &writable : none,
                             contains(events, event::connect) ? &failed : none,
                             milliseconds < 0 ? nullptr : &limit);
  return ready > 0 ? 1 : winsock::outcome(ready);
}

int sys::pause(int milliseconds) noexcept {
  ::Sleep(static_cast<DWORD>(milliseconds));
  return 0;
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
