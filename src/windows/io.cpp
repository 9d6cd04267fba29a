// SPDX-License-Identifier: MIT
// Data in and out.
#include "winsock.hpp"

#include <cstring>

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

using sys::winsock::cut;
using sys::winsock::fail;
using sys::winsock::to_socket;

bool was_cut(std::ptrdiff_t count) noexcept {
  return count < 0 && ::WSAGetLastError() == WSAEMSGSIZE;
}

// A datagram longer than the room fills it and is reported as a failure, which it is not on other
// systems.
std::ptrdiff_t received(int count, std::size_t size) noexcept {
  return was_cut(count) ? cut(size) : count;
}

// How many of the buffers one call can use, the last one cut: counts are 32 bits wide, and what
// follows a buffer that was cut would come too early.
DWORD usable(const sys::message& m) noexcept {
  std::size_t room = INT_MAX;
  for (DWORD i = 0; i < m.buffer_count; ++i) {
    if (m.buffers[i].len >= room) {
      m.buffers[i].len = static_cast<ULONG>(room);
      return i + 1;
    }
    room -= m.buffers[i].len;
  }
  return static_cast<DWORD>(m.buffer_count);
}

std::size_t room_of(const WSAMSG& native) noexcept {
  std::size_t total = 0;
  for (DWORD i = 0; i < native.dwBufferCount; ++i) total += native.lpBuffers[i].len;
  return total;
}

WSAMSG as_native(const sys::message& m) noexcept {
  WSAMSG native{};
  native.name = m.address;
  native.namelen = m.address_size;
  native.lpBuffers = m.buffers;
  native.dwBufferCount = usable(m);
  native.Control.buf = static_cast<char*>(m.control);
  native.Control.len = static_cast<ULONG>(cut(m.control_size));
  return native;
}

// Room for the control messages of one datagram. A message without enough of it is a failure that
// does not tell how much data came, so the system is never given less.
constexpr std::size_t control_room = 1024;

// Hands on as many control messages as fit, the last one in part, as other systems do.
void hand_on(const WSABUF& all, sys::message& m, DWORD& flags) noexcept {
  auto* const out = static_cast<char*>(m.control);
  std::size_t at = 0;
  while (at + sizeof(WSACMSGHDR) <= all.len) {
    WSACMSGHDR header;
    std::memcpy(&header, all.buf + at, sizeof header);
    const std::size_t left = m.control_size - at;
    const std::size_t length = (std::min)(static_cast<std::size_t>(header.cmsg_len), left);
    const bool is_cut = length < header.cmsg_len;
    if (is_cut) flags |= MSG_CTRUNC;
    if (length < sizeof header) break;
    const std::size_t whole = WSA_CMSG_SPACE(header.cmsg_len - WSA_CMSG_LEN(0));
    header.cmsg_len = length;
    std::memcpy(out + at, all.buf + at, length);
    std::memcpy(out + at, &header, sizeof header);
    at = (std::min)(m.control_size, at + whole);
    if (is_cut) break;
  }
  m.control_size = at;
}

// WSARecvMsg() knows datagrams only, and belongs to the provider of the socket.
LPFN_WSARECVMSG find_recvmsg(SOCKET s) noexcept {
  int type = SOCK_STREAM;
  int type_size = sizeof type;
  if (::getsockopt(s, SOL_SOCKET, SO_TYPE, reinterpret_cast<char*>(&type), &type_size) != 0 ||
      type == SOCK_STREAM)
    return nullptr;
  GUID id = WSAID_WSARECVMSG;
  LPFN_WSARECVMSG function = nullptr;
  DWORD written = 0;
  ::WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &function, sizeof function,
             &written, nullptr, nullptr);
  return function;
}

// Winsock leaves the address of a stream's peer as it was.
void prepare(sockaddr* address) noexcept { address->sa_family = AF_UNSPEC; }
socklen_t used(const sockaddr* address, socklen_t size) noexcept {
  return address->sa_family == AF_UNSPEC ? 0 : size;
}

// Nothing tells the mode of a socket, and no flag makes one call an exception to it. So these ask
// first, and then send no more than what a socket that is ready takes without waiting.
constexpr std::size_t taken_at_once = 16384;

bool ready(native_handle_type s, sys::event what) noexcept {
  const int outcome = sys::poll(s, what, 0);
  if (outcome == 0) ::WSASetLastError(WSAEWOULDBLOCK);
  return outcome > 0;
}

}  // namespace

std::ptrdiff_t sys::send(native_handle_type s, const void* data, std::size_t size, int flags) {
  return ::send(to_socket(s), static_cast<const char*>(data), cut(size), flags);
}

std::ptrdiff_t sys::sendto(native_handle_type s, const void* data, std::size_t size, int flags,
                           const sockaddr* address, socklen_t address_size) {
  return ::sendto(to_socket(s), static_cast<const char*>(data), cut(size), flags, address,
                  address_size);
}

std::ptrdiff_t sys::recv(native_handle_type s, void* data, std::size_t size, int flags) {
  return received(::recv(to_socket(s), static_cast<char*>(data), cut(size), flags), size);
}

std::ptrdiff_t sys::recvfrom(native_handle_type s, void* data, std::size_t size, int flags,
                             sockaddr* address, socklen_t* address_size) {
  prepare(address);
  const std::ptrdiff_t count = received(
      ::recvfrom(to_socket(s), static_cast<char*>(data), cut(size), flags, address, address_size),
      size);
  *address_size = used(address, *address_size);
  return count;
}

std::ptrdiff_t sys::send_now(native_handle_type s, const void* data, std::size_t size) noexcept {
  return ready(s, event::write) ? send(s, data, (std::min)(size, taken_at_once), 0) : -1;
}

std::ptrdiff_t sys::recv_now(native_handle_type s, void* data, std::size_t size) noexcept {
  return ready(s, event::read) ? recv(s, data, size, 0) : -1;
}

sys::buffer sys::make_buffer(const void* data, std::size_t size) noexcept {
  buffer made{};
  made.buf = static_cast<char*>(const_cast<void*>(data));
  made.len = static_cast<ULONG>(cut(size));
  return made;
}

std::size_t sys::max_buffers() noexcept { return 1024; }

// More buffers than that are refused here: the system's own refusal may look like a datagram that
// was cut.
std::ptrdiff_t sys::sendmsg(native_handle_type s, const message& m, int flags) noexcept {
  if (m.buffer_count > max_buffers()) return fail(WSAEMSGSIZE);
  WSAMSG native = as_native(m);
  DWORD sent = 0;
  const int outcome =
      m.control_size == 0
          ? ::WSASendTo(to_socket(s), native.lpBuffers, native.dwBufferCount, &sent,
                        static_cast<DWORD>(flags), native.name, native.namelen, nullptr, nullptr)
          : ::WSASendMsg(to_socket(s), &native, static_cast<DWORD>(flags), &sent, nullptr, nullptr);
  return outcome == 0 ? static_cast<std::ptrdiff_t>(sent) : -1;
}

std::ptrdiff_t sys::recvmsg(native_handle_type s, message& m, int flags) noexcept {
  if (m.buffer_count > max_buffers()) return fail(WSAEMSGSIZE);
  WSAMSG native = as_native(m);
  native.dwFlags = static_cast<DWORD>(flags);
  prepare(m.address);
  DWORD count = 0;
  int outcome = 0;
  const LPFN_WSARECVMSG with_control = m.control_size == 0 ? nullptr : find_recvmsg(to_socket(s));
  alignas(WSACMSGHDR) char room[control_room];
  const bool narrow = with_control != nullptr && m.control_size < sizeof room;
  if (narrow) native.Control = {static_cast<ULONG>(sizeof room), room};
  if (with_control != nullptr) {
    outcome = with_control(to_socket(s), &native, &count, nullptr, nullptr);
  } else {
    native.Control.len = 0;
    outcome = ::WSARecvFrom(to_socket(s), native.lpBuffers, native.dwBufferCount, &count,
                            &native.dwFlags, native.name, &native.namelen, nullptr, nullptr);
    if (was_cut(outcome)) native.dwFlags |= MSG_TRUNC;
  }
  const bool cut_off = was_cut(outcome);
  if (outcome != 0 && !cut_off) return -1;
  m.address_size = used(m.address, native.namelen);
  if (narrow) {
    hand_on(native.Control, m, native.dwFlags);
  } else {
    m.control_size = native.Control.len;
  }
  m.flags = static_cast<int>(native.dwFlags);
  return static_cast<std::ptrdiff_t>(cut_off && (native.dwFlags & MSG_TRUNC) != 0 ? room_of(native)
                                                                                  : count);
}

int sys::cloexec_flag() noexcept { return 0; }

}  // namespace detail
}  // namespace v1
}  // namespace pysock
