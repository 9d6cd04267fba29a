// SPDX-License-Identifier: MIT
#include <pysock/detail/socket_transport.hpp>
#include <pysock/file.hpp>

#include "socket_parts.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

std::size_t socket_transport::read(char* data, std::size_t size, deadline& until,
                                   std::error_code& ec) noexcept {
  const call_context calling = context(until);
  operation op(calling, sys::event::read, until);
  const auto attempt = [&]() noexcept {
    return calling.waits_in_system() ? transferred(sys::recv(calling.handle, data, size, 0))
                                     : sys::recv_now(calling.handle, data, size);
  };
  const bool predicts = !calling.waits_in_system() && calling.timeout != 0;
  const bool polls_first = predicts && prediction_.poll_first();
  if (polls_first && !op.wait_to_begin(ec)) return 0;
  const std::ptrdiff_t count = complete(op, 0, attempt, ec);
  if (predicts) prediction_ = prediction_.after(polls_first, op.has_waited());
  return count < 0 ? 0 : static_cast<std::size_t>(count);
}

std::size_t socket_transport::write(const char* data, std::size_t size, deadline& until,
                                    std::error_code& ec) noexcept {
  const call_context calling = context(until);
  operation op(calling, sys::event::write, until);
  const auto attempt = [&](std::size_t done) noexcept {
    return calling.waits_in_system()
               ? transferred(sys::send(calling.handle, data + done, size - done, 0))
               : sys::send_now(calling.handle, data + done, size - done);
  };
  std::size_t sent = 0;
  complete_all(op, 0, size, sent, attempt, ec);
  return sent;
}

void socket_transport::close(std::error_code& ec) noexcept {
  ec.clear();
  const int result = sys::close(handle_.release());
  if (result < 0) ec = system_code(-result);
}

}  // namespace detail

file socket::makefile(text mode, int bufsize) {
  const detail::file_mode parsed = detail::parse_file_mode(mode.view());
  const native_handle_type copy = detail::sys::duplicate(fileno());
  if (copy < 0) detail::throw_result(copy, "makefile");
  return detail::file_access::make(
      std::make_unique<detail::socket_transport>(descriptor(copy), hook_, hook_data_, interrupter_),
      parsed, bufsize, timeout_word());
}

}  // namespace v1
}  // namespace pysock
