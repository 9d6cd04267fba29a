// SPDX-License-Identifier: MIT
// Waiting for one descriptor.
#include "features.hpp"

#include <poll.h>

#include <pysock/detail/sys.hpp>

namespace pysock {
inline namespace v1 {
namespace detail {

int sys::poll(native_handle_type s, event events, int milliseconds) noexcept {
  // poll(2) skips a negative descriptor: it would sleep for the whole time instead of failing.
  if (s < 0) return -EBADF;
  pollfd entry{};
  entry.fd = s;
  if (contains(events, event::read)) entry.events |= POLLIN;
  if (contains(events, event::write | event::connect)) entry.events |= POLLOUT;
  // An error, a hang-up and an invalid descriptor are ready too: the call that follows reports
  // them.
  return outcome(::poll(&entry, 1, milliseconds));
}

int sys::pause(int milliseconds) noexcept { return outcome(::poll(nullptr, 0, milliseconds)); }

}  // namespace detail
}  // namespace v1
}  // namespace pysock
