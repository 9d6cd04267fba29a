// SPDX-License-Identifier: MIT
// Sending and receiving.
#include "winsock.hpp"

#include <cstring>

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

using sys::winsock::cut;
using sys::winsock::outcome;
using sys::winsock::to_handle;
using sys::winsock::to_socket;

bool was_cut(std::ptrdiff_t count) noexcept {
  return count < 0 && ::WSAGetLastError() == WSAEMSGSIZE;
}

// Winsock reports an error for a datagram that is longer than the buffer; on other systems it is
// not an error.
std::ptrdiff_t received(int count, std::size_t size) noexcept {
  return was_cut(count) ? cut(size) : count;
}

// The maximum of one send on a stream. If the buffered data is below SO_SNDBUF, Winsock copies all
// the data of a send into kernel memory, however large ("Design issues - Sending small data
// segments over TCP with Winsock"): a longer send would end before the peer has read any of it, or
// fail with WSAENOBUFS, and neither a timeout nor a count would mean anything. No datagram is that
// long.
constexpr std::size_t largest_offer = 262144;
// The size at which WSAENOBUFS is reported instead of halving again.
constexpr std::size_t smallest_offer = 4096;

// Keeps the error number.
PYSOCK_COLD bool is_stream(SOCKET s) noexcept {
  const int reason = ::WSAGetLastError();
  int type = 0;
  int size = sizeof type;
  const bool known =
      ::getsockopt(s, SOL_SOCKET, SO_TYPE, reinterpret_cast<char*>(&type), &size) == 0;
  ::WSASetLastError(reason);
  return known && type == SOCK_STREAM;
}

// The rest of `send` after its first attempt: `size` bytes are too many for one call, or were
// rejected. A message is not divided; the system rejects one that is too long. If the kernel lacks
// memory, a stream tries fewer bytes, and reports would-block if none are accepted.
template <class Send>
PYSOCK_COLD std::ptrdiff_t offer_less(SOCKET s, std::size_t size, Send send_some) noexcept {
  if (size > largest_offer) {
    size = is_stream(s) ? largest_offer : static_cast<std::size_t>(cut(size));
    const std::ptrdiff_t count = send_some(size);
    if (count >= 0) return count;
  }
  if (::WSAGetLastError() != WSAENOBUFS || !is_stream(s)) return -1;
  for (size /= 2; size >= smallest_offer; size /= 2) {
    const std::ptrdiff_t count = send_some(size);
    if (count >= 0 || ::WSAGetLastError() != WSAENOBUFS) return count;
  }
  ::WSASetLastError(WSAEWOULDBLOCK);
  return -1;
}

// `send_some(size)` makes the system's call with so many bytes.
template <class Send>
PYSOCK_FAST std::ptrdiff_t offer(native_handle_type s, std::size_t size, Send send_some) noexcept {
  const std::ptrdiff_t count = PYSOCK_LIKELY(size <= largest_offer) ? send_some(size) : -1;
  return PYSOCK_LIKELY(count >= 0) ? count : offer_less(to_socket(s), size, send_some);
}

// The buffers with the first `size` bytes of a message. The last of them is shortened during the
// lifetime of this object.
class first_buffers {
 public:
  first_buffers(const sys::message& m, std::size_t size) noexcept {
    while (count_ < m.buffer_count && last_ == nullptr) {
      WSABUF& buffer = m.buffers[count_++];
      if (buffer.len >= size) {
        last_ = &buffer;
        whole_ = buffer.len;
        buffer.len = static_cast<ULONG>(size);
      }
      size -= buffer.len;
    }
  }
  first_buffers(const first_buffers&) = delete;
  first_buffers& operator=(const first_buffers&) = delete;
  ~first_buffers() {
    if (last_ != nullptr) last_->len = whole_;
  }
  [[nodiscard]] DWORD count() const noexcept { return count_; }

 private:
  DWORD count_ = 0;
  WSABUF* last_ = nullptr;
  ULONG whole_ = 0;
};

std::size_t total_size(const sys::message& m) noexcept {
  std::size_t total = 0;
  for (std::size_t i = 0; i < m.buffer_count; ++i) total += m.buffers[i].len;
  return total;
}

WSAMSG as_native(const sys::message& m, const first_buffers& buffers) noexcept {
  WSAMSG native{};
  native.name = m.address;
  native.namelen = m.address_size;
  native.lpBuffers = m.buffers;
  native.dwBufferCount = buffers.count();
  native.Control.buf = static_cast<char*>(m.control);
  native.Control.len = static_cast<ULONG>(cut(m.control_size));
  return native;
}

// The buffer for the control messages of one datagram. With a smaller one the call fails without
// the size of the data, so the system never gets a smaller one.
constexpr std::size_t control_room = 1024;

// Copies as many control messages as fit, the last one in part, as other systems do.
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

// WSARecvMsg() supports only datagrams; the provider of the socket has its address.
LPFN_WSARECVMSG find_recvmsg(SOCKET s) noexcept {
  if (is_stream(s)) return nullptr;
  GUID id = WSAID_WSARECVMSG;
  LPFN_WSARECVMSG function = nullptr;
  DWORD written = 0;
  ::WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &function, sizeof function,
             &written, nullptr, nullptr);
  return function;
}

// The flags that describe a received message; Winsock also returns the flags of the request.
constexpr DWORD outcomes = MSG_TRUNC | MSG_CTRUNC | MSG_OOB | MSG_PARTIAL | MSG_BCAST | MSG_MCAST;

// Winsock does not set the address for a stream.
void prepare(sockaddr* address) noexcept { address->sa_family = AF_UNSPEC; }
socklen_t used(const sockaddr* address, socklen_t size) noexcept {
  return address->sa_family == AF_UNSPEC ? 0 : size;
}

// Winsock can neither return the mode of a socket nor ignore it in one call. So these functions
// poll first, and then send at most as much as a ready socket accepts without waiting.
constexpr std::size_t taken_at_once = 16384;

// An event for which no thread waits. Its lowest bit prevents that the end of the operation is
// queued to a completion port of the program ("GetQueuedCompletionStatus").
HANDLE without_notice() noexcept {
  static const HANDLE event = ::CreateEventW(nullptr, TRUE, FALSE, nullptr);
  return reinterpret_cast<HANDLE>(reinterpret_cast<std::uintptr_t>(event) | 1U);
}

// 0 if the event was created, otherwise the negative error number.
int not_ready(native_handle_type s, sys::event event) noexcept {
  const int ready = sys::poll(s, event, 0);
  if (ready > 0) return 0;
  return ready == 0 ? -WSAEWOULDBLOCK : ready;
}

}  // namespace

std::ptrdiff_t sys::send(native_handle_type s, const void* data, std::size_t size, int flags) {
  return offer(s, size, [=](std::size_t some) noexcept -> std::ptrdiff_t {
    return ::send(to_socket(s), static_cast<const char*>(data), static_cast<int>(some), flags);
  });
}

std::ptrdiff_t sys::sendto(native_handle_type s, const void* data, std::size_t size, int flags,
                           const sockaddr* address, socklen_t address_size) {
  return offer(s, size, [=](std::size_t some) noexcept -> std::ptrdiff_t {
    return ::sendto(to_socket(s), static_cast<const char*>(data), static_cast<int>(some), flags,
                    address, address_size);
  });
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
  if (const int error = not_ready(s, event::write)) return error;
  return outcome(send(s, data, (std::min)(size, taken_at_once), 0));
}

// Another reader may take the data first: an overlapped receive is cancelled, while recv() would
// wait.
std::ptrdiff_t sys::recv_now(native_handle_type s, void* data, std::size_t size) noexcept {
  if (const int error = not_ready(s, event::read)) return error;
  WSABUF piece{};
  set_buffer(piece, data, size);
  OVERLAPPED operation{};
  operation.hEvent = without_notice();
  DWORD count = 0;
  DWORD flags = 0;
  int result = ::WSARecv(to_socket(s), &piece, 1, &count, &flags, &operation, nullptr);
  if (result != 0 && ::WSAGetLastError() == WSA_IO_PENDING) {
    ::CancelIoEx(to_handle(s), &operation);
    while (!HasOverlappedIoCompleted(&operation)) ::SwitchToThread();
    result =
        ::WSAGetOverlappedResult(to_socket(s), &operation, &count, FALSE, &flags) != 0 ? 0 : -1;
    if (result != 0 && ::WSAGetLastError() == WSA_OPERATION_ABORTED) return -WSAEWOULDBLOCK;
  }
  return outcome(received(result == 0 ? static_cast<int>(count) : -1, size));
}

std::size_t sys::max_buffers() noexcept { return 1024; }

// More buffers are rejected here, because the system's error may look like a truncated datagram.
std::ptrdiff_t sys::sendmsg(native_handle_type s, const message& m, int flags) noexcept {
  if (m.buffer_count > max_buffers()) return -WSAEMSGSIZE;
  return outcome(offer(s, total_size(m), [&](std::size_t some) noexcept -> std::ptrdiff_t {
    const first_buffers buffers(m, some);
    WSAMSG native = as_native(m, buffers);
    DWORD sent = 0;
    const int result =
        m.control_size == 0
            ? ::WSASendTo(to_socket(s), native.lpBuffers, native.dwBufferCount, &sent,
                          static_cast<DWORD>(flags), native.name, native.namelen, nullptr, nullptr)
            : ::WSASendMsg(to_socket(s), &native, static_cast<DWORD>(flags), &sent, nullptr,
                           nullptr);
    return result == 0 ? static_cast<std::ptrdiff_t>(sent) : -1;
  }));
}

std::ptrdiff_t sys::recvmsg(native_handle_type s, message& m, int flags) noexcept {
  if (m.buffer_count > max_buffers()) return -WSAEMSGSIZE;
  const first_buffers buffers(m, INT_MAX);  // counts are 32 bits wide
  WSAMSG native = as_native(m, buffers);
  native.dwFlags = static_cast<DWORD>(flags);
  prepare(m.address);
  DWORD count = 0;
  int result = 0;
  const LPFN_WSARECVMSG with_control = m.control_size == 0 ? nullptr : find_recvmsg(to_socket(s));
  alignas(WSACMSGHDR) char buffer[control_room];
  const bool narrow = with_control != nullptr && m.control_size < sizeof buffer;
  if (narrow) native.Control = {static_cast<ULONG>(sizeof buffer), buffer};
  if (with_control != nullptr) {
    result = with_control(to_socket(s), &native, &count, nullptr, nullptr);
  } else {
    native.Control.len = 0;
    result = ::WSARecvFrom(to_socket(s), native.lpBuffers, native.dwBufferCount, &count,
                           &native.dwFlags, native.name, &native.namelen, nullptr, nullptr);
    if (was_cut(result)) native.dwFlags |= MSG_TRUNC;
  }
  const bool cut_off = was_cut(result);
  if (result != 0 && !cut_off) return outcome(std::ptrdiff_t{-1});
  m.address_size = used(m.address, native.namelen);
  if (narrow) {
    hand_on(native.Control, m, native.dwFlags);
  } else {
    m.control_size = native.Control.len;
  }
  m.flags = static_cast<int>(native.dwFlags & outcomes);
  return static_cast<std::ptrdiff_t>(cut_off && (native.dwFlags & MSG_TRUNC) != 0 ? total_size(m)
                                                                                  : count);
}

int sys::cloexec_flag() noexcept { return 0; }

}  // namespace detail
}  // namespace v1
}  // namespace pysock
