// SPDX-License-Identifier: MIT
// The transport of a file over a socket.
#pragma once

#include <cstddef>       // size_t
#include <system_error>  // error_code
#include <utility>       // move

#include "../descriptor.hpp"
#include "operation.hpp"
#include "transport.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

// The mode of the descriptor is shared with the socket it was duplicated from. A call with a limit
// passes the flag for not waiting, whatever the mode, and waits with poll; in a call without a
// limit the system waits if the descriptor is blocking.
class socket_transport final : public byte_transport {
 public:
  socket_transport(descriptor handle, interrupt_hook hook, void* hook_data,
                   interrupt_link interrupter = {}) noexcept
      : handle_(std::move(handle)),
        hook_(hook),
        hook_data_(hook_data),
        interrupter_(std::move(interrupter)) {}

  PYSOCK_API std::size_t read(char* data, std::size_t size, deadline& until,
                              std::error_code& ec) noexcept override;
  PYSOCK_API std::size_t write(const char* data, std::size_t size, deadline& until,
                               std::error_code& ec) noexcept override;
  PYSOCK_API void close(std::error_code& ec) noexcept override;
  native_handle_type fileno() const noexcept override { return handle_.get(); }

 private:
  [[nodiscard]] call_context context(const deadline& until) const noexcept {
    return {handle_.get(), until.timeout(), hook_, hook_data_, interrupter_.get()};
  }

  descriptor handle_;
  interrupt_hook hook_;
  void* hook_data_;
  interrupt_link interrupter_;
  wait_prediction prediction_;
};

}  // namespace detail
}  // namespace v1
}  // namespace pysock
