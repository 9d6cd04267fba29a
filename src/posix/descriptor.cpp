// SPDX-License-Identifier: MIT
// Creating descriptors, their flags, and closing them.
#include "features.hpp"

#include <sys/ioctl.h>
#include <sys/un.h>

#include <cstddef>
#include <pysock/detail/sys.hpp>

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

static_assert(sizeof(native_unix) == sizeof(::sockaddr_un) &&
              offsetof(native_unix, sun_path) == offsetof(::sockaddr_un, sun_path));

int with_flags(int type, bool nonblocking) noexcept {
  return type | sys::feature::type_cloexec | (nonblocking ? sys::feature::type_nonblocking : 0);
}

// 0, or the negative error number.
int prevent_sigpipe([[maybe_unused]] native_handle_type s) noexcept {
#if PYSOCK_HAVE_NOSIGPIPE
  const int on = 1;
  return sys::setsockopt(s, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#else
  return 0;
#endif
}

// Sets the flags of a new socket that the call could not set.
int set_flags(native_handle_type s, bool nonblocking) noexcept {
  const int result = sys::set_inheritable(s, false);
  // Sets blocking mode as well, because on the BSDs accepted sockets inherit the listener's mode.
  return result < 0 ? result : sys::set_nonblocking(s, nonblocking);
}

int prepare(native_handle_type s, bool nonblocking) noexcept {
  const int result = sys::feature::type_cloexec == 0 ? set_flags(s, nonblocking) : 0;
  return result < 0 ? result : prevent_sigpipe(s);
}

bool read_option(native_handle_type s, int name, int& out) noexcept {
  int value = 0;
  socklen_t size = sizeof value;
  if (name < 0 || ::getsockopt(s, SOL_SOCKET, name, &value, &size) < 0) return false;
  out = value;
  return true;
}

// The plain accept(), whose new descriptor has none of the flags.
native_handle_type accept_then_set_flags(native_handle_type s, sockaddr* address, socklen_t* size,
                                         bool nonblocking) noexcept {
  const native_handle_type accepted = sys::outcome(::accept(s, address, size));
  if (accepted < 0) return accepted;
  const int result = set_flags(accepted, nonblocking);
  if (result == 0) return accepted;
  ::close(accepted);
  return result;
}

#if PYSOCK_HAVE_ACCEPT4
// The C library may have the function and the system not: old kernels, seccomp filters.
native_handle_type accept_with_flags(native_handle_type s, sockaddr* address, socklen_t* size,
                                     bool nonblocking) noexcept {
  const native_handle_type accepted =
      sys::outcome(::accept4(s, address, size, with_flags(0, nonblocking)));
  return accepted == -ENOSYS ? accept_then_set_flags(s, address, size, nonblocking) : accepted;
}
#else
constexpr auto accept_with_flags = accept_then_set_flags;
#endif

}  // namespace

native_handle_type sys::socket(int family, int type, int proto, bool nonblocking) noexcept {
  const native_handle_type s = outcome(::socket(family, with_flags(type, nonblocking), proto));
  if (s < 0) return s;
  const int result = prepare(s, nonblocking);
  if (result == 0) return s;
  ::close(s);
  return result;
}

int sys::socketpair(int family, int type, int proto, bool nonblocking,
                    native_handle_type (&out)[2]) noexcept {
  native_handle_type ends[2];
  int result = outcome(::socketpair(family, with_flags(type, nonblocking), proto, ends));
  if (result < 0) return result;
  for (const native_handle_type end : ends) {
    if (result == 0) result = prepare(end, nonblocking);
  }
  if (result == 0) {
    out[0] = ends[0];
    out[1] = ends[1];
  } else {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  return result;
}

native_handle_type sys::accept(native_handle_type s, sockaddr* address, socklen_t* size,
                               bool nonblocking) noexcept {
  const native_handle_type accepted = accept_with_flags(s, address, size, nonblocking);
  // On Apple's systems setting the option fails if the peer has closed the connection, although its
  // data can still be read. The socket has inherited the listener's option.
  if (accepted >= 0) prevent_sigpipe(accepted);
  return accepted;
}

native_handle_type sys::duplicate(native_handle_type s) noexcept {
#if PYSOCK_HAVE_DUPFD_CLOEXEC
  const native_handle_type copy = outcome(::fcntl(s, F_DUPFD_CLOEXEC, 0));
#else
  native_handle_type copy = outcome(::dup(s));
  const int result = copy < 0 ? 0 : set_inheritable(copy, false);
  if (result < 0) {
    ::close(copy);
    copy = result;
  }
#endif
  if (copy >= 0) prevent_sigpipe(copy);  // other code may have made the original
  return copy;
}

int sys::close(native_handle_type s) noexcept {
  // After EINTR most systems have closed the descriptor, and another thread may have got its
  // number.
  const int result = outcome(::close(s));
  return result == -ECONNRESET ? 0 : result;
}

int sys::set_nonblocking(native_handle_type s, bool on) noexcept {
  int value = on ? 1 : 0;
  return outcome(::ioctl(s, FIONBIO, &value));
}

int sys::get_nonblocking(native_handle_type s) noexcept {
  const int flags = outcome(::fcntl(s, F_GETFL));
  if (flags < 0) return flags;
  return (flags & O_NONBLOCK) != 0 ? 1 : 0;
}

int sys::get_inheritable(native_handle_type s) noexcept {
  const int flags = outcome(::fcntl(s, F_GETFD));
  if (flags < 0) return flags;
  return (flags & FD_CLOEXEC) == 0 ? 1 : 0;
}

// Set without reading the flags first: a descriptor has no other flag.
int sys::set_inheritable(native_handle_type s, bool on) noexcept {
  return outcome(::fcntl(s, F_SETFD, on ? 0 : FD_CLOEXEC));
}

int sys::describe(native_handle_type s, int& family, int& type, int& proto) noexcept {
  socklen_t size = sizeof type;
  const int result = getsockopt(s, SOL_SOCKET, SO_TYPE, &type, &size);
  if (result < 0) return result;
  if (!read_option(s, feature::domain_option, family)) {
    sockaddr_storage name{};
    size = sizeof name;
    if (::getsockname(s, reinterpret_cast<sockaddr*>(&name), &size) == 0) family = name.ss_family;
  }
  read_option(s, feature::protocol_option, proto);
  prevent_sigpipe(s);  // for sockets that other code has made
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
