// SPDX-License-Identifier: MIT
// Waiting for one socket.
#include "winsock.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

// select() and not WSAPoll(), which before Windows 10 2004 never reported a connect that failed.
int sys::poll(native_handle_type s, event what, int milliseconds) noexcept {
  fd_set waiting;
  waiting.fd_count = 1;
  waiting.fd_array[0] = winsock::to_socket(s);
  fd_set failed = waiting;
  timeval limit{};
  limit.tv_sec = milliseconds / 1000;
  limit.tv_usec = milliseconds % 1000 * 1000;

  fd_set* const none = nullptr;
  // A connect that failed is among the exceptions and nowhere else; to a reader they would be
  // urgent data.
  const int ready =
      ::select(0, what == event::read ? &waiting : none, what == event::read ? none : &waiting,
               what == event::connect ? &failed : none, milliseconds < 0 ? nullptr : &limit);
  return ready > 0 ? 1 : ready;
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
