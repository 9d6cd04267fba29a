// SPDX-License-Identifier: MIT
// The transport of a file over a session.
#pragma once

#include <memory>
#include <pysock/detail/transport.hpp>
#include <utility>

#include "tls_connection.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

// The session is shared with the ssl_socket; the last of the two closes it.
class tls_transport final : public byte_transport {
 public:
  explicit tls_transport(std::shared_ptr<tls_connection> connection) noexcept
      : connection_(std::move(connection)) {}

  std::size_t read(char* data, std::size_t size, deadline& until,
                   std::error_code& ec) noexcept override {
    return connection_->read(data, size, until, ec);
  }
  std::size_t write(const char* data, std::size_t size, deadline& until,
                    std::error_code& ec) noexcept override {
    // The file has no copy of the bytes that it would have to give again.
    constexpr bool rest_counts = true;
    return connection_->write_all(data, size, until, ec, rest_counts);
  }
  void flush(deadline& until, std::error_code& ec) noexcept override {
    connection_->send_rest(until, ec);
  }
  native_handle_type fileno() const noexcept override { return connection_->plain().fileno(); }
  void close(std::error_code& ec) noexcept override {
    ec.clear();
    if (connection_.use_count() == 1) connection_->close(ec);
    connection_.reset();
  }

 private:
  std::shared_ptr<tls_connection> connection_;
};

}  // namespace detail
}  // namespace v1
}  // namespace pysock
