// SPDX-License-Identifier: MIT
// Descriptors: how they come to be, their flags, and their end.
#include "features.hpp"

#include <sys/ioctl.h>

#include <cerrno>
#include <pysock/detail/sys.hpp>

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

int with_flags(int type, bool nonblocking) noexcept {
  return type | sys::feature::type_cloexec | (nonblocking ? sys::feature::type_nonblocking : 0);
}

bool prevent_sigpipe([[maybe_unused]] native_handle_type s) noexcept {
#if PYSOCK_HAVE_NOSIGPIPE
  const int on = 1;
  return ::setsockopt(s, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on) == 0;
#else
  return true;
#endif
}

// Sets on a new socket by hand what the system takes no flags for.
bool set_flags(native_handle_type s, bool nonblocking) noexcept {
  if constexpr (sys::feature::type_cloexec == 0) {
    // The mode both ways: the BSDs hand the listener's on to what it accepts.
    return sys::set_inheritable(s, false) == 0 && sys::set_nonblocking(s, nonblocking) == 0;
  }
  return true;
}

bool prepare(native_handle_type s, bool nonblocking) noexcept {
  return set_flags(s, nonblocking) && prevent_sigpipe(s);
}

void close_keeping_error(native_handle_type s) noexcept {
  const int reason = errno;
  sys::close(s);
  errno = reason;
}

bool read_option(native_handle_type s, int name, int& out) noexcept {
  int value = 0;
  socklen_t size = sizeof value;
  if (name < 0 || ::getsockopt(s, SOL_SOCKET, name, &value, &size) < 0) return false;
  out = value;
  return true;
}

}  // namespace

native_handle_type sys::socket(int family, int type, int proto, bool nonblocking) noexcept {
  const native_handle_type made = ::socket(family, with_flags(type, nonblocking), proto);
  if (made < 0 || prepare(made, nonblocking)) return made;
  close_keeping_error(made);
  return invalid_handle;
}

bool sys::socketpair(int family, int type, int proto, bool nonblocking,
                     native_handle_type (&out)[2]) noexcept {
  native_handle_type made[2];
  if (::socketpair(family, with_flags(type, nonblocking), proto, made) < 0) return false;
  if (!prepare(made[0], nonblocking) || !prepare(made[1], nonblocking)) {
    close_keeping_error(made[0]);
    close_keeping_error(made[1]);
    return false;
  }
  out[0] = made[0];
  out[1] = made[1];
  return true;
}

native_handle_type sys::accept(native_handle_type s, sockaddr* address, socklen_t* size,
                               bool nonblocking) noexcept {
#if PYSOCK_HAVE_ACCEPT4
  const native_handle_type made = ::accept4(s, address, size, with_flags(0, nonblocking));
#else
  const native_handle_type made = ::accept(s, address, size);
#endif
  if (made < 0) return made;
  if (!set_flags(made, nonblocking)) {
    close_keeping_error(made);
    return invalid_handle;
  }
  // Apple takes no option once the peer is gone, whose data may still wait to be read. The listener
  // has handed its own on.
  prevent_sigpipe(made);
  return made;
}

native_handle_type sys::duplicate(native_handle_type s) noexcept {
#if PYSOCK_HAVE_DUPFD_CLOEXEC
  const native_handle_type made = ::fcntl(s, F_DUPFD_CLOEXEC, 0);
#else
  native_handle_type made = ::dup(s);
  if (made >= 0 && set_inheritable(made, false) < 0) {
    close_keeping_error(made);
    made = invalid_handle;
  }
#endif
  if (made >= 0) prevent_sigpipe(made);  // the original may be somebody else's
  return made;
}

int sys::close(native_handle_type s) noexcept {
  // After EINTR the descriptor is gone on most systems, and its number may be another thread's by
  // now.
  if (::close(s) == 0 || errno == ECONNRESET) return 0;
  return -1;
}

int sys::set_nonblocking(native_handle_type s, bool on) noexcept {
  int value = on ? 1 : 0;
  return ::ioctl(s, FIONBIO, &value);
}

int sys::get_inheritable(native_handle_type s) noexcept {
  const int flags = ::fcntl(s, F_GETFD);
  if (flags < 0) return -1;
  return (flags & FD_CLOEXEC) == 0 ? 1 : 0;
}

// Written without being read first: a descriptor has no other flag worth keeping.
int sys::set_inheritable(native_handle_type s, bool on) noexcept {
  return ::fcntl(s, F_SETFD, on ? 0 : FD_CLOEXEC);
}

int sys::describe(native_handle_type s, int& family, int& type, int& proto) noexcept {
  if (!read_option(s, SO_TYPE, type)) return -1;
  if (!read_option(s, feature::domain_option, family)) {
    sockaddr_storage name{};
    socklen_t size = sizeof name;
    if (::getsockname(s, reinterpret_cast<sockaddr*>(&name), &size) == 0 &&
        name.ss_family != AF_UNSPEC)
      family = name.ss_family;
  }
  read_option(s, feature::protocol_option, proto);
  prevent_sigpipe(s);  // the way in for sockets made elsewhere
  return 0;
}

bool sys::strip_type_flags(int& type) noexcept {
  const bool nonblocking = (type & feature::type_nonblocking) != 0;
  type &= ~(feature::type_nonblocking | feature::type_cloexec);
  return nonblocking;
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
