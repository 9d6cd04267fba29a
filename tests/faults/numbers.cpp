// SPDX-License-Identifier: MIT
// With which errors each call of the seam can fail: those that the manual pages of the calls below
// it list, but for EFAULT.
#include <cerrno>

#include "harness.hpp"

namespace faults {
namespace {

std::vector<order> errors(std::initializer_list<int> numbers) {
  std::vector<order> all;
  for (const int number : numbers) {
    bool known = false;  // EAGAIN and EWOULDBLOCK, EOPNOTSUPP and ENOTSUP may be one number
    for (const order& o : all) known = known || o.number == number;
    if (!known) all.push_back({order::what::fail, number, false});
  }
  return all;
}

std::vector<order> codes(std::initializer_list<int> numbers, std::initializer_list<int> of_system) {
  std::vector<order> all = errors(of_system);
  for (const int number : numbers) all.push_back({order::what::fail, number, true});
  return all;
}

}  // namespace

// Without a default: compilers then warn of a call that has no case, and a test fails.
std::vector<order> failures_of(call c) {
  switch (c) {
    case call::socket:
    case call::socketpair:
      return errors({EACCES, EAFNOSUPPORT, EINVAL, EMFILE, ENFILE, ENOBUFS, ENOMEM, EOPNOTSUPP,
                     EPERM, EPROTONOSUPPORT});
    case call::accept:
      return errors({EINTR, EAGAIN, EBADF, ECONNABORTED, EHOSTUNREACH, EINVAL, EMFILE, ENETDOWN,
                     ENETUNREACH, ENFILE, ENOBUFS, ENOMEM, ENOTSOCK, EOPNOTSUPP, EPERM, EPROTO});
    case call::duplicate:
      return errors({EBADF, EINVAL, EMFILE});
    case call::close:
    case call::close_file:
      return errors({EBADF, EINTR, EIO, ENOSPC});
    case call::set_nonblocking:
      return errors({EBADF, EINVAL, ENOTTY});
    case call::get_nonblocking:
    case call::get_inheritable:
    case call::set_inheritable:
      return errors({EBADF, EINVAL, EPERM});
    case call::describe:
      return errors({EBADF, EINVAL, ENOBUFS, ENOPROTOOPT, ENOTSOCK});
    case call::bind:
      return errors({EACCES, EADDRINUSE, EADDRNOTAVAIL, EBADF, EINVAL, ELOOP, ENAMETOOLONG, ENOENT,
                     ENOMEM, ENOTDIR, ENOTSOCK, EROFS});
    case call::listen:
      return errors({EADDRINUSE, EBADF, ENOTSOCK, EOPNOTSUPP});
    case call::connect:
      return errors({EINTR, EACCES, EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EAGAIN, EALREADY,
                     EBADF, ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ENOTSOCK, EPERM, EPROTOTYPE,
                     ETIMEDOUT});
    case call::shutdown:
      return errors({EBADF, EINVAL, ENOBUFS, ENOTCONN, ENOTSOCK});
    case call::getsockname:
      return errors({EBADF, EINVAL, ENOBUFS, ENOTSOCK});
    case call::getpeername:
      return errors({EBADF, EINVAL, ENOBUFS, ENOTCONN, ENOTSOCK});
    case call::getsockopt:
      return errors({EBADF, EINVAL, ENOPROTOOPT, ENOTSOCK});
    case call::setsockopt:
      return errors({EBADF, EDOM, EINVAL, ENOMEM, ENOPROTOOPT, ENOTSOCK, EPERM});
    case call::poll:
    case call::pause:
      return errors({EINTR, EINVAL, ENOMEM});
    case call::open_wake:
      return errors({EINVAL, EMFILE, ENFILE, ENODEV, ENOMEM});
    case call::run_detached:
      return errors({EAGAIN, EPERM});
    case call::open_poll_set:
      return errors({EINVAL, EMFILE, ENFILE, ENOMEM});
    case call::change_poll_set:
      return errors({EBADF, EEXIST, EINVAL, ELOOP, ENOENT, ENOMEM, ENOSPC, EPERM});
    case call::wait_poll_set:
      return errors({EBADF, EINTR, EINVAL});
    case call::send:
    case call::sendto:
    case call::send_now:
    case call::sendmsg:
      return errors({EINTR,      EAGAIN,       EACCES,       EALREADY, EBADF,    ECONNREFUSED,
                     ECONNRESET, EDESTADDRREQ, EHOSTUNREACH, EINVAL,   EISCONN,  EMSGSIZE,
                     ENETDOWN,   ENETUNREACH,  ENOBUFS,      ENOMEM,   ENOTCONN, ENOTSOCK,
                     EOPNOTSUPP, EPIPE,        ETIMEDOUT});
    case call::recv:
    case call::recvfrom:
    case call::recv_now:
    case call::recvmsg:
      return errors({EINTR, EAGAIN, EBADF, ECONNREFUSED, ECONNRESET, EHOSTUNREACH, EINVAL, EIO,
                     ENOBUFS, ENOMEM, ENOTCONN, ENOTSOCK, EOPNOTSUPP, ETIMEDOUT});
    case call::sendfile:
      return errors({EINTR, EAGAIN, EBADF, ECONNRESET, EINVAL, EIO, ENOMEM, ENOSYS, EOVERFLOW,
                     EPIPE, ESPIPE});
    case call::open_file:
      return errors({EACCES, EINTR, EISDIR, ELOOP, EMFILE, ENAMETOOLONG, ENFILE, ENODEV, ENOENT,
                     ENOMEM, ENOTDIR, ENXIO, EOVERFLOW, EPERM, ETXTBSY});
    case call::file_size:
      return errors({EACCES, EBADF, EISDIR, ENOMEM, EOVERFLOW});
    case call::read_file:
      return errors({EBADF, EINTR, EINVAL, EIO, EISDIR, ENXIO, EOVERFLOW, ESPIPE});
    case call::file_handle:
      return errors({EBADF});
    case call::seek_file:
      return errors({EBADF, EINVAL, ESPIPE});
    case call::getaddrinfo:
      return codes({EAI_AGAIN, EAI_BADFLAGS, EAI_FAIL, EAI_FAMILY, EAI_MEMORY, EAI_NONAME,
                    EAI_SERVICE, EAI_SOCKTYPE},
                   {EMFILE, ENOMEM, EINTR});
    case call::getnameinfo:
      return codes(
          {EAI_AGAIN, EAI_BADFLAGS, EAI_FAIL, EAI_FAMILY, EAI_MEMORY, EAI_NONAME, EAI_OVERFLOW},
          {EMFILE, ENOMEM});
    case call::gethostbyname:
    case call::gethostbyaddr:
      return codes({HOST_NOT_FOUND, NO_DATA, NO_RECOVERY, TRY_AGAIN}, {EMFILE, ENOMEM});
    case call::getservbyname:
    case call::getservbyport:
    case call::getprotobyname:
      return errors({EMFILE, ENOMEM, ERANGE});
    case call::gethostname:
      return errors({EINVAL, ENAMETOOLONG});
    case call::sethostname:
      return errors({EINVAL, EPERM});
    case call::if_nameindex:
      return errors({EMFILE, ENOBUFS, ENOMEM});
    case call::if_nametoindex:
      return errors({EMFILE, ENODEV});
    case call::if_indextoname:
      return errors({EMFILE, ENXIO});
    case call::count:
      break;
  }
  return {};
}

const char* name_of(call c) noexcept {
#define PYSOCK_FAULTS_TEXT(name) #name,
  static const char* const names[] = {PYSOCK_FAKE_CALLS(PYSOCK_FAULTS_TEXT) "none"};
#undef PYSOCK_FAULTS_TEXT
  return names[static_cast<std::size_t>(c)];
}

}  // namespace faults
