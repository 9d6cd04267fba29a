// SPDX-License-Identifier: MIT
// Sending and receiving.
#include "features.hpp"

#include <algorithm>
#include <limits>
#include <pysock/detail/sys.hpp>

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

// Does nothing if the system limits the size itself.
constexpr std::size_t cut(std::size_t size) noexcept {
  return std::min(size, sys::feature::max_transfer);
}

// The widths of msghdr's fields differ between systems. The maximum of a field is far above what a
// system accepts.
template <class Field>
void store(std::size_t value, Field& field) noexcept {
  constexpr auto most = static_cast<std::size_t>(std::numeric_limits<Field>::max());
  field = static_cast<Field>(std::min(value, most));
}

msghdr to_header(const sys::message& m) noexcept {
  msghdr header{};
  header.msg_name = m.address;
  header.msg_namelen = m.address_size;
  header.msg_iov = m.buffers;
  store(m.buffer_count, header.msg_iovlen);
  header.msg_control = m.control;
  store(m.control_size, header.msg_controllen);
  return header;
}

}  // namespace

std::ptrdiff_t sys::send(native_handle_type s, const void* data, std::size_t size, int flags) {
  return ::send(s, data, cut(size), flags | feature::send_flags);
}

std::ptrdiff_t sys::sendto(native_handle_type s, const void* data, std::size_t size, int flags,
                           const sockaddr* address, socklen_t address_size) {
  return ::sendto(s, data, cut(size), flags | feature::send_flags, address, address_size);
}

std::ptrdiff_t sys::recv(native_handle_type s, void* data, std::size_t size, int flags) {
  return ::recv(s, data, cut(size), flags);
}

std::ptrdiff_t sys::recvfrom(native_handle_type s, void* data, std::size_t size, int flags,
                             sockaddr* address, socklen_t* address_size) {
  return ::recvfrom(s, data, cut(size), flags, address, address_size);
}

std::ptrdiff_t sys::send_now(native_handle_type s, const void* data, std::size_t size) noexcept {
  return outcome(::send(s, data, cut(size), dont_wait | feature::send_flags));
}

std::ptrdiff_t sys::recv_now(native_handle_type s, void* data, std::size_t size) noexcept {
  return outcome(::recv(s, data, cut(size), dont_wait));
}

std::size_t sys::max_buffers() noexcept {
  constexpr std::size_t promised = 16;  // _XOPEN_IOV_MAX
  const long limit = ::sysconf(_SC_IOV_MAX);
  return limit > 0 ? static_cast<std::size_t>(limit) : promised;
}

std::ptrdiff_t sys::sendmsg(native_handle_type s, const message& m, int flags) noexcept {
  const msghdr header = to_header(m);
  return outcome(::sendmsg(s, &header, flags | feature::send_flags));
}

std::ptrdiff_t sys::recvmsg(native_handle_type s, message& m, int flags) noexcept {
  msghdr header = to_header(m);
  const std::ptrdiff_t count = outcome(::recvmsg(s, &header, flags));
  if (count < 0) return count;
  m.address_size = header.msg_namelen;
  m.control_size = header.msg_controllen;
  m.flags = header.msg_flags;
  return count;
}

int sys::cloexec_flag() noexcept { return feature::recvmsg_cloexec; }

}  // namespace detail
}  // namespace v1
}  // namespace pysock
