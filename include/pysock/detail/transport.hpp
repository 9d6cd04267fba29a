// SPDX-License-Identifier: MIT
// What a file stands on: a stream of bytes in both directions. A socket is one, a TLS session
// another.
#pragma once

#include <cstddef>       // size_t
#include <system_error>  // error_code

#include "config.hpp"
#include "deadline.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

// Transports keep no timeout: each call is handed the deadline of the call of the file that it is a
// step of. What is there already is taken also when the time is over. On success `ec` is cleared.
// Destruction closes quietly.
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
  // Sends all of it. Returns the bytes gone, also on failure.
  virtual std::size_t write(const char* data, std::size_t size, deadline& until,
                            std::error_code& ec) noexcept = 0;
  // The descriptor below, for those who wait for it.
  virtual native_handle_type fileno() const noexcept = 0;
  // Ends the transport, also on failure. Nothing is called after it but the destructor.
  virtual void close(std::error_code& ec) noexcept = 0;
};

}  // namespace detail
}  // namespace v1
}  // namespace pysock
