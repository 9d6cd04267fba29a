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

std::error_code ssl_reason(int reason) noexcept {
  return {static_cast<int>(ERR_PACK(ERR_LIB_SSL, 0, reason)), openssl_category()};
}

std::size_t hash_of(const char* data, std::size_t size) noexcept {
  return std::hash<std::string_view>()({data, size});
}

int connection_index() noexcept {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

// The first name in the extension of RFC 6066, section 3; empty if there is none, or if it is not
// well-formed, which OpenSSL refuses afterwards.
std::string name_in_hello(SSL* ssl) {
  const unsigned char* data = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &data, &size) != 1) return {};
  constexpr std::size_t before_name = 5;  // size of the list, type of the name, size of the name
  if (size < before_name || data[2] != TLSEXT_NAMETYPE_host_name) return {};
  const std::size_t length = data[3] * 256U + data[4];
  if (length > size - before_name) return {};
  return {reinterpret_cast<const char*>(data) + before_name, length};
}

// Sends the closing alert and returns SSL_shutdown()'s result. A KeyUpdate that has not been sent
// goes first, because OpenSSL fails otherwise.
int shut_down(SSL* ssl) noexcept {
  if (SSL_in_init(ssl) == 1 && SSL_do_handshake(ssl) != 1 && SSL_want_write(ssl)) return -1;
  return SSL_shutdown(ssl);
}

chain_handle shared_chain(STACK_OF(X509) * chain) {
  return chain_handle(chain != nullptr ? made(X509_chain_up_ref(chain)) : nullptr);
}

}  // namespace

tls_connection::tls_connection(std::shared_ptr<const tls_context> context, socket&& plain,
                               peer_name name, bool suppress_ragged_eofs)
    : server_side_(context->protocol == PROTOCOL_TLS_SERVER),
      context_(std::move(context)),
      name_(std::move(name)),
      suppress_ragged_eofs_(suppress_ragged_eofs),
      ssl_(context_->new_session(rules_)) {
  bio_handle bio = wire_.make_bio();
  if (SSL_set_ex_data(ssl_.get(), connection_index(), this) != 1) throw_no_memory();
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
    name_.apply(ssl_.get(), rules_.check_hostname);
  }
  ERR_clear_error();  // calls that succeed may leave errors
}

tls_connection::~tls_connection() {
  if (!wire_.plain) return;
  deadline at_once(0);
  std::error_code ignored;
  end(at_once, ignored);
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
  if (session.generation != rules_.generation) return;
  // Not covered: OpenSSL accepts every session that a connection of this context had.
  if (SSL_set_session(ssl_.get(), session.session.get()) != 1)
    throw_openssl_error("wrap_socket (session)");
  resumed_peer_ = session.peer;
}

// ---- steps ----

template <class Step>
int tls_connection::drive(operation& op, bool sent, const Step& step,
                          std::error_code& ec) noexcept {
  if (!op.begin(ec)) return 0;
  const bool may_wait = op.timeout() != 0;
  for (bool first = true;; first = false) {
    const outcome made = make_step(step, sent, may_wait || first, ec);
    if (made.result > 0 || !is_want(ec)) return made.result;
    if (!may_wait && (made.waits || made.exhausted)) return 0;
    op.expect(made.events);
    // Where nothing was missing, a record came that held no data, and more may be there.
    if ((made.moved || !made.waits) && !op.proceed(ec)) return 0;
    if (made.waits && !op.wait(ec)) return 0;
  }
}

template <class Step>
tls_connection::outcome tls_connection::make_step(const Step& step, bool sent, bool refill,
                                                  std::error_code& ec) noexcept {
  const std::lock_guard<fair_mutex> lock(mutex_);
  outcome made;
  ec = lost_;
  if (ec) return made;
  wire_.begin(refill);
  wire_.flush();
  ERR_clear_error();
  made.result = step(ssl_.get(), ec);
  if (made.result <= 0) {
    if (!ec) ec = failure(made.result);
    made.result = 0;
  }
  // A call that succeeds may leave errors of records that it has dropped.
  if (ERR_peek_error() != 0) ERR_clear_error();
  const bool unsent = wire_.has_unsent();
  if (sent && (made.result > 0 || is_want(ec)) && wire_.send_error()) {
    ec = wire_.send_error();
    made.result = 0;
  } else if (sent && made.result > 0 && unsent) {
    ec = ssl_errc::want_write;
    made.result = 0;
  }
  const wire::step& last = wire_.last();
  made.waits = ec == ssl_errc::want_read ? last.read_blocked : unsent || last.write_blocked;
  made.exhausted = last.exhausted;
  made.moved = last.moved;
  if (ec == ssl_errc::want_write) {
    made.events = sys::event::write;
  } else if (ec == ssl_errc::want_read && unsent) {
    // The peer may not go on before it has what is kept.
    made.events = sys::event::read | sys::event::write;
    if (sent) ec = ssl_errc::want_write;
  }
  return made;
}

std::error_code tls_connection::failure(int result) noexcept {
  const int said = SSL_get_error(ssl_.get(), result);
  if (said == SSL_ERROR_WANT_READ) return ssl_errc::want_read;
  if (said == SSL_ERROR_WANT_WRITE) return ssl_errc::want_write;
  if (said == SSL_ERROR_ZERO_RETURN) return ssl_errc::zero_return;

  // Empties the queue of the thread, which other users of OpenSSL must not find anything in.
  const std::error_code reason = ERR_peek_error() != 0 ? take_openssl_error() : std::error_code();
  const bool cut_off = reason == ssl_reason(SSL_R_UNEXPECTED_EOF_WHILE_READING) ||
                       (said == SSL_ERROR_SYSCALL && !wire_.last().failure);
  if (cut_off && handshake_done()) return ssl_errc::eof;  // sending may still work
  const auto verdict = static_cast<int>(SSL_get_verify_result(ssl_.get()));
  if (wire_.last().failure) {
    lost_ = wire_.last().failure;
  } else if (lacks_memory_) {
    lost_ = std::make_error_code(std::errc::not_enough_memory);
  } else if (cut_off) {
    lost_ = ssl_errc::eof;
  } else if (reason == ssl_reason(SSL_R_CERTIFICATE_VERIFY_FAILED) && verdict != X509_V_OK) {
    lost_ = {verdict, verification_category()};
  } else {
    lost_ = reason ? reason : std::error_code(said, ssl_category());
  }
  return lost_;
}

bool tls_connection::has_failed() const noexcept {
  const std::lock_guard<fair_mutex> lock(mutex_);
  return lost_ || wire_.send_error();
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

// ---- the handshake ----

void tls_connection::handshake(std::error_code& ec) noexcept {
  ec.clear();
  if (handshake_done()) return;
  process_ = sys::process_id();
  deadline until(timeout());
  const call_context calling = context(until);
  operation op(calling, sys::event::read, until);
  const auto shake = [](SSL* ssl, std::error_code&) { return SSL_do_handshake(ssl); };
  if (drive(op, true, shake, ec) <= 0) return;
  const std::lock_guard<fair_mutex> lock(mutex_);
  try {
    judge_peer(ec);
  } catch (const std::bad_alloc&) {
    ec = std::make_error_code(std::errc::not_enough_memory);
  }
  if (ec) {
    lost_ = ec;
    return;
  }
  if (SSL_version(ssl_.get()) >= TLS1_3_VERSION) {
    if (server_side())
      wire_.acknowledge();
    else
      first_session_.reset(SSL_get1_session(ssl_.get()));
  }
  handshake_done_.store(true, std::memory_order_release);
}

// OpenSSL has verified what there was to verify. That nothing was left out, by a cipher without
// certificates or a session of another context, is looked at here.
void tls_connection::judge_peer(std::error_code& ec) {
  SSL* ssl = ssl_.get();
  auto found = std::make_shared<tls_peer>();
  found->certificate.reset(SSL_get1_peer_certificate(ssl));
  const bool has_certificate = found->certificate != nullptr;
  if (rules_.mode != CERT_NONE) {
    const auto verdict = static_cast<int>(SSL_get_verify_result(ssl));
    if (verdict != X509_V_OK) {
      ec = {verdict, verification_category()};
      return;
    }
    if (!has_certificate && (!server_side() || rules_.mode == CERT_REQUIRED)) {
      ec = ssl_reason(SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE);
      return;
    }
    found->verified = has_certificate;
  }
  if (SSL_session_reused(ssl) == 1) {
    // A server has no more of the chain than the client's certificate.
    peer_ = resumed_peer_ ? std::move(resumed_peer_) : std::move(found);
    return;
  }
  if (found->verified) found->verified_chain = shared_chain(SSL_get0_verified_chain(ssl));
  found->sent_chain = shared_chain(SSL_get_peer_cert_chain(ssl));
  // OpenSSL leaves the client's own certificate out of the chain that a server has.
  if (server_side() && has_certificate) {
    // Not covered: OpenSSL fails here only without memory.
    if (sk_X509_unshift(found->sent_chain.get(), found->certificate.get()) == 0) throw_no_memory();
    X509_up_ref(found->certificate.get());
  }
  peer_ = std::move(found);
}

std::shared_ptr<const tls_session> tls_connection::session() const {
  if (server_side() || !handshake_done()) return nullptr;
  session_handle handle(with_session(SSL_get1_session));
  if (!handle) return nullptr;
  return std::make_shared<tls_session>(
      tls_session{std::move(handle), context_, name_.given(), rules_.generation, peer_});
}

std::string tls_connection::server_name() const {
  if (!server_side()) return name_.given();
  const std::lock_guard<fair_mutex> lock(mutex_);
  return client_asks_for_;
}

int tls_connection::on_client_hello(SSL* ssl, int* alert, void*) noexcept {
  auto* self = static_cast<tls_connection*>(SSL_get_ex_data(ssl, connection_index()));
  if (self == nullptr) return SSL_CLIENT_HELLO_SUCCESS;  // a session that the program has made
  *alert = SSL_AD_UNRECOGNIZED_NAME;
  try {
    self->client_asks_for_ = name_in_hello(ssl);
    const auto chosen = self->context_->chosen_for(self->client_asks_for_);
    if (chosen == nullptr || self->use(chosen, ssl)) return SSL_CLIENT_HELLO_SUCCESS;
  } catch (const std::bad_alloc&) {
    self->lacks_memory_ = true;
  } catch (...) {
  }
  return SSL_CLIENT_HELLO_ERROR;
}

bool tls_connection::use(const std::shared_ptr<const tls_context>& chosen, SSL* ssl) noexcept {
  const std::lock_guard<std::mutex> lock(chosen->mutex);
  SSL_CTX* ctx = chosen->get();
  if (chosen->protocol != PROTOCOL_TLS_SERVER) return false;
  // Not covered: OpenSSL fails here only without memory.
  if (SSL_set_SSL_CTX(ssl, ctx) == nullptr) return false;
  // What OpenSSL leaves as the first context has it.
  X509_VERIFY_PARAM* param = SSL_get0_param(ssl);
  SSL_set_verify(ssl, SSL_CTX_get_verify_mode(ctx), nullptr);
  // Not covered: these calls fail only without memory, or not at all.
  if (X509_VERIFY_PARAM_clear_flags(param, X509_VERIFY_PARAM_get_flags(param)) != 1 ||
      X509_VERIFY_PARAM_set1(param, SSL_CTX_get0_param(ctx)) != 1 ||
      SSL_set_min_proto_version(ssl, static_cast<int>(SSL_CTX_get_min_proto_version(ctx))) != 1 ||
      SSL_set_max_proto_version(ssl, static_cast<int>(SSL_CTX_get_max_proto_version(ctx))) != 1) {
    return false;
  }
  rules_ = chosen->rules;
  context_ = chosen;
  return true;
}

// ---- data ----

std::size_t tls_connection::read_some(operation& op, char* buffer, std::size_t size,
                                      std::error_code& ec) noexcept {
  std::size_t count = 0;
  const auto get = [this, buffer, size, &count](SSL* ssl, std::error_code&) {
    const int result = SSL_read_ex(ssl, buffer, size, &count);
    if (first_session_ && SSL_get0_session(ssl) != first_session_.get()) first_session_.reset();
    return result;
  };
  drive(op, false, get, ec);
  const bool end_is_fine = suppress_ragged_eofs_ || end_expected_;
  if (ec == ssl_errc::zero_return || (end_is_fine && ec == ssl_errc::eof)) ec.clear();
  return ec ? 0 : count;
}

std::size_t tls_connection::read(char* buffer, std::size_t size, deadline& until,
                                 std::error_code& ec) noexcept {
  if (!usable(ec)) return 0;
  const call_context calling = context(until);
  operation op(calling, sys::event::read, until);
  return read_some(op, buffer, size, ec);
}

std::size_t tls_connection::read_all(char* buffer, std::size_t size, std::size_t done,
                                     deadline& until, std::error_code& ec) noexcept {
  if (!usable(ec)) return done;
  const call_context calling = context(until);
  operation op(calling, sys::event::read, until);
  while (done < size) {
    const std::size_t count = read_some(op, buffer + done, size - done, ec);
    if (count == 0 && !ec) ec = errc::incomplete_read;
    done += count;
    if (ec || (done < size && !op.proceed(ec))) break;
  }
  return done;
}

// After a wait: whether it ended with what it waited for, or with what the next call will report.
bool tls_connection::is_outcome(std::error_code& ec) const noexcept {
  const std::lock_guard<fair_mutex> lock(mutex_);
  const bool session_ended =
      ec == ssl_errc::zero_return || ec == ssl_errc::eof || ec == lost_ || ec == wire_.send_error();
  const bool late = is_want(ec) || ec == errc::timed_out;
  if (!ec || session_ended || late) {
    ec.clear();
    return !late;
  }
  return false;
}

bool tls_connection::wait_readable(deadline& until, std::error_code& ec) noexcept {
  ec.clear();
  const call_context calling = context(until);
  operation op(calling, sys::event::read, until);
  const auto look = [](SSL* ssl, std::error_code&) {
    char byte = 0;
    std::size_t count = 0;
    return SSL_peek_ex(ssl, &byte, 1, &count);
  };
  if (handshake_done())
    drive(op, false, look, ec);
  else
    op.wait_until_ready(ec);
  return is_outcome(ec);
}

bool tls_connection::wait_writable(deadline& until, std::error_code& ec) noexcept {
  ec.clear();
  const call_context calling = context(until);
  operation op(calling, sys::event::write, until);
  // What is kept goes first.
  const auto nothing = [](SSL*, std::error_code&) { return 1; };
  if (drive(op, true, nothing, ec) > 0) op.wait_until_ready(ec);
  return is_outcome(ec);
}

// A client that has closed by the time its tickets arrive would answer them with a reset.
void tls_connection::issue_tickets(SSL* ssl) noexcept {
  if (data_sent_ || !server_side() || SSL_version(ssl) < TLS1_3_VERSION) return;
  const int count = SSL_session_reused(ssl) == 1 ? std::min(rules_.tickets, 1) : rules_.tickets;
  for (int i = 0; i < count && SSL_new_session_ticket(ssl) == 1; ++i) wire_.gather();
  ERR_clear_error();
}

std::size_t tls_connection::write_record(operation& op, const char* data, std::size_t size,
                                         bool rest_counts, std::error_code& ec) noexcept {
  std::size_t count = 0;
  const auto put = [this, data, size, &count](SSL* ssl, std::error_code& reason) {
    if (count != 0) return 1;
    if (half_sent_.size != 0) {
      if (size < half_sent_.size || hash_of(data, half_sent_.size) != half_sent_.hash) {
        reason = ssl_reason(SSL_R_BAD_WRITE_RETRY);
        return 0;
      }
      count = half_sent_.size;
      half_sent_ = half_sent();
      return 1;
    }
    if (alert_sent_) {
      reason = ssl_reason(SSL_R_PROTOCOL_IS_SHUTDOWN);
    } else if (wire_.send_error()) {
      reason = wire_.send_error();
    } else if (wire_.has_unsent()) {
      reason = ssl_errc::want_write;
    }
    if (reason) return 0;
    issue_tickets(ssl);
    data_sent_ = true;
    const int result = SSL_write_ex(ssl, data, std::min(size, record_size), &count);
    wire_.flush();
    return result;
  };
  drive(op, true, put, ec);
  // A record of which a call has sent only a part is sent by the next one.
  if (!is_want(ec) || rest_counts) return !ec || !has_failed() ? count : 0;
  if (count != 0) {
    const std::lock_guard<fair_mutex> lock(mutex_);
    half_sent_ = {count, hash_of(data, count)};
  }
  return 0;
}

std::size_t tls_connection::write(const char* data, std::size_t size, deadline& until,
                                  std::error_code& ec) noexcept {
  if (!usable(ec) || size == 0) return 0;
  const call_context calling = context(until);
  operation op(calling, sys::event::write, until);
  return write_record(op, data, size, false, ec);
}

std::size_t tls_connection::write_all(const char* data, std::size_t size, deadline& until,
                                      std::error_code& ec, bool rest_counts) noexcept {
  if (!usable(ec)) return 0;
  const call_context calling = context(until);
  operation op(calling, sys::event::write, until);
  std::size_t sent = 0;
  while (sent < size) {
    sent += write_record(op, data + sent, size - sent, rest_counts, ec);
    if (ec || (sent < size && !op.proceed(ec))) break;
  }
  return sent;
}

void tls_connection::send_rest(deadline& until, std::error_code& ec) noexcept {
  ec.clear();
  {
    const std::lock_guard<fair_mutex> lock(mutex_);
    if (!wire_.has_unsent()) return;
  }
  const call_context calling = context(until);
  operation op(calling, sys::event::write, until);
  drive(
      op, true, [](SSL*, std::error_code&) { return 1; }, ec);
}

// ---- the end ----

void tls_connection::send_alert(deadline& until, std::error_code& ec) noexcept {
  ec.clear();
  {
    const std::lock_guard<fair_mutex> lock(mutex_);
    if (!handshake_done() || lost_) return;
  }
  const call_context calling = context(until);
  operation op(calling, sys::event::write, until);
  const auto shut = [this](SSL* ssl, std::error_code&) {
    if (alert_sent_) return 1;
    const int result = shut_down(ssl);  // 0: it has gone, and the peer's has not come
    if (result < 0) return result;
    alert_sent_ = true;
    wire_.end_sending();
    return 1;
  };
  drive(op, true, shut, ec);
}

void tls_connection::exchange_alerts(std::error_code& ec) noexcept {
  if (!usable(ec)) return;
  deadline until(timeout());
  const call_context calling = context(until);
  operation op(calling, sys::event::write, until);
  const auto shut = [this](SSL* ssl, std::error_code&) {
    int result = shut_down(ssl);
    if (result >= 0 && !alert_sent_) {
      alert_sent_ = true;
      wire_.end_sending();
    }
    if (result == 0) result = SSL_shutdown(ssl);
    return result;
  };
  drive(op, true, shut, ec);
}

socket tls_connection::release() noexcept {
  const std::lock_guard<fair_mutex> lock(mutex_);
  return std::move(wire_.plain);
}

// Whether the peer's tickets may still come. After the connection is closed they would make the
// system reset it, and what the peer has not read yet would be lost.
bool tls_connection::may_lose_data() const noexcept {
  const std::lock_guard<fair_mutex> lock(mutex_);
  return data_sent_ && first_session_ && SSL_get0_session(ssl_.get()) == first_session_.get();
}

void tls_connection::linger(deadline& until) noexcept {
  constexpr std::int64_t longest = 2000000000;
  constexpr std::size_t most = 1 << 20;
  const int left = until.milliseconds(until.now());
  deadline limit(left < 0 ? longest : std::min(std::int64_t{left} * 1000000, longest));
  if (limit.timeout() == 0 || sys::shutdown(wire_.plain.fileno(), SHUT_WR) < 0) return;
  const call_context calling = context(limit);
  operation op(calling, sys::event::read, limit);
  char dropped[4096];
  std::error_code ignored;
  for (std::size_t total = 0; total < most;) {
    const std::ptrdiff_t count = sys::recv_now(calling.handle, dropped, sizeof dropped);
    if (count == 0) return;
    if (count > 0 ? !op.proceed(ignored) : !op.again(static_cast<int>(-count), ignored)) return;
    if (count > 0) total += static_cast<std::size_t>(count);
  }
}

// What has come unread would make the system reset the connection when it is closed, and what is
// still on its way to the peer would be lost.
void tls_connection::take_what_came() noexcept {
  char buffer[4096];
  constexpr int enough = 16;
  for (int i = 0; i < enough && sys::recv_now(wire_.plain.fileno(), buffer, sizeof buffer) > 0;
       ++i) {
  }
}

void tls_connection::end(deadline& until, std::error_code& ec) noexcept {
  ec.clear();
  // After a fork, the session goes on in the process that made the handshake.
  const bool own = process_ == sys::process_id();
  if (own) send_alert(until, ec);
  const bool complete = !ec;
  if (ec && has_failed()) ec.clear();  // a peer that has gone needs no alert
  if (own && !shared_plain_) {
    if (complete && handshake_done() && until.timeout() != 0 && may_lose_data()) linger(until);
    take_what_came();
  }
  socket closing = release();
}

void tls_connection::close(std::error_code& ec) noexcept {
  ec.clear();
  if (!wire_.plain) return;
  deadline until(timeout());
  end(until, ec);
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
