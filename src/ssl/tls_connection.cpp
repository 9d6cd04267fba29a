// SPDX-License-Identifier: MIT
// Handshake, data and closing alerts.
#include "tls_connection.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <functional>
#include <pysock/detail/socket_access.hpp>
#include <string_view>
#include <utility>

#include "errors.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

constexpr std::size_t record_size = 16384;

bool is_want(const std::error_code& ec) noexcept {
  return ec == ssl_errc::want_read || ec == ssl_errc::want_write;
}

std::size_t hash_of(const char* data, std::size_t size) noexcept {
  return std::hash<std::string_view>()({data, size});
}

}  // namespace

tls_connection::tls_connection(std::shared_ptr<const tls_context> context, socket&& plain,
                               peer_name name, bool suppress_ragged_eofs)
    : context_(std::move(context)),
      name_(std::move(name)),
      suppress_ragged_eofs_(suppress_ragged_eofs),
      ssl_(SSL_new(context_->get())) {
  if (!ssl_) throw_openssl_error("SSL_new");
  bio_handle bio = make_bio(wire_);
  wire_.plain = std::move(plain);
  SSL_set0_rbio(ssl_.get(), bio.get());
  BIO_up_ref(bio.get());
  SSL_set0_wbio(ssl_.get(), bio.release());
  // One step handles one record: between two of them the deadline is looked at.
  SSL_clear_mode(ssl_.get(), SSL_MODE_AUTO_RETRY);
  SSL_set_mode(ssl_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (server_side()) {
    SSL_set_accept_state(ssl_.get());
  } else {
    SSL_set_connect_state(ssl_.get());
    name_.apply(ssl_.get(), context_->check_hostname);
  }
}

tls_connection::~tls_connection() {
  std::error_code ignored;
  close(ignored);
}

std::int64_t tls_connection::timeout() const noexcept {
  return socket_access::context(wire_.plain).timeout;
}

call_context tls_connection::context(const deadline& until) const noexcept {
  call_context result = socket_access::context(wire_.plain);
  result.timeout = until.timeout();
  return result;
}

void tls_connection::resume(const tls_session& session) {
  if (SSL_set_session(ssl_.get(), session.session.get()) != 1)
    throw_openssl_error("wrap_socket (session)");
}

// ---- steps ----

template <class Step>
int tls_connection::drive(operation& op, const Step& step, std::error_code& ec) noexcept {
  if (!op.begin(ec)) return 0;
  for (;;) {
    bool blocked = false;
    const int result = make_step(step, blocked, ec);
    if (result > 0 || !is_want(ec)) return result;
    if (blocked && op.timeout() == 0) return 0;
    op.expect(ec == ssl_errc::want_read ? sys::event::read : sys::event::write);
    // Where nothing was missing, a record came that held no data, and more may be there.
    if (blocked ? !op.wait(ec) : !op.proceed(ec)) return 0;
  }
}

template <class Step>
int tls_connection::make_step(const Step& step, bool& blocked, std::error_code& ec) noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  ec = lost_;
  if (ec) return 0;
  wire_.begin();
  ERR_clear_error();
  const int result = step(ssl_.get());
  if (result > 0) return result;
  ec = failure(result);
  blocked = wire_.blocked;
  return 0;
}

std::error_code tls_connection::failure(int result) noexcept {
  const int said = SSL_get_error(ssl_.get(), result);
  if (said == SSL_ERROR_WANT_READ) return ssl_errc::want_read;
  if (said == SSL_ERROR_WANT_WRITE) return ssl_errc::want_write;
  if (said == SSL_ERROR_ZERO_RETURN) return ssl_errc::zero_return;

  const unsigned long last = ERR_peek_last_error();
  const int reason =
      said == SSL_ERROR_SSL && ERR_GET_LIB(last) == ERR_LIB_SSL ? ERR_GET_REASON(last) : 0;
  const bool cut_off = reason == SSL_R_UNEXPECTED_EOF_WHILE_READING ||
                       (said == SSL_ERROR_SYSCALL && wire_.failure == 0);
  if (cut_off && handshake_done()) return ssl_errc::eof;  // sending may still work
  const auto verdict = static_cast<int>(SSL_get_verify_result(ssl_.get()));
  if (cut_off) {
    lost_ = ssl_errc::eof;
  } else if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED && verdict != X509_V_OK) {
    lost_ = {verdict, verification_category()};
  } else if (said == SSL_ERROR_SSL) {
    lost_ = take_openssl_error();
  } else {
    lost_ = said == SSL_ERROR_SYSCALL ? system_code(wire_.failure)
                                      : std::error_code(said, ssl_category());
  }
  return lost_;
}

bool tls_connection::usable(std::error_code& ec) const noexcept {
  ec.clear();
  if (!wire_.plain) {
    ec = system_code(sys::numbers().bad_descriptor);
  } else if (!handshake_done()) {
    ec = ssl_errc::handshake_missing;
  }
  return !ec;
}

// ---- calls ----

void tls_connection::handshake(std::error_code& ec) noexcept {
  if (usable(ec) || ec != ssl_errc::handshake_missing) return;
  deadline until(timeout());
  const call_context calling = context(until);
  operation op(calling, sys::event::read, until);
  if (drive(
          op, [](SSL* ssl) { return SSL_do_handshake(ssl); }, ec) > 0)
    handshake_done_ = true;
}

std::size_t tls_connection::read(char* room, std::size_t size, deadline& until,
                                 std::error_code& ec) noexcept {
  if (!usable(ec)) return 0;
  std::size_t count = 0;
  const call_context calling = context(until);
  operation op(calling, sys::event::read, until);
  drive(
      op, [room, size, &count](SSL* ssl) { return SSL_read_ex(ssl, room, size, &count); }, ec);
  if (ec == ssl_errc::zero_return || (suppress_ragged_eofs_ && ec == ssl_errc::eof)) ec.clear();
  return ec ? 0 : count;
}

std::size_t tls_connection::write_record(operation& op, const char* data, std::size_t size,
                                         std::error_code& ec) noexcept {
  std::size_t count = 0;
  half_sent started;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    started = half_sent_;
  }
  if (started.size != 0 && (size < started.size || hash_of(data, started.size) != started.hash)) {
    ec = {static_cast<int>(ERR_PACK(ERR_LIB_SSL, 0, SSL_R_BAD_WRITE_RETRY)), openssl_category()};
    return 0;
  }
  const auto put = [this, data, size, &count](SSL* ssl) {
    const int result = SSL_write_ex(ssl, data, size, &count);
    mid_record_ = result <= 0;
    return result;
  };
  drive(op, put, ec);
  const std::size_t record = started.size != 0 ? started.size : std::min(size, record_size);
  if (ec) started = {record, hash_of(data, record)};
  const std::lock_guard<std::mutex> lock(mutex_);
  half_sent_ = ec ? started : half_sent();
  return count;
}

std::size_t tls_connection::write(const char* data, std::size_t size, deadline& until,
                                  std::error_code& ec) noexcept {
  if (!usable(ec) || size == 0) return 0;
  const call_context calling = context(until);
  operation op(calling, sys::event::write, until);
  return write_record(op, data, size, ec);
}

std::size_t tls_connection::write_all(const char* data, std::size_t size, deadline& until,
                                      std::error_code& ec) noexcept {
  if (!usable(ec)) return 0;
  const call_context calling = context(until);
  operation op(calling, sys::event::write, until);
  std::size_t sent = 0;
  while (sent < size) {
    sent += write_record(op, data + sent, size - sent, ec);
    if (ec || (sent < size && !op.proceed(ec))) break;
  }
  return sent;
}

// ---- the end ----

void tls_connection::send_alert(deadline& until, std::error_code& ec) noexcept {
  ec.clear();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!handshake_done() || lost_ || alert_sent_ || mid_record_) return;
  }
  const call_context calling = context(until);
  operation op(calling, sys::event::write, until);
  const auto shut = [this](SSL* ssl) {
    alert_sent_ = SSL_shutdown(ssl) >= 0;  // 0: it has gone, and the peer's has not come
    return alert_sent_ ? 1 : -1;
  };
  drive(op, shut, ec);
}

void tls_connection::exchange_alerts(std::error_code& ec) noexcept {
  if (!usable(ec)) return;
  deadline until(timeout());
  const call_context calling = context(until);
  operation op(calling, sys::event::write, until);
  bool received = false;
  const auto shut = [this, &received](SSL* ssl) {
    const int result = SSL_shutdown(ssl);
    received = result > 0;
    alert_sent_ = alert_sent_ || result >= 0;
    return result < 0 ? -1 : 1;
  };
  do drive(op, shut, ec);
  while (!ec && !received);
}

socket tls_connection::release() noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::move(wire_.plain);
}

// What has come unread, the tickets of TLS 1.3 above all, would make the system reset the
// connection when it is closed, and what is still on its way to the peer would be lost.
void tls_connection::take_what_came() noexcept {
  char room[4096];
  constexpr int enough = 16;
  for (int i = 0; i < enough && sys::recv_now(wire_.plain.fileno(), room, sizeof room) > 0; ++i) {
  }
}

void tls_connection::close(std::error_code& ec) noexcept {
  ec.clear();
  if (!wire_.plain) return;
  deadline until(timeout());
  send_alert(until, ec);
  if (!is_want(ec) && ec != errc::timed_out && ec != std::errc::interrupted)
    ec.clear();  // a peer that has gone misses nothing
  take_what_came();
  socket closing = release();
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
