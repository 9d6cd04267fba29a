// SPDX-License-Identifier: MIT
// Error numbers, their kinds for the wait engine, and their texts.
#include "features.hpp"

#include <cerrno>
#include <pysock/detail/sys.hpp>

namespace pysock {
inline namespace v1 {
namespace detail {

int sys::last_error() noexcept { return errno; }

sys::failure sys::classify(int error) noexcept {
  if (error == EINTR) return failure::interrupted;
  if (error == EAGAIN) return failure::would_block;
  // Not covered: Linux has one number for both.
  if (error == EWOULDBLOCK) return failure::would_block;
  return failure::other;
}

bool sys::connect_pending(int error) noexcept { return error == EINPROGRESS; }

sys::error_numbers sys::numbers() noexcept {
  error_numbers known{};
  known.bad_descriptor = EBADF;
  known.would_block = EWOULDBLOCK;
  known.interrupted = EINTR;
  known.not_socket = ENOTSOCK;
  known.is_connected = EISCONN;
  known.not_connected = ENOTCONN;
  known.connection_refused = ECONNREFUSED;
  known.shut_down = ESHUTDOWN;
  known.family_not_supported = EAFNOSUPPORT;
  return known;
}

const std::error_category& sys::category() noexcept { return std::system_category(); }

const char* sys::number_label() noexcept { return "Errno"; }

std::string sys::gai_message(int error) { return ::gai_strerror(error); }

std::string sys::herror_message(int error) { return ::hstrerror(error); }

}  // namespace detail
}  // namespace v1
}  // namespace pysock
