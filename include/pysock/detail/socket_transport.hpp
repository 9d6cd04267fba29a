// SPDX-License-Identifier: MIT
// A socket below a file.
#pragma once

#include <cstddef>       // size_t, ptrdiff_t
#include <cstdint>       // int64_t
#include <system_error>  // error_code
#include <utility>       // move

#include "../descriptor.hpp"
#include "call.hpp"
#include "transport.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

// The mode of the descriptor is shared with the socket it was duplicated from, and none of this
// one's affair: a call with a limit asks the system not to wait, whatever the mode, and waits by
// itself; a call without one lets the system wait where the mode does.
class socket_transport final : public byte_transport {
 public:
  socket_transport(descriptor handle, interrupt_hook hook, void* hook_data) noexcept
      : handle_(std::move(handle)), hook_(hook), hook_data_(hook_data) {}

  std::size_t read(char* data, std::size_t size, std::int64_t timeout,
                   std::error_code& ec) noexcept override {
    const call_context calling = context(timeout);
    const auto op = [s = calling.handle, data, size, timeout] {
      return timeout < 0 ? sys::recv(s, data, size, 0) : sys::recv_now(s, data, size);
    };
    const bool try_first = timeout <= 0 || !must_wait_;
    std::ptrdiff_t count = try_first ? op() : -1;
    ec.clear();
    if (count < 0) {
      wait_loop loop(calling, sys::event::read);
      count = complete(loop, try_first, op, ec);
      must_wait_ = timeout > 0 && count >= 0 && loop.had_to_wait();
    }
    return count < 0 ? 0 : static_cast<std::size_t>(count);
  }

  std::size_t write(const char* data, std::size_t size, std::int64_t timeout,
                    std::error_code& ec) noexcept override {
    const call_context calling = context(timeout);
    const auto op = [s = calling.handle, data, size, timeout](std::size_t sent) {
      return timeout < 0 ? sys::send(s, data + sent, size - sent, 0)
                         : sys::send_now(s, data + sent, size - sent);
    };
    const std::ptrdiff_t first = op(0);
    ec.clear();
    if (PYSOCK_LIKELY(first >= 0 && static_cast<std::size_t>(first) == size)) return size;
    return complete_all(calling, first, size, op, ec);
  }

  native_handle_type fileno() const noexcept override { return handle_.get(); }

  void close(std::error_code& ec) noexcept override {
    ec.clear();
    if (sys::close(handle_.release()) < 0) ec = last_code();
  }

 private:
  [[nodiscard]] call_context context(std::int64_t timeout) const noexcept {
    return {handle_.get(), timeout, hook_, hook_data_, true};
  }

  descriptor handle_;
  interrupt_hook hook_;
  void* hook_data_;
  bool must_wait_ =
      false;  // the last receive found nothing at first: a guess that saves system calls
};

}  // namespace detail
}  // namespace v1
}  // namespace pysock
