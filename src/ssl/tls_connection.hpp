// SPDX-License-Identifier: MIT
// THE SESSION: the one place that drives OpenSSL, by steps that never wait, and waits between them
// by the wait engine.
//
// The lock is held for a step and not while waiting, so that one thread can receive while another
// sends.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <pysock/detail/operation.hpp>
#include <pysock/socket.hpp>
#include <pysock/ssl_error.hpp>

#include "handles.hpp"
#include "peer_name.hpp"
#include "tls_context.hpp"
#include "wire.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

class tls_connection {
 public:
  // Takes the connected socket. \param name empty for a server, and where nothing is asked for
  tls_connection(std::shared_ptr<const tls_context> context, socket&& plain, peer_name name,
                 bool suppress_ragged_eofs);
  tls_connection(const tls_connection&) = delete;
  tls_connection& operator=(const tls_connection&) = delete;
  // Closes quietly.
  ~tls_connection();

  // The timeout of the connection, in nanoseconds; files have one of their own, and so each call is
  // handed its deadline.
  [[nodiscard]] std::int64_t timeout() const noexcept;

  void resume(const tls_session& session);
  void handshake(std::error_code& ec) noexcept;
  // At least one byte; 0 at the end, and on failure.
  std::size_t read(char* room, std::size_t size, deadline& until, std::error_code& ec) noexcept;
  // At most one record. Bytes gone.
  std::size_t write(const char* data, std::size_t size, deadline& until,
                    std::error_code& ec) noexcept;
  // All of it. Bytes gone, also on failure.
  std::size_t write_all(const char* data, std::size_t size, deadline& until,
                        std::error_code& ec) noexcept;
  // Sends the closing alert, unless the session has failed, was never there, or is over.
  void send_alert(deadline& until, std::error_code& ec) noexcept;
  // Exchanges closing alerts.
  void exchange_alerts(std::error_code& ec) noexcept;
  // Gives the connection away.
  socket release() noexcept;
  // Sends the alert and closes the connection. In `ec` only what kept the alert from being sent.
  void close(std::error_code& ec) noexcept;

  // Asks OpenSSL something, with the lock held.
  template <class Ask>
  auto with_session(const Ask& ask) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return ask(ssl_.get());
  }
  [[nodiscard]] bool handshake_done() const noexcept {
    return handshake_done_.load(std::memory_order_relaxed);
  }

  [[nodiscard]] socket& plain() noexcept { return wire_.plain; }
  [[nodiscard]] const peer_name& name() const noexcept { return name_; }
  [[nodiscard]] const std::shared_ptr<const tls_context>& context() const noexcept {
    return context_;
  }
  [[nodiscard]] bool server_side() const noexcept {
    return context_->protocol == PROTOCOL_TLS_SERVER;
  }

 private:
  // A record that could not be sent at once is encrypted already: what comes next must begin with
  // the same bytes.
  struct half_sent {
    std::size_t size = 0;
    std::size_t hash = 0;
  };

  // `step(SSL*)` until it succeeds (more than 0), the session ends (0 with `ec` clear), or it fails
  // (0 with the reason).
  template <class Step>
  int drive(operation& op, const Step& step, std::error_code& ec) noexcept;
  template <class Step>
  int make_step(const Step& step, bool& blocked, std::error_code& ec) noexcept;
  [[nodiscard]] call_context context(const deadline& until) const noexcept;
  std::error_code failure(int result) noexcept;
  bool usable(std::error_code& ec) const noexcept;
  std::size_t write_record(operation& op, const char* data, std::size_t size,
                           std::error_code& ec) noexcept;
  void take_what_came() noexcept;

  std::shared_ptr<const tls_context> context_;
  wire wire_;
  peer_name name_;
  bool suppress_ragged_eofs_;
  mutable std::mutex mutex_;
  ssl_handle ssl_;
  std::atomic<bool> handshake_done_{false};
  std::error_code lost_;  // what the session failed with: every later call fails with it too
  bool alert_sent_ = false;
  bool mid_record_ = false;  // nothing else can be sent before the rest of it
  half_sent half_sent_;
};

}  // namespace detail
}  // namespace v1
}  // namespace pysock
