// SPDX-License-Identifier: MIT
// Bodies of the socket's calls that move whole messages: several buffers, control messages, flags.
#pragma once

#include <new>  // bad_alloc

#include "../socket.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

// `use(pieces, count)` with the buffers in the system's form; at least one, since some systems
// refuse none at all.
template <class Bytes, class Use>
auto with_pieces(const basic_buffers<Bytes>& buffers, const Use& use) {
  constexpr std::size_t few = 16;
  const auto collect = [&buffers, &use](sys::buffer* pieces) {
    for (std::size_t i = 0; i < buffers.size(); ++i)
      pieces[i] = sys::make_buffer(buffers[i].data(), buffers[i].size());
    return use(pieces, buffers.size());
  };
  if (buffers.empty()) {
    sys::buffer nothing = sys::make_buffer(nullptr, 0);
    return use(&nothing, std::size_t{1});
  }
  if (buffers.size() <= few) {
    sys::buffer pieces[few];
    return collect(pieces);
  }
  return with_heap_scratch<sys::buffer>(buffers.size(), collect);
}

// The system changes nothing of what it sends, but its structure does not say so.
inline sys::message outgoing(sys::buffer* pieces, std::size_t count, const ancillary_data& ancdata,
                             sockaddr_view to) noexcept {
  const const_bytes control = ancdata.view().raw();
  sys::message m;
  m.address = const_cast<sockaddr*>(to.data);
  m.address_size = to.size;
  m.buffers = pieces;
  m.buffer_count = count;
  m.control = control.empty() ? nullptr : const_cast<char*>(control.data());
  m.control_size = control.size();
  return m;
}

// A message to be received, and what came with it.
struct incoming {
  sys::buffer* pieces;
  std::size_t count;
  char* control;
  std::size_t control_size;
  int wanted_flags;
  endpoint from{};
  ancillary_view ancillary{};
  int flags = 0;

  // Descriptors that come along are not inheritable: from birth, or where the system cannot, from
  // here on.
  std::ptrdiff_t receive(native_handle_type s) noexcept {
    const int cloexec = sys::cloexec_flag();
    sys::message m;
    m.address = from.buffer();
    m.address_size = endpoint::capacity();
    m.buffers = pieces;
    m.buffer_count = count;
    m.control = control_size == 0 ? nullptr : control;
    m.control_size = control_size;
    const std::ptrdiff_t received = sys::recvmsg(s, m, wanted_flags | cloexec);
    if (received < 0) return received;

    from.resize(m.address_size);
    ancillary = ancillary_view(
        const_bytes(control, m.control_size < control_size ? m.control_size : control_size));
    flags =
        m.flags &
        ~(cloexec & ~wanted_flags);  // the flag that only the library asked for is its own affair
    if (cloexec == 0) {
      for_each_received(ancillary,
                        [](const control_message& /*message*/, native_handle_type handle) {
                          sys::set_inheritable(handle, false);
                        });
    }
    return received;
  }
};

inline std::ptrdiff_t receive_message(native_handle_type s, incoming* message) noexcept {
  return message->receive(s);
}

inline std::ptrdiff_t send_message(native_handle_type s, const sys::message* message,
                                   int flags) noexcept {
  return sys::sendmsg(s, *message, flags);
}

// Both faces of recvmsg_into; `read(size, message)` makes the call.
template <class Read>
void receive_into(recvmsg_into_result& result, const mutable_buffers& buffers,
                  std::size_t ancbufsize, int flags, const Read& read) {
  with_pieces(buffers, [&](sys::buffer* pieces, std::size_t count) {
    with_scratch(ancbufsize, [&](char* control) {
      incoming message{pieces, count, control, ancbufsize, flags};
      result.nbytes = read(buffers.total(), &message);
      received_guard guard(message.ancillary);
      result.ancdata = ancillary_data(message.ancillary);
      guard.dismiss();
      result.flags = message.flags;
      result.from = address(message.from);
    });
  });
}

}  // namespace detail

inline std::size_t socket::sendmsg(const const_buffers& buffers, const ancillary_data& ancdata,
                                   int flags, const address& to) {
  endpoint storage;
  std::error_code ec;
  const detail::sockaddr_view target =
      to ? detail::fit(to, family_, storage, ec) : detail::sockaddr_view{};
  if (ec) detail::throw_failed(ec, "sendmsg", &to);
  return detail::with_pieces(buffers, [&](detail::sys::buffer* pieces, std::size_t count) {
    const detail::sys::message m = detail::outgoing(pieces, count, ancdata, target);
    return write("sendmsg", &to, detail::send_message, &m, flags);
  });
}

inline std::size_t socket::sendmsg(const const_buffers& buffers, const ancillary_data& ancdata,
                                   int flags, const address& to, std::error_code& ec) noexcept {
  endpoint storage;
  ec.clear();
  const detail::sockaddr_view target =
      to ? detail::fit(to, family_, storage, ec) : detail::sockaddr_view{};
  if (ec) return 0;
  try {
    return detail::with_pieces(buffers, [&](detail::sys::buffer* pieces, std::size_t count) {
      const detail::sys::message m = detail::outgoing(pieces, count, ancdata, target);
      return write(ec, detail::send_message, &m, flags);
    });
  } catch (const std::bad_alloc&) {
    ec = std::make_error_code(std::errc::not_enough_memory);
    return 0;
  }
}

inline recvmsg_result socket::recvmsg(std::size_t bufsize, std::size_t ancbufsize, int flags) {
  if (bufsize > detail::max_transfer) detail::throw_error(bad_argument::negative_size, "recvmsg");
  if (ancbufsize > detail::max_ancillary)
    detail::throw_error(bad_argument::ancillary_length, "recvmsg");
  return detail::with_scratch(bufsize, [&](char* room) {
    detail::clear_for(flags, room, bufsize);
    return detail::with_scratch(ancbufsize, [&](char* control) {
      detail::sys::buffer piece = detail::sys::make_buffer(room, bufsize);
      detail::incoming message{&piece, 1, control, ancbufsize, flags};
      const std::size_t size = read("recvmsg", bufsize, flags, detail::receive_message, &message);
      detail::received_guard guard(message.ancillary);
      recvmsg_result result{std::string(room, size), ancillary_data(message.ancillary),
                            message.flags, address(message.from)};
      guard.dismiss();
      return result;
    });
  });
}

inline recvmsg_into_result socket::recvmsg_into(const mutable_buffers& buffers,
                                                std::size_t ancbufsize, int flags) {
  if (ancbufsize > detail::max_ancillary)
    detail::throw_error(bad_argument::ancillary_length, "recvmsg_into");
  recvmsg_into_result result;
  detail::receive_into(result, buffers, ancbufsize, flags,
                       [this, flags](std::size_t size, detail::incoming* message) {
                         return read("recvmsg_into", size, flags, detail::receive_message, message);
                       });
  return result;
}

inline recvmsg_into_result socket::recvmsg_into(const mutable_buffers& buffers,
                                                std::error_code& ec) noexcept {
  return recvmsg_into(buffers, 0, 0, ec);
}

inline recvmsg_into_result socket::recvmsg_into(const mutable_buffers& buffers,
                                                std::size_t ancbufsize, int flags,
                                                std::error_code& ec) noexcept {
  recvmsg_into_result result;
  if (ancbufsize > detail::max_ancillary) {
    ec = bad_argument::ancillary_length;
    return result;
  }
  try {
    detail::receive_into(result, buffers, ancbufsize, flags,
                         [this, flags, &ec](std::size_t size, detail::incoming* message) {
                           return read(ec, size, flags, detail::receive_message, message);
                         });
  } catch (const std::bad_alloc&) {
    ec = std::make_error_code(std::errc::not_enough_memory);
  }
  return result;
}

}  // namespace v1
}  // namespace pysock
