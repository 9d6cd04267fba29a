// SPDX-License-Identifier: MIT
/// \file
/// The system's own socket headers, and the constants that Python promises everywhere.
///
/// Families, types, options and flags are the system's macros, spelled as in Python (`AF_INET`,
/// `SO_REUSEADDR`), so `#ifdef SO_REUSEPORT` shows whether a system has an option. The tables below
/// define the constants that Python defines on every system and this system lacks, and on Linux the
/// options of TCP: include <netinet/tcp.h> or <linux/tcp.h> for their structures. The constants of
/// further families are in `families.hpp`.
#pragma once

#include <cstddef>  // size_t, offsetof

#include "detail/config.hpp"

#if PYSOCK_WINDOWS
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#define PYSOCK_UNDEF_LEAN
#endif
#ifndef NOMINMAX
#define NOMINMAX
#define PYSOCK_UNDEF_NOMINMAX
#endif
#if defined(_WINSOCKAPI_) && !defined(_WINSOCK2API_)
#if !defined(INVALID_SOCKET)  // <winsock.h> was kept out, and not included
#undef _WINSOCKAPI_
#elif defined(_MSC_VER)
#error "<windows.h> included <winsock.h>: define WIN32_LEAN_AND_MEAN, or include pysock first"
#endif
#endif
// clang-format off
#include <winsock2.h>  // before the others
// clang-format on
#include <mstcpip.h>
#include <mswsock.h>
#include <ws2tcpip.h>
#if __has_include(<afunix.h>)
#include <afunix.h>
#define PYSOCK_HAVE_AFUNIX
#endif
#ifdef PYSOCK_UNDEF_LEAN
#undef WIN32_LEAN_AND_MEAN
#undef PYSOCK_UNDEF_LEAN
#endif
#ifdef PYSOCK_UNDEF_NOMINMAX
#undef NOMINMAX
#undef PYSOCK_UNDEF_NOMINMAX
#endif
namespace pysock {
inline namespace v1 {
#ifndef PYSOCK_HAVE_AFUNIX
/// What <afunix.h> declares, which older SDKs lack.
struct sockaddr_un {
  ::ADDRESS_FAMILY sun_family;  ///< AF_UNIX.
  char sun_path[108];           ///< The path, with its NUL.
};
#else
#undef PYSOCK_HAVE_AFUNIX
#endif
namespace detail {
using io_buffer = ::WSABUF;
// Whether it is a pointer and a size, in that order, as `const_bytes` and `mutable_bytes` are.
inline constexpr bool buffer_is_pointer_and_size = false;
// Winsock's lengths have 32 bits: a longer one is cut to 2^31-1 bytes.
inline void set_buffer(io_buffer& out, void* data, std::size_t size) noexcept {
  out.buf = static_cast<char*>(data);
  out.len = size < 0x7FFFFFFFU ? static_cast<::ULONG>(size) : 0x7FFFFFFFU;
}
using cmsg_header = ::WSACMSGHDR;
using native_unix = sockaddr_un;
inline constexpr int pair_family = AF_INET;  // socketpair's
}  // namespace detail
}  // namespace v1
}  // namespace pysock
#else
// Apple's headers declare IPV6_PKTINFO and similar options only on request.
#if defined(__APPLE__) && !defined(__APPLE_USE_RFC_3542) && !defined(__APPLE_USE_RFC_2292)
#define __APPLE_USE_RFC_3542
#define PYSOCK_UNDEF_RFC_3542
#endif
#if defined(_LINUX_IN_H) && defined(__GLIBC__) && !defined(_NETINET_IN_H)
// The program has included <linux/in.h>, and <netinet/in.h> would declare the same again: declare
// the rest of it.
#define _NETINET_IN_H 1
#include <linux/in6.h>
#include <stdint.h>
#include <sys/socket.h>
typedef uint32_t in_addr_t;
typedef uint16_t in_port_t;
extern "C" {
uint32_t htonl(uint32_t host) noexcept;
uint16_t htons(uint16_t host) noexcept;
uint32_t ntohl(uint32_t net) noexcept;
uint16_t ntohs(uint16_t net) noexcept;
}
#endif
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#if defined(__linux__)
struct sockaddr_un;  // <sys/un.h> and <linux/un.h> exclude each other, so the program includes one
                     // of them
#else
#include <netinet/tcp.h>
#include <sys/un.h>
#endif
#ifdef PYSOCK_UNDEF_RFC_3542
#undef __APPLE_USE_RFC_3542
#undef PYSOCK_UNDEF_RFC_3542
#endif
namespace pysock {
inline namespace v1 {
namespace detail {
using io_buffer = ::iovec;
// Whether it is a pointer and a size, in that order, as `const_bytes` and `mutable_bytes` are.
inline constexpr bool buffer_is_pointer_and_size =
    offsetof(::iovec, iov_base) == 0 && offsetof(::iovec, iov_len) == sizeof(void*) &&
    sizeof(::iovec) == sizeof(void*) + sizeof(std::size_t);
inline void set_buffer(io_buffer& out, void* data, std::size_t size) noexcept {
  out.iov_base = data;
  out.iov_len = size;
}
using cmsg_header = ::cmsghdr;
#if defined(__linux__)
// The layout of `sockaddr_un`.
struct native_unix {
  sa_family_t sun_family;
  char sun_path[108];
};
#else
using native_unix = ::sockaddr_un;
#endif
inline constexpr int pair_family = AF_UNIX;  // socketpair's
// The control message of SO_PASSPIDFD, which a kernel may send although the headers lack it.
#if defined(SCM_PIDFD)
inline constexpr int pidfd_message = SCM_PIDFD;
#elif defined(__linux__)
inline constexpr int pidfd_message = 4;
#else
inline constexpr int pidfd_message = -1;
#endif
}  // namespace detail
}  // namespace v1
}  // namespace pysock
#endif

/// \cond the system's names
// Values that CPython supplies where the system's headers have none. glibc declares several of the
// IPPROTO_ and SHUT_ names as enumerators with a macro of the same name, other systems as macros
// alone: either way #ifndef sees them.
#ifndef SHUT_RD
#define SHUT_RD 0
#endif
#ifndef SHUT_WR
#define SHUT_WR 1
#endif
#ifndef SHUT_RDWR
#define SHUT_RDWR 2
#endif
#ifndef SOMAXCONN
#define SOMAXCONN 5
#endif
#ifndef SOL_IP
#define SOL_IP 0
#endif
#ifndef SOL_TCP
#define SOL_TCP 6
#endif
#ifndef SOL_UDP
#define SOL_UDP 17
#endif
#ifndef IPPROTO_IP
#define IPPROTO_IP 0
#endif
#ifndef IPPROTO_ICMP
#define IPPROTO_ICMP 1
#endif
#ifndef IPPROTO_TCP
#define IPPROTO_TCP 6
#endif
#ifndef IPPROTO_UDP
#define IPPROTO_UDP 17
#endif
#ifndef IPPROTO_RAW
#define IPPROTO_RAW 255
#endif
#ifndef IPPORT_RESERVED
#define IPPORT_RESERVED 1024
#endif
#ifndef IPPORT_USERRESERVED
#define IPPORT_USERRESERVED 5000
#endif
#ifndef INADDR_ANY
#define INADDR_ANY 0x00000000
#endif
#ifndef INADDR_BROADCAST
#define INADDR_BROADCAST 0xffffffff
#endif
#ifndef INADDR_LOOPBACK
#define INADDR_LOOPBACK 0x7f000001
#endif
#ifndef INADDR_UNSPEC_GROUP
#define INADDR_UNSPEC_GROUP 0xe0000000
#endif
#ifndef INADDR_ALLHOSTS_GROUP
#define INADDR_ALLHOSTS_GROUP 0xe0000001
#endif
#ifndef INADDR_MAX_LOCAL_GROUP
#define INADDR_MAX_LOCAL_GROUP 0xe00000ff
#endif
#ifndef INADDR_NONE
#define INADDR_NONE 0xffffffff
#endif
#ifndef NI_MAXHOST
#define NI_MAXHOST 1025
#endif
#ifndef NI_MAXSERV
#define NI_MAXSERV 32
#endif
#if defined(IPPROTO_UDPLITE) && !defined(UDPLITE_SEND_CSCOV)
#define UDPLITE_SEND_CSCOV 10
#endif
#if defined(IPPROTO_UDPLITE) && !defined(UDPLITE_RECV_CSCOV)
#define UDPLITE_RECV_CSCOV 11
#endif
// Linux has two headers of these, <netinet/tcp.h> and <linux/tcp.h>, which exclude each other.
#if defined(__linux__) && !defined(TCP_NODELAY)
#define TCP_NODELAY 1
#define TCP_MAXSEG 2
#define TCP_CORK 3
#define TCP_KEEPIDLE 4
#define TCP_KEEPINTVL 5
#define TCP_KEEPCNT 6
#define TCP_SYNCNT 7
#define TCP_LINGER2 8
#define TCP_DEFER_ACCEPT 9
#define TCP_WINDOW_CLAMP 10
#define TCP_INFO 11
#define TCP_QUICKACK 12
#define TCP_CONGESTION 13
#define TCP_MD5SIG 14
#define TCP_COOKIE_TRANSACTIONS 15
#define TCP_THIN_LINEAR_TIMEOUTS 16
#define TCP_THIN_DUPACK 17
#define TCP_USER_TIMEOUT 18
#define TCP_REPAIR 19
#define TCP_REPAIR_QUEUE 20
#define TCP_QUEUE_SEQ 21
#define TCP_REPAIR_OPTIONS 22
#define TCP_FASTOPEN 23
#define TCP_TIMESTAMP 24
#define TCP_NOTSENT_LOWAT 25
#define TCP_CC_INFO 26
#define TCP_SAVE_SYN 27
#define TCP_SAVED_SYN 28
#define TCP_REPAIR_WINDOW 29
#define TCP_FASTOPEN_CONNECT 30
#define TCP_ULP 31
#define TCP_MD5SIG_EXT 32
#define TCP_FASTOPEN_KEY 33
#define TCP_FASTOPEN_NO_COOKIE 34
#define TCP_ZEROCOPY_RECEIVE 35
#define TCP_INQ 36
#define TCP_TX_DELAY 37
#endif
/// \endcond
