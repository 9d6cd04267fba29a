// SPDX-License-Identifier: MIT
// The features of this system beyond common POSIX; all feature tests are here. Must be included
// first, because it defines the width of file offsets.
//
// For a flag or an option that may be missing there is a constant, for a function a macro. A build
// that defines the macro as 0 uses common POSIX instead.
#pragma once

#ifndef _FILE_OFFSET_BITS
#define _FILE_OFFSET_BITS 64
#endif

#include <fcntl.h>   // F_DUPFD_CLOEXEC
#include <net/if.h>  // IF_NAMESIZE
#include <unistd.h>  // _POSIX_REALTIME_SIGNALS

#include <cerrno>                // errno
#include <climits>               // INT_MAX
#include <cstddef>               // size_t
#include <cstdint>               // SIZE_MAX
#include <pysock/constants.hpp>  // SOCK_CLOEXEC, MSG_NOSIGNAL, ...

#if __has_include(<sys/eventfd.h>)
#include <sys/eventfd.h>  // EFD_NONBLOCK
#endif

#if __has_include(<sys/filio.h>)
#include <sys/filio.h>  // FIONBIO, where <sys/ioctl.h> does not bring it
#endif

// accept() that sets the flags of the new descriptor; systems that have it also have flags in
// socket()'s type.
#ifndef PYSOCK_HAVE_ACCEPT4
#if defined(SOCK_CLOEXEC) && defined(SOCK_NONBLOCK)
#define PYSOCK_HAVE_ACCEPT4 1
#else
#define PYSOCK_HAVE_ACCEPT4 0
#endif
#endif

// recvmsg() that sets the flag of received descriptors.
#ifndef PYSOCK_HAVE_CMSG_CLOEXEC
#ifdef MSG_CMSG_CLOEXEC
#define PYSOCK_HAVE_CMSG_CLOEXEC 1
#else
#define PYSOCK_HAVE_CMSG_CLOEXEC 0
#endif
#endif

// The call that waits for many descriptors.
#define PYSOCK_POLL_SET_POLL 0
#define PYSOCK_POLL_SET_EPOLL 1
#define PYSOCK_POLL_SET_KQUEUE 2
#ifndef PYSOCK_POLL_SET
#if __has_include(<sys/epoll.h>)
#define PYSOCK_POLL_SET PYSOCK_POLL_SET_EPOLL
#elif __has_include(<sys/event.h>)
#define PYSOCK_POLL_SET PYSOCK_POLL_SET_KQUEUE
#else
#define PYSOCK_POLL_SET PYSOCK_POLL_SET_POLL
#endif
#endif

// eventfd, instead of a pipe.
#ifndef PYSOCK_HAVE_EVENTFD
#if defined(EFD_NONBLOCK) && defined(EFD_CLOEXEC)
#define PYSOCK_HAVE_EVENTFD 1
#else
#define PYSOCK_HAVE_EVENTFD 0
#endif
#endif

#ifndef PYSOCK_HAVE_DUPFD_CLOEXEC
#ifdef F_DUPFD_CLOEXEC
#define PYSOCK_HAVE_DUPFD_CLOEXEC 1
#else
#define PYSOCK_HAVE_DUPFD_CLOEXEC 0
#endif
#endif

// SO_NOSIGPIPE is used if send() has no flag. Apple's newer headers have the flag, but an older
// kernel may not.
#ifndef PYSOCK_HAVE_NOSIGPIPE
#if defined(SO_NOSIGPIPE) && (defined(__APPLE__) || !defined(MSG_NOSIGNAL))
#define PYSOCK_HAVE_NOSIGPIPE 1
#else
#define PYSOCK_HAVE_NOSIGPIPE 0
#endif
#endif

// The option for a socket's family, which is otherwise that of its name.
#ifndef PYSOCK_HAVE_SO_DOMAIN
#ifdef SO_DOMAIN
#define PYSOCK_HAVE_SO_DOMAIN 1
#else
#define PYSOCK_HAVE_SO_DOMAIN 0
#endif
#endif

// There are three functions named sendfile(). FreeBSD's headers define SF_NODISKIO; Apple's can
// only be recognised by the system's macro.
#define PYSOCK_SENDFILE_NONE 0
#define PYSOCK_SENDFILE_LINUX 1
#define PYSOCK_SENDFILE_FREEBSD 2
#define PYSOCK_SENDFILE_APPLE 3
#ifndef PYSOCK_SENDFILE
#if __has_include(<sys/sendfile.h>)
#define PYSOCK_SENDFILE PYSOCK_SENDFILE_LINUX
#elif defined(SF_NODISKIO)
#define PYSOCK_SENDFILE PYSOCK_SENDFILE_FREEBSD
#elif defined(__APPLE__)
#define PYSOCK_SENDFILE PYSOCK_SENDFILE_APPLE
#else
#define PYSOCK_SENDFILE PYSOCK_SENDFILE_NONE
#endif
#endif

// sigtimedwait() is part of the option of realtime signals.
#ifndef PYSOCK_HAVE_SIGTIMEDWAIT
#if defined(_POSIX_REALTIME_SIGNALS) && _POSIX_REALTIME_SIGNALS > 0
#define PYSOCK_HAVE_SIGTIMEDWAIT 1
#else
#define PYSOCK_HAVE_SIGTIMEDWAIT 0
#endif
#endif

// gethostbyname2_r() and the four similar functions in the form with a result parameter.
#ifndef PYSOCK_HAVE_REENTRANT_NETDB
#ifdef __GLIBC__
#define PYSOCK_HAVE_REENTRANT_NETDB 1
#else
#define PYSOCK_HAVE_REENTRANT_NETDB 0
#endif
#endif

// The NDK declares if_nameindex() from level 24 on, and always defines IF_NAMESIZE.
#ifndef PYSOCK_HAVE_IF_NAMEINDEX
#if defined(IF_NAMESIZE) && !(defined(__ANDROID_API__) && __ANDROID_API__ < 24)
#define PYSOCK_HAVE_IF_NAMEINDEX 1
#else
#define PYSOCK_HAVE_IF_NAMEINDEX 0
#endif
#endif

namespace pysock {
inline namespace v1 {
namespace detail {
namespace sys {
namespace feature {

// 0: the system has no such flag.
#if PYSOCK_HAVE_ACCEPT4
inline constexpr int type_cloexec = SOCK_CLOEXEC;
inline constexpr int type_nonblocking = SOCK_NONBLOCK;
#else
inline constexpr int type_cloexec = 0;
inline constexpr int type_nonblocking = 0;
#endif

#if defined(MSG_NOSIGNAL) && !PYSOCK_HAVE_NOSIGPIPE
inline constexpr int send_flags = MSG_NOSIGNAL;
#else
inline constexpr int send_flags = 0;
#endif

#if PYSOCK_HAVE_CMSG_CLOEXEC
inline constexpr int recvmsg_cloexec = MSG_CMSG_CLOEXEC;
#else
inline constexpr int recvmsg_cloexec = 0;
#endif

// -1: the system has no such option.
#if PYSOCK_HAVE_SO_DOMAIN
inline constexpr int domain_option = SO_DOMAIN;
#else
inline constexpr int domain_option = -1;
#endif

#ifdef SO_PROTOCOL
inline constexpr int protocol_option = SO_PROTOCOL;
#else
inline constexpr int protocol_option = -1;
#endif

// The BSDs and macOS reject more bytes than an int holds in one call. Linux transfers at most a
// little less than that.
#ifdef __linux__
inline constexpr std::size_t max_transfer = SIZE_MAX;
#else
inline constexpr std::size_t max_transfer = INT_MAX;
#endif

}  // namespace feature

// The result of a call of the seam: that of the system's call, or the negative error number.
template <class Result>
Result outcome(Result result) noexcept {
  return result < 0 ? static_cast<Result>(-errno) : result;
}

}  // namespace sys
}  // namespace detail
}  // namespace v1
}  // namespace pysock
