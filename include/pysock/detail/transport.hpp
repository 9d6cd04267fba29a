// SPDX-License-Identifier: MIT
// The stream of bytes below a file: a socket or a TLS session.
#pragma once

#include <cstddef>       // size_t
#include <system_error>  // error_code

#include "config.hpp"
#include "deadline.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

// Transports have no timeout: each call gets the deadline of the file's call. Data that has arrived
// is returned even if the time is over. On success `ec` is cleared. Destruction closes and ignores
// errors.
class byte_transport {
 public:
  byte_transport() = default;
  byte_transport(const byte_transport&) = delete;
  byte_transport& operator=(const byte_transport&) = delete;
  virtual ~byte_transport() = default;

  // Receives at least one byte and at most `size`, which is not 0. Returns 0 at the end of the
  // stream, and with the reason in `ec`.
  virtual std::size_t read(char* data, std::size_t size, deadline& until,
                           std::error_code& ec) noexcept = 0;
  // Sends all of it. Returns the number of bytes sent, also on failure.
  virtual std::size_t write(const char* data, std::size_t size, deadline& until,
                            std::error_code& ec) noexcept = 0;
  // Sends what a write has left that counts as sent.
  virtual void flush(deadline&, std::error_code& ec) noexcept { ec.clear(); }
  // The descriptor, for poll().
  virtual native_handle_type fileno() const noexcept = 0;
  // Closes the transport, also on failure. Only the destructor may be called after it.
  virtual void close(std::error_code& ec) noexcept = 0;
};

}  // namespace detail
}  // namespace v1
}  // namespace pysock
