// SPDX-License-Identifier: MIT
// The session: all calls of OpenSSL for a connection, in steps that do not wait. The wait engine
// waits between the steps.
//
// The lock is held during a step and not while waiting, so that one thread can receive while
// another sends. A step is bounded: it receives a few records at most.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
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

// A thread that asks for it gets it when the thread that has it gives it back, even if that one
// asks again at once.
class fair_mutex {
 public:
  void lock() {
    const std::lock_guard<std::mutex> turn(next_);
    mutex_.lock();
  }
  void unlock() { mutex_.unlock(); }

 private:
  std::mutex next_;
  std::mutex mutex_;
};

class tls_connection {
 public:
  // Takes the connected socket. \param name empty for a server, and where nothing is asked for
  tls_connection(std::shared_ptr<const tls_context> context, socket&& plain, peer_name name,
                 bool suppress_ragged_eofs);
  tls_connection(const tls_connection&) = delete;
  tls_connection& operator=(const tls_connection&) = delete;
  // Closes without waiting: the closing alert is sent if the system takes it at once.
  ~tls_connection();

  // The timeout of the connection, in nanoseconds; files have one of their own, and so each call is
  // handed its deadline.
  [[nodiscard]] std::int64_t timeout() const noexcept;

  // The connection below is a duplicate: what comes after the session is for the other one.
  void share_plain() noexcept { shared_plain_ = true; }
  // Offers the session to the server, unless it is one of other rules.
  void resume(const tls_session& session);
  void handshake(std::error_code& ec) noexcept;
  // At least one byte; 0 at the end, and on failure.
  std::size_t read(char* buffer, std::size_t size, deadline& until, std::error_code& ec) noexcept;
  // Until `size` bytes are in the buffer, of which `done` are there already. Returns how many are
  // there; fewer with the reason in `ec`, which is `errc::incomplete_read` at the end.
  std::size_t read_all(char* buffer, std::size_t size, std::size_t done, deadline& until,
                       std::error_code& ec) noexcept;
  // Until a read, or a write, would find something: also a failure. Before the handshake until the
  // connection below is ready. False after the time, and with the reason in `ec`.
  bool wait_readable(deadline& until, std::error_code& ec) noexcept;
  bool wait_writable(deadline& until, std::error_code& ec) noexcept;
  // At most one record. Returns the bytes sent. Where it is not 0 with a reason in `ec`, the rest
  // of the record is kept, and sent by the next call.
  std::size_t write(const char* data, std::size_t size, deadline& until,
                    std::error_code& ec) noexcept;
  // All of it. Bytes sent, also on failure. With `rest_counts` a record of which only a part was
  // sent counts as sent in non-blocking mode too.
  std::size_t write_all(const char* data, std::size_t size, deadline& until, std::error_code& ec,
                        bool rest_counts = false) noexcept;
  // What is left of such a record.
  void send_rest(deadline& until, std::error_code& ec) noexcept;
  // Sends the closing alert, unless the session has failed, or was never there.
  void send_alert(deadline& until, std::error_code& ec) noexcept;
  // Exchanges closing alerts.
  void exchange_alerts(std::error_code& ec) noexcept;
  // After the connection below was shut down for receiving: its end is no failure.
  void expect_end() noexcept { end_expected_ = true; }
  // Gives the connection away.
  socket release() noexcept;
  // Sends the alert and closes the connection. In `ec` only what kept the alert from being sent.
  void close(std::error_code& ec) noexcept;

  // Asks OpenSSL something, with the lock held.
  template <class Ask>
  auto with_session(const Ask& ask) const {
    const std::lock_guard<fair_mutex> lock(mutex_);
    return ask(ssl_.get());
  }
  [[nodiscard]] bool handshake_done() const noexcept {
    return handshake_done_.load(std::memory_order_acquire);
  }
  // Null before the handshake.
  [[nodiscard]] std::shared_ptr<const tls_peer> peer() const noexcept {
    return handshake_done() ? peer_ : nullptr;
  }
  // For the next connection; null before the handshake, and on a server.
  [[nodiscard]] std::shared_ptr<const tls_session> session() const;
  // The name that was asked for: by this client, or by the client of this server.
  [[nodiscard]] std::string server_name() const;

  [[nodiscard]] socket& plain() noexcept { return wire_.plain; }
  [[nodiscard]] bool trusts_nobody() const noexcept { return context_->trusts_nobody(); }
  [[nodiscard]] bool server_side() const noexcept { return server_side_; }

  // Chooses the context of a server by the name that the client asks for, before anything is
  // looked up for it.
  static int on_client_hello(SSL* ssl, int* alert, void*) noexcept;

 private:
  // In non-blocking mode a record that was not sent as a whole counts as not sent: what comes next
  // must begin with the same bytes.
  struct half_sent {
    std::size_t size = 0;
    std::size_t hash = 0;
  };
  struct outcome {
    int result = 0;
    bool waits = false;      // the system had nothing, or took less than there was
    bool exhausted = false;  // there is more than one step may receive
    bool moved = false;
    sys::event events = sys::event::read;  // what to wait for
  };

  // `step(SSL*, std::error_code&)` until it succeeds (more than 0), the session ends (0 with `ec`
  // clear), or it fails (0 with the reason). With `sent`, it has succeeded only when the system has
  // taken all that was to be sent; the step is then called again, and must know that.
  template <class Step>
  int drive(operation& op, bool sent, const Step& step, std::error_code& ec) noexcept;
  template <class Step>
  outcome make_step(const Step& step, bool sent, bool refill, std::error_code& ec) noexcept;
  [[nodiscard]] call_context context(const deadline& until) const noexcept;
  std::error_code failure(int result) noexcept;
  // Whether nothing more can be sent.
  bool has_failed() const noexcept;
  bool usable(std::error_code& ec) const noexcept;
  void judge_peer(std::error_code& ec);
  std::size_t read_some(operation& op, char* buffer, std::size_t size,
                        std::error_code& ec) noexcept;
  bool is_outcome(std::error_code& ec) const noexcept;
  std::size_t write_record(operation& op, const char* data, std::size_t size, bool rest_counts,
                           std::error_code& ec) noexcept;
  void issue_tickets(SSL* ssl) noexcept;
  bool use(const std::shared_ptr<const tls_context>& chosen, SSL* ssl) noexcept;
  void end(deadline& until, std::error_code& ec) noexcept;
  bool may_lose_data() const noexcept;
  void linger(deadline& until) noexcept;
  void take_what_came() noexcept;

  const bool server_side_;
  std::shared_ptr<const tls_context> context_;
  wire wire_;
  peer_name name_;
  bool suppress_ragged_eofs_;
  bool shared_plain_ = false;
  std::atomic<bool> end_expected_{false};
  mutable fair_mutex mutex_;
  tls_rules rules_;
  ssl_handle ssl_;
  std::atomic<bool> handshake_done_{false};
  std::int64_t process_ = 0;  // the one that made the handshake, or began it
  std::shared_ptr<const tls_peer> peer_;
  std::shared_ptr<const tls_peer> resumed_peer_;  // of the session that is offered
  std::string client_asks_for_;
  // Of a client under TLS 1.3, as the handshake left it; a ticket makes another one of it.
  session_handle first_session_;
  std::error_code lost_;       // what the session failed with: every later call fails with it too
  bool lacks_memory_ = false;  // a callback of the handshake
  bool alert_sent_ = false;
  bool data_sent_ = false;
  half_sent half_sent_;
};

}  // namespace detail
}  // namespace v1
}  // namespace pysock
