// SPDX-License-Identifier: MIT
// Probes of the system's calls, without the library. A test is skipped if the system is wrong.
#pragma once

#if __has_include(<unistd.h>)
#include <unistd.h>
#endif

#include <algorithm>
#include <array>
#include <cstring>
#include <pysock/socket.hpp>
#include <string>
#include <vector>

#include "raw.hpp"

namespace test_support {

/// The scope that the system returns for a socket bound with `scope`; it should be the same.
inline unsigned told_scope(unsigned scope) {
  const pysock::socket s(AF_INET6, SOCK_DGRAM);
  sockaddr_in6 name{};
  name.sin6_family = AF_INET6;
  name.sin6_addr.s6_addr[0] =
      0xFF;  // a multicast address of link scope needs no address on the interface
  name.sin6_addr.s6_addr[1] = 0x02;
  name.sin6_addr.s6_addr[15] = 0x01;
  name.sin6_scope_id = scope;
  socklen_t size = sizeof name;
  auto* const address = reinterpret_cast<sockaddr*>(&name);
  if (::bind(raw(s), address, size) != 0 || ::getsockname(raw(s), address, &size) != 0)
    return scope;
  return name.sin6_scope_id;
}

#ifdef SCM_RIGHTS
/// A message of one byte, with a buffer for control data.
struct raw_message {
  explicit raw_message(std::size_t buffer) : control(buffer) {
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = static_cast<decltype(message.msg_controllen)>(buffer);
  }
  /// Writes a control message.
  template <typename T>
  void hold(int level, int type, const T& value) {
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = level;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(sizeof value);
    std::memcpy(CMSG_DATA(header), &value, sizeof value);
  }
  std::vector<char> control;
  char byte = 'x';
  iovec data{&byte, 1};
  msghdr message{};
};

/// Empty if the system reports truncated control messages, otherwise what it does instead.
inline std::string why_no_cut_control_message() {
  const auto [a, b] = pysock::socketpair();
  const std::array<int, 2> two = {a.fileno(), b.fileno()};
  raw_message sent(CMSG_SPACE(sizeof two));
  sent.hold(SOL_SOCKET, SCM_RIGHTS, two);
  raw_message received(CMSG_LEN(sizeof(int)));
  if (::sendmsg(a.fileno(), &sent.message, 0) != 1 ||
      ::recvmsg(b.fileno(), &received.message, 0) != 1) {
    return "this system passes no descriptors: " +
           pysock::detail::system_code(pysock::detail::sys::last_error()).message();
  }
  if (cmsghdr* const header = CMSG_FIRSTHDR(&received.message); header != nullptr) {
    std::array<int, 2> got{};  // the second one is set if the system wrote beyond the buffer
    const std::size_t size = std::min<std::size_t>(header->cmsg_len - CMSG_LEN(0), sizeof got);
    std::memcpy(got.data(), CMSG_DATA(header), size);
    for (std::size_t i = 0; i < size / sizeof(int); ++i) ::close(got[i]);
  }
  return (received.message.msg_flags & MSG_CTRUNC) != 0
             ? ""
             : "this system does not say that a control message was cut";
}
#else
inline std::string why_no_cut_control_message() { return ""; }
#endif

}  // namespace test_support
