// SPDX-License-Identifier: MIT
// Whole messages: several buffers, control messages, flags.
#include <new>

#include "socket_parts.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

// The buffers of a message in the system's form; at least one, because some systems reject an empty
// list.
class pieces {
 public:
  template <class Bytes>
  explicit pieces(const basic_buffers<Bytes>& buffers)
      : data_(buffers_access::in_place(buffers)), count_(buffers.size()) {
    if (data_ != nullptr && count_ != 0) return;
    if (count_ > few) heap_ = std::make_unique<sys::buffer[]>(count_);
    data_ = heap_ != nullptr ? heap_.get() : few_;
    if (count_ != 0) {
      buffers_access::copy(buffers, data_);
    } else {
      set_buffer(few_[0], nullptr, 0);
      count_ = 1;
    }
  }
  pieces(const pieces&) = delete;
  pieces& operator=(const pieces&) = delete;
  ~pieces() = default;

  [[nodiscard]] sys::buffer* data() noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }

 private:
  static constexpr std::size_t few = 16;

  sys::buffer* data_;
  std::size_t count_;
  std::unique_ptr<sys::buffer[]> heap_;
  sys::buffer few_[few];
};

// The system does not change the data that it sends, but its structure has no const.
sys::message outgoing(pieces& buffers, const ancillary_data& ancdata, const endpoint& to) noexcept {
  const const_bytes control = ancdata.view().raw();
  sys::message m;
  m.address = const_cast<sockaddr*>(to.empty() ? nullptr : to.data());
  m.address_size = to.size();
  m.buffers = buffers.data();
  m.buffer_count = buffers.size();
  m.control = control.empty() ? nullptr : const_cast<char*>(control.data());
  m.control_size = control.size();
  return m;
}

}  // namespace

// A message to be received, and its result.
struct incoming {
  sys::buffer* buffers;
  std::size_t count;
  char* control;
  std::size_t control_size;
  endpoint from{};
  ancillary_view ancillary{};
  int flags = 0;

  // Received descriptors are not inheritable: the system sets that if it can, otherwise this code
  // does.
  std::ptrdiff_t receive(native_handle_type s, int wanted_flags) noexcept {
    const int cloexec = sys::cloexec_flag();
    sys::message m;
    m.address = from.buffer();
    m.address_size = endpoint::capacity();
    m.buffers = buffers;
    m.buffer_count = count;
    m.control = control_size == 0 ? nullptr : control;
    m.control_size = control_size;
    const std::ptrdiff_t received = sys::recvmsg(s, m, wanted_flags | cloexec);
    if (received < 0) return received;

    from.resize(m.address_size);
    ancillary = ancillary_view(const_bytes(control, capped(m.control_size, control_size)));
    flags = m.flags & ~(cloexec & ~wanted_flags);  // hides the flag unless the caller passed it
    if (cloexec == 0) {
      for_each_received(ancillary,
                        [](const control_message& /*message*/, native_handle_type handle) {
                          sys::set_inheritable(handle, false);
                        });
    }
    return received;
  }
};

namespace {

// The offset of control messages behind `size` bytes of data.
constexpr std::size_t aligned(std::size_t size) noexcept {
  constexpr std::size_t unit = alignof(std::max_align_t);
  return (size + unit - 1) / unit * unit;
}

}  // namespace
}  // namespace detail

// ---- sending ----

std::size_t socket::sendmsg(const const_buffers& buffers, const ancillary_data& ancdata, int flags,
                            const address& to, std::error_code& ec) noexcept {
  ec.clear();
  const endpoint target = to ? detail::resolve(to, family_, ec) : endpoint();
  if (ec) return 0;
  try {
    detail::pieces data(buffers);
    detail::sys::message m = detail::outgoing(data, ancdata, target);
    int error = 0;
    const int mode = this->mode();
    if (mode >= 0) {
      const std::ptrdiff_t count = detail::sys::sendmsg(fileno(), m, flags | mode);
      if (count >= 0) return static_cast<std::size_t>(count);
      error = static_cast<int>(-count);
    }
    return send_connecting(flags, error, ec, [this, &m](int with, bool to_peer) noexcept {
      if (to_peer) m.address = nullptr, m.address_size = 0;
      return detail::sys::sendmsg(fileno(), m, with);
    });
  } catch (const std::bad_alloc&) {
    ec = std::make_error_code(std::errc::not_enough_memory);
    return 0;
  }
}

std::size_t socket::sendmsg(const const_buffers& buffers, const ancillary_data& ancdata, int flags,
                            const address& to) {
  std::error_code ec;
  const std::size_t count = sendmsg(buffers, ancdata, flags, to, ec);
  if (ec) detail::throw_failed(ec, "sendmsg", to);
  return count;
}

// ---- receiving ----

std::size_t socket::receive_message(detail::incoming& message, int flags,
                                    std::error_code& ec) noexcept {
  int error = 0;
  const int mode = this->mode();
  if (mode >= 0) {
    const std::ptrdiff_t count = message.receive(fileno(), flags | mode);
    if (count >= 0) return static_cast<std::size_t>(count);
    error = static_cast<int>(-count);
  }
  const auto attempt = [&, with = flags | context().flags()]() noexcept {
    return message.receive(fileno(), with);
  };
  const std::ptrdiff_t count = finish_receive(flags, error, attempt, ec);
  return count < 0 ? 0 : static_cast<std::size_t>(count);
}

recvmsg_result socket::recvmsg(std::size_t bufsize, std::size_t ancbufsize, int flags) {
  if (bufsize > detail::max_transfer) detail::throw_error(bad_argument::negative_size, "recvmsg");
  if (ancbufsize > detail::max_ancillary)
    detail::throw_error(bad_argument::ancillary_length, "recvmsg");
  const std::size_t offset = detail::aligned(bufsize);
  if (offset > detail::max_transfer - ancbufsize) throw std::bad_alloc();
  detail::scratch memory(offset + ancbufsize);
  char* const bytes = memory.data();
  detail::clear_for(flags, bytes, bufsize);
  detail::sys::buffer piece;
  detail::set_buffer(piece, bytes, bufsize);
  detail::incoming message{&piece, 1, bytes + offset, ancbufsize};
  std::error_code ec;
  const std::size_t count = receive_message(message, flags, ec);
  if (ec) detail::throw_error(ec, "recvmsg");
  detail::received_guard guard(message.ancillary);
  recvmsg_result result{std::string(bytes, detail::capped(count, bufsize)),
                        ancillary_data(message.ancillary), message.flags, address(message.from)};
  guard.dismiss();
  return result;
}

recvmsg_into_result socket::recvmsg_into(const mutable_buffers& buffers,
                                         std::error_code& ec) noexcept {
  return recvmsg_into(buffers, 0, 0, ec);
}

recvmsg_into_result socket::recvmsg_into(const mutable_buffers& buffers, std::size_t ancbufsize,
                                         int flags, std::error_code& ec) noexcept {
  recvmsg_into_result result;
  ec.clear();
  if (ancbufsize > detail::max_ancillary) {
    ec = bad_argument::ancillary_length;
    return result;
  }
  try {
    detail::pieces data(buffers);
    detail::scratch control(ancbufsize);
    detail::incoming message{data.data(), data.size(), control.data(), ancbufsize};
    result.nbytes = receive_message(message, flags, ec);
    result.flags = message.flags;
    if (!message.from.empty()) result.from = address(message.from);
    if (!message.ancillary.raw().empty()) {
      detail::received_guard guard(message.ancillary);
      result.ancdata = ancillary_data(message.ancillary);
      guard.dismiss();
    }
  } catch (const std::bad_alloc&) {
    ec = std::make_error_code(std::errc::not_enough_memory);
  }
  return result;
}

recvmsg_into_result socket::recvmsg_into(const mutable_buffers& buffers, std::size_t ancbufsize,
                                         int flags) {
  std::error_code ec;
  recvmsg_into_result result = recvmsg_into(buffers, ancbufsize, flags, ec);
  if (ec) detail::throw_error(ec, "recvmsg_into");
  return result;
}

}  // namespace v1
}  // namespace pysock
