// SPDX-License-Identifier: MIT
// Bodies of the socket's calls that move data: an inline attempt, and everything else out of line.
#pragma once

#include "../socket.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

inline constexpr std::size_t small_scratch = 4096;
inline constexpr std::size_t large_scratch = 65536;
inline constexpr std::size_t max_transfer = PTRDIFF_MAX;

[[noreturn]] PYSOCK_COLD inline void throw_failed(std::error_code ec, const char* operation,
                                                  const address* to, std::size_t transferred = 0) {
  throw_error(ec, to != nullptr && *to ? operation + (" " + to->to_string()) : operation,
              transferred);
}

// `use(room, args...)` with uninitialised room of `size` bytes, aligned for anything; results are
// copied out of it, so that only what arrived costs anything. The frames of their own keep the room
// off the stacks of callers that these functions become part of.
template <std::size_t Size, class Use, class... Args>
PYSOCK_NOINLINE auto with_stack_scratch(Use use, Args... args) {
  alignas(std::max_align_t) char room[Size];
  return use(room, args...);
}
template <class T, class Use, class... Args>
PYSOCK_COLD auto with_heap_scratch(std::size_t count, Use use, Args... args) {
  struct owned {
    explicit owned(std::size_t size) : data(new T[size]) {}
    owned(const owned&) = delete;
    owned& operator=(const owned&) = delete;
    ~owned() { delete[] data; }
    T* data;
  } room(count);
  return use(room.data, args...);
}
template <class Use, class... Args>
PYSOCK_FAST auto with_scratch(std::size_t size, Use use, Args... args) {
  if (size <= small_scratch) return with_stack_scratch<small_scratch>(use, args...);
  if (size <= large_scratch) return with_stack_scratch<large_scratch>(use, args...);
  return with_heap_scratch<char>(size, use, args...);
}

// Some protocols take MSG_TRUNC to mean that bytes are counted and thrown away: what they then did
// not write must not be what was there.
inline void clear_for(int flags, char* room, std::size_t size) noexcept {
  if ((flags & MSG_TRUNC) != 0) std::memset(room, 0, size);
}

// How many bytes to receive into `buffer`; more than `buffer` holds if the caller asks for what it
// cannot.
inline std::size_t wanted(mutable_bytes buffer, std::size_t nbytes) noexcept {
  return nbytes != 0 ? nbytes : buffer.size();
}

// MSG_TRUNC makes some systems report more than they wrote.
inline std::size_t received(std::ptrdiff_t count, std::size_t size, int flags) noexcept {
  const auto got = static_cast<std::size_t>(count);
  if (PYSOCK_LIKELY((flags & MSG_TRUNC) == 0)) return got;
  return got < size ? got : size;
}

inline std::ptrdiff_t receive_from(native_handle_type s, void* data, std::size_t size, int flags,
                                   endpoint* from) {
  socklen_t from_size = endpoint::capacity();
  const std::ptrdiff_t count = sys::recvfrom(s, data, size, flags, from->buffer(), &from_size);
  from->resize(count < 0 ? 0 : from_size);
  return count;
}

}  // namespace detail

// ---- the pattern ----

template <class Call, class... Args>
PYSOCK_FAST std::size_t socket::write(const char* operation, const address* to, Call call,
                                      Args... args) {
  const std::ptrdiff_t count = call(fileno(), args...);
  if (PYSOCK_LIKELY(count >= 0)) return static_cast<std::size_t>(count);
  return finish_write(operation, to, call, args...);
}

template <class Call, class... Args>
PYSOCK_FAST std::size_t socket::write(std::error_code& ec, Call call, Args... args) noexcept {
  const std::ptrdiff_t count = call(fileno(), args...);
  if (PYSOCK_LIKELY(count >= 0)) {
    ec.clear();
    return static_cast<std::size_t>(count);
  }
  return finish_write(ec, call, args...);
}

template <class Call, class... Args>
std::size_t socket::finish_write(std::error_code& ec, Call call, Args... args) noexcept {
  const detail::call_context calling = context();
  detail::wait_loop loop(calling, detail::sys::event::write);
  const std::ptrdiff_t count = detail::complete(
      loop, true, [&] { return call(calling.handle, args...); }, ec);
  return count < 0 ? 0 : static_cast<std::size_t>(count);
}

template <class Call, class... Args>
std::size_t socket::finish_write(const char* operation, const address* to, Call call,
                                 Args... args) {
  std::error_code ec;
  const std::size_t count = finish_write(ec, call, args...);
  if (ec) detail::throw_failed(ec, operation, to);
  return count;
}

template <class Call, class... Args>
PYSOCK_FAST std::size_t socket::read(const char* operation, std::size_t size, int flags, Call call,
                                     Args... args) {
  const bool try_first = !expects_to_wait(flags);
  if (PYSOCK_LIKELY(try_first)) {
    const std::ptrdiff_t count = call(fileno(), args...);
    if (PYSOCK_LIKELY(count >= 0)) return detail::received(count, size, flags);
  }
  return finish_read(operation, try_first, size, call, args...);
}

template <class Call, class... Args>
PYSOCK_FAST std::size_t socket::read(std::error_code& ec, std::size_t size, int flags, Call call,
                                     Args... args) noexcept {
  const bool try_first = !expects_to_wait(flags);
  if (PYSOCK_LIKELY(try_first)) {
    const std::ptrdiff_t count = call(fileno(), args...);
    if (PYSOCK_LIKELY(count >= 0)) {
      ec.clear();
      return detail::received(count, size, flags);
    }
  }
  const std::ptrdiff_t count = finish_read(ec, try_first, call, args...);
  return count < 0 ? 0 : detail::received(count, size, MSG_TRUNC);
}

template <class Call, class... Args>
std::ptrdiff_t socket::finish_read(std::error_code& ec, bool tried, Call call,
                                   Args... args) noexcept {
  const detail::call_context calling = context();
  const auto op = [&] { return call(calling.handle, args...); };
  detail::wait_loop loop(calling, detail::sys::event::read);
  if (!tried && calling.timeout <= 0) {  // another thread has just changed the mode
    const std::ptrdiff_t count = op();
    if (count >= 0) {
      ec.clear();
      return count;
    }
    tried = true;
  }
  const std::ptrdiff_t count = detail::complete(loop, tried, op, ec);
  must_wait_.store(calling.timeout > 0 && count >= 0 && loop.had_to_wait(),
                   std::memory_order_relaxed);
  return count;
}

template <class Call, class... Args>
std::size_t socket::finish_read(const char* operation, bool tried, std::size_t size, Call call,
                                Args... args) {
  std::error_code ec;
  const std::ptrdiff_t count = finish_read(ec, tried, call, args...);
  if (count < 0) detail::throw_failed(ec, operation, nullptr);
  return detail::received(count, size, MSG_TRUNC);
}

// ---- sending ----

inline std::size_t socket::send(const_bytes data, int flags) {
  return write("send", nullptr, detail::sys::send, data.data(), data.size(), flags);
}

inline std::size_t socket::send(const_bytes data, int flags, std::error_code& ec) noexcept {
  return write(ec, detail::sys::send, data.data(), data.size(), flags);
}

inline std::size_t socket::sendall(const_bytes data, int flags) {
  std::error_code ec;
  const std::size_t sent = sendall(data, flags, ec);
  if (ec) detail::throw_failed(ec, "sendall", nullptr, sent);
  return sent;
}

inline std::size_t socket::sendall(const_bytes data, int flags, std::error_code& ec) noexcept {
  const std::ptrdiff_t first = detail::sys::send(fileno(), data.data(), data.size(), flags);
  if (PYSOCK_LIKELY(first >= 0 && static_cast<std::size_t>(first) == data.size())) {
    ec.clear();
    return data.size();
  }
  return finish_sendall(data, flags, first, ec);
}

PYSOCK_COLD inline std::size_t socket::finish_sendall(const_bytes data, int flags,
                                                      std::ptrdiff_t first,
                                                      std::error_code& ec) noexcept {
  const detail::call_context calling = context();
  const auto send_rest = [&](std::size_t sent) {
    const const_bytes rest = data.after(sent);
    return detail::sys::send(calling.handle, rest.data(), rest.size(), flags);
  };
  return detail::complete_all(calling, first, data.size(), send_rest, ec);
}

inline std::size_t socket::sendto(const_bytes data, int flags, const address& to) {
  endpoint storage;
  std::error_code ec;
  const detail::sockaddr_view target = detail::fit(to, family_, storage, ec);
  if (target.size == 0) detail::throw_failed(ec, "sendto", &to);
  return write("sendto", &to, detail::sys::sendto, data.data(), data.size(), flags, target.data,
               target.size);
}

inline std::size_t socket::sendto(const_bytes data, int flags, const address& to,
                                  std::error_code& ec) noexcept {
  endpoint storage;
  const detail::sockaddr_view target = detail::fit(to, family_, storage, ec);
  if (target.size == 0) return 0;
  return write(ec, detail::sys::sendto, data.data(), data.size(), flags, target.data, target.size);
}

inline std::size_t socket::sendto(const_bytes data, int flags, const endpoint& to) {
  std::error_code ec;
  const std::size_t sent = sendto(data, flags, to, ec);
  if (ec) {
    const address named(to);
    detail::throw_failed(ec, "sendto", &named);
  }
  return sent;
}

inline std::size_t socket::sendto(const_bytes data, int flags, const endpoint& to,
                                  std::error_code& ec) noexcept {
  return write(ec, detail::sys::sendto, data.data(), data.size(), flags, to.data(), to.size());
}

// ---- receiving ----

inline std::size_t socket::recv_into(mutable_bytes buffer, std::size_t nbytes, int flags) {
  const std::size_t size = detail::wanted(buffer, nbytes);
  if (size > buffer.size()) detail::throw_error(bad_argument::buffer_too_small, "recv_into");
  if (size == 0) return 0;
  return read("recv_into", size, flags, detail::sys::recv, buffer.data(), size, flags);
}

inline std::size_t socket::recv_into(mutable_bytes buffer, std::size_t nbytes, int flags,
                                     std::error_code& ec) noexcept {
  const std::size_t size = detail::wanted(buffer, nbytes);
  ec.clear();
  if (size > buffer.size()) ec = bad_argument::buffer_too_small;
  if (size == 0 || size > buffer.size()) return 0;
  return read(ec, size, flags, detail::sys::recv, buffer.data(), size, flags);
}

inline std::string socket::recv(std::size_t bufsize, int flags) {
  if (bufsize > detail::max_transfer) detail::throw_error(bad_argument::negative_size, "recv");
  if (bufsize == 0) return {};
  const auto receive = [](char* room, socket* self, std::size_t size,
                          auto given) PYSOCK_FAST_LAMBDA {
    const int with = given;
    detail::clear_for(with, room, size);
    return std::string(room, self->read("recv", size, with, detail::sys::recv, room, size, with));
  };
  constexpr std::integral_constant<int, 0>
      no_flags;  // nearly always, and what looks at flags then vanishes
  if (flags == 0) return detail::with_scratch(bufsize, receive, this, bufsize, no_flags);
  return detail::with_scratch(bufsize, receive, this, bufsize, flags);
}

inline std::size_t socket::recvfrom_into(mutable_bytes buffer, endpoint& from, int flags) {
  return read("recvfrom_into", buffer.size(), flags, detail::receive_from, buffer.data(),
              buffer.size(), flags, &from);
}

inline std::size_t socket::recvfrom_into(mutable_bytes buffer, endpoint& from, int flags,
                                         std::error_code& ec) noexcept {
  return read(ec, buffer.size(), flags, detail::receive_from, buffer.data(), buffer.size(), flags,
              &from);
}

inline recvfrom_into_result socket::recvfrom_into(mutable_bytes buffer, std::size_t nbytes,
                                                  int flags) {
  const std::size_t size = detail::wanted(buffer, nbytes);
  if (size > buffer.size()) detail::throw_error(bad_argument::buffer_too_small, "recvfrom_into");
  endpoint from;
  const std::size_t count = recvfrom_into(mutable_bytes(buffer.data(), size), from, flags);
  return {count, address(from)};
}

inline recvfrom_into_result socket::recvfrom_into(mutable_bytes buffer, std::size_t nbytes,
                                                  int flags, std::error_code& ec) noexcept {
  const std::size_t size = detail::wanted(buffer, nbytes);
  if (size > buffer.size()) {
    ec = bad_argument::buffer_too_small;
    return {};
  }
  endpoint from;
  const std::size_t count = recvfrom_into(mutable_bytes(buffer.data(), size), from, flags, ec);
  return {count, address(from)};
}

inline recvfrom_result socket::recvfrom(std::size_t bufsize, int flags) {
  if (bufsize > detail::max_transfer) detail::throw_error(bad_argument::negative_size, "recvfrom");
  return detail::with_scratch(bufsize, [this, bufsize, flags](char* room) {
    detail::clear_for(flags, room, bufsize);
    endpoint from;
    const std::size_t count = recvfrom_into(mutable_bytes(room, bufsize), from, flags);
    return recvfrom_result{std::string(room, count), address(from)};
  });
}

}  // namespace v1
}  // namespace pysock
