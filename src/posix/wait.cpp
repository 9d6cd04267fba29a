// SPDX-License-Identifier: MIT
// Waiting for one descriptor.
#include "features.hpp"

#include <poll.h>

#include <cerrno>
#include <pysock/detail/sys.hpp>

namespace pysock {
inline namespace v1 {
namespace detail {

int sys::poll(native_handle_type s, event what, int milliseconds) noexcept {
  // poll(2) skips a negative descriptor: it would sleep for the whole time instead of failing.
  if (s < 0) {
    errno = EBADF;
    return -1;
  }
  pollfd entry{};
  entry.fd = s;
  entry.events = what == event::read ? POLLIN : POLLOUT;
  // An error, a hang-up and an invalid descriptor are ready too: the call that follows reports
  // them.
  return ::poll(&entry, 1, milliseconds);
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
