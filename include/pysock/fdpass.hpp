// SPDX-License-Identifier: MIT
/// \file
/// Passing descriptors to another process over an AF_UNIX socket, on systems with SCM_RIGHTS.
#pragma once

#include <cstddef>           // size_t
#include <initializer_list>  // initializer_list
#include <string>            // string
#include <type_traits>       // enable_if_t
#include <utility>           // move
#include <vector>            // vector

#include "address.hpp"
#include "descriptor.hpp"
#include "detail/raise.hpp"
#include "message.hpp"
#include "socket.hpp"

#ifdef SCM_RIGHTS

namespace pysock {
inline namespace v1 {
namespace detail {

template <class R, class = void>
struct is_handle_range : std::false_type {};
template <class R>
struct is_handle_range<R, std::void_t<range_element_t<const R>>>
    : std::is_same<std::remove_const_t<range_element_t<const R>>, native_handle_type> {};

}  // namespace detail

/// Native handles as a parameter, not owned: a list (`{fd1, fd2}`), or an array, a vector or
/// another range of them. They must outlive the call.
class native_handles {
 public:
  /// None.
  constexpr native_handles() noexcept = default;
  /// A list; it is valid only for the call in which it is written.
  native_handles(std::initializer_list<native_handle_type> list PYSOCK_LIFETIMEBOUND) noexcept
      : native_handles(list.begin(), list.size()) {}
  /// `size` handles from `data`.
  native_handles(const native_handle_type* data PYSOCK_LIFETIMEBOUND, std::size_t size) noexcept
      : data_(data), size_(size) {}
  /// An array, a vector or another range.
  template <class R, std::enable_if_t<
                         detail::is_handle_range<R>::value && detail::is_owner<R>::value, int> = 0>
  native_handles(const R& range PYSOCK_LIFETIMEBOUND) noexcept
      : native_handles(std::data(range), static_cast<std::size_t>(std::size(range))) {}
  /// A span.
  template <class V, std::enable_if_t<
                         detail::is_handle_range<V>::value && !detail::is_owner<V>::value, int> = 0>
  native_handles(const V& view) noexcept
      : native_handles(std::data(view), static_cast<std::size_t>(std::size(view))) {}

  /// The first handle; may be null when empty.
  [[nodiscard]] constexpr const native_handle_type* data() const noexcept { return data_; }
  /// The number of handles.
  [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
  /// True if there are none.
  [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }

 private:
  const native_handle_type* data_ = nullptr;
  std::size_t size_ = 0;
};

/// What `recv_fds` returns. (Python: `(data, fds, msg_flags, address)`)
struct recv_fds_result {
  std::string data;             ///< What was received.
  std::vector<descriptor> fds;  ///< The descriptors, owned and not inheritable.
  int flags = 0;                ///< MSG_CTRUNC where there were more than asked for, MSG_TRUNC, ...
  address from;                 ///< Who sent it; no address if unnamed.
};

/// Sends data with duplicates of descriptors; the caller keeps its own. Uses the flags and the
/// address, which Python ignores. (Python: `socket.send_fds`; SCM_RIGHTS of unix(7)) \param sock an
/// AF_UNIX socket \param buffers the data, at least a byte on a stream \param fds at most 253 on
/// Linux; none makes it an ordinary message \param flags MSG_* \param to where to, as for `sendmsg`
/// \returns bytes sent; on a stream they may be fewer than given; the descriptors are sent with the
/// first \throws std::invalid_argument for descriptors without a byte of data on a stream, where
/// they would be lost \throws as `sendmsg`, error EBADF, EINVAL for too many
[[nodiscard]] inline std::size_t send_fds(socket& sock, const const_buffers& buffers,
                                          const native_handles& fds, int flags = 0,
                                          const address& to = {}) {
  ancillary_data ancdata;
  if (!fds.empty()) {
    const bool lost = sock.type() == SOCK_STREAM && buffers.total() == 0;
    if (lost)
      detail::throw_invalid_argument(
          "send_fds: on a stream descriptors need at least one byte to go with");
    ancdata.add({SOL_SOCKET, SCM_RIGHTS, fds});
  }
  return sock.sendmsg(buffers, ancdata, flags, to);
}

namespace detail {

// The control messages that the system adds if options ask for them: the sender's credentials and
// pidfd, a security label of at most a page, time stamps; the BSDs' credentials have 1023 groups.
inline constexpr std::size_t max_added_messages = 5120;

}  // namespace detail

/// Receives data and at most `maxfds` descriptors; further ones are closed, and all of them if the
/// call fails. Control messages that options add (SO_PASSCRED, SO_PASSSEC, SO_TIMESTAMP,
/// SO_PASSPIDFD) are dropped and do not displace descriptors: `recvmsg` returns them. Uses the
/// flags, which Python ignores. (Python: `socket.recv_fds`; SCM_RIGHTS of unix(7)) \param sock an
/// AF_UNIX socket \param bufsize bytes of data at most \param maxfds descriptors at most \param
/// flags MSG_* \throws as `socket::recvmsg` \throws std::out_of_range if `maxfds` is negative or
/// their control message would exceed 2^31-1 bytes
[[nodiscard]] inline recv_fds_result recv_fds(socket& sock, std::size_t bufsize, std::size_t maxfds,
                                              int flags = 0) {
  constexpr std::size_t most = detail::max_ancillary / sizeof(native_handle_type);
  const std::size_t wanted =
      cmsg_len(maxfds > most ? detail::max_ancillary : maxfds * sizeof(native_handle_type));
  const std::size_t left = detail::max_ancillary - wanted;
  const std::size_t added = left < detail::max_added_messages ? left : detail::max_added_messages;
  std::vector<descriptor> fds;
  fds.reserve(
      maxfds);  // here, so that nothing can fail between receiving descriptors and owning them
  recvmsg_result received = sock.recvmsg(bufsize, wanted + added, flags);
  detail::for_each_received(received.ancdata.view(),
                            [&](const control_message& message, native_handle_type handle) {
                              descriptor owner(handle);
                              if (message.type != SCM_RIGHTS) return;  // it is a pidfd
                              if (fds.size() < maxfds)
                                fds.push_back(std::move(owner));
                              else
                                received.flags |= MSG_CTRUNC;
                            });
  return {std::move(received.data), std::move(fds), received.flags, std::move(received.from)};
}

}  // namespace v1
}  // namespace pysock

#endif
