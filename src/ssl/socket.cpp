// SPDX-License-Identifier: MIT
// ssl_socket: a TLS session with the functions of a socket.
#include <openssl/ssl.h>

#include <memory>
#include <new>
#include <pysock/detail/exactly.hpp>
#include <pysock/detail/file_reader.hpp>
#include <pysock/detail/scratch.hpp>
#include <pysock/detail/socket_access.hpp>
#include <pysock/file.hpp>
#include <pysock/ssl_socket.hpp>
#include <utility>

#include "certificates.hpp"
#include "tls_connection.hpp"
#include "tls_transport.hpp"

namespace pysock {
inline namespace v1 {
namespace {

std::error_code closed_code() noexcept {
  return detail::system_code(detail::sys::numbers().bad_descriptor);
}

std::string operation_name(const char* operation, const detail::tls_connection& connection,
                           const std::error_code& ec) {
  std::string result = operation;
  const std::string name = connection.server_name();
  if (!connection.server_side() && !name.empty()) result += " '" + name + "'";
  if (ec.category() == verification_category() && connection.trusts_nobody())
    result += " (the context has no trusted authority)";
  return result;
}

std::vector<std::string> der_of(const STACK_OF(X509) * chain) {
  std::vector<std::string> result;
  const int count = sk_X509_num(chain);
  result.reserve(static_cast<std::size_t>(count < 0 ? 0 : count));
  for (int i = 0; i < count; ++i) result.push_back(detail::der(sk_X509_value(chain, i)));
  return result;
}

}  // namespace

// ---- life ----

ssl_socket::ssl_socket(std::shared_ptr<detail::tls_connection> connection) noexcept
    : connection_(std::move(connection)) {}

ssl_socket& ssl_socket::operator=(ssl_socket&& other) noexcept {
  if (this == &other) return *this;
  connection_.reset();  // before the other's is here, so that the order is as for sockets
  connection_ = std::move(other.connection_);
  return *this;
}

ssl_socket::~ssl_socket() = default;

detail::tls_connection& ssl_socket::open(const char* operation) const {
  if (!connection_) detail::throw_error(closed_code(), operation);
  return *connection_;
}

void ssl_socket::shake_hands(const char* operation) {
  std::error_code ec;
  do_handshake(ec);
  if (ec)
    detail::throw_error(ec, connection_ ? operation_name(operation, *connection_, ec) : operation);
}

void ssl_socket::do_handshake() { shake_hands("do_handshake"); }

void ssl_socket::do_handshake(std::error_code& ec) noexcept {
  ec = closed_code();
  if (connection_) connection_->handshake(ec);
}

void ssl_socket::close(std::error_code& ec) noexcept {
  ec.clear();
  const std::shared_ptr<detail::tls_connection> connection = std::move(connection_);
  // Where a file goes on with it, the file closes it.
  if (connection.use_count() == 1) connection->close(ec);
}

void ssl_socket::close() {
  std::error_code ec;
  close(ec);
  if (ec) detail::throw_error(ec, "close");
}

native_handle_type ssl_socket::detach() noexcept {
  const std::shared_ptr<detail::tls_connection> connection = std::move(connection_);
  return connection ? connection->release().detach() : invalid_handle;
}

socket ssl_socket::unwrap(std::error_code& ec) noexcept {
  ec = closed_code();
  if (connection_) connection_->exchange_alerts(ec);
  if (ec) return socket(nullptr);
  const std::shared_ptr<detail::tls_connection> connection = std::move(connection_);
  return connection->release();
}

socket ssl_socket::unwrap() {
  std::error_code ec;
  socket plain = unwrap(ec);
  if (ec) detail::throw_error(ec, "unwrap");
  return plain;
}

void ssl_socket::shutdown(int how, std::error_code& ec) noexcept {
  ec = closed_code();
  if (!connection_) return;
  // Sending the alert must not delay waking a waiting thread.
  detail::deadline until(how == SHUT_RDWR ? 0 : connection_->timeout());
  ec.clear();
  if (how == SHUT_WR || how == SHUT_RDWR) connection_->send_alert(until, ec);
  if (ec && how == SHUT_WR) return;
  if (how == SHUT_RD || how == SHUT_RDWR) connection_->expect_end();
  const int result = detail::sys::shutdown(connection_->plain().fileno(), how);
  ec = result < 0 ? detail::system_code(-result) : std::error_code();
}

void ssl_socket::shutdown(int how) {
  std::error_code ec;
  shutdown(how, ec);
  if (ec) detail::throw_error(ec, "shutdown");
}

// ---- data ----

std::size_t ssl_socket::recv_into(mutable_bytes buffer, std::size_t nbytes,
                                  std::error_code& ec) noexcept {
  const std::size_t size = detail::wanted(buffer, nbytes);
  ec.clear();
  if (size > buffer.size()) ec = bad_argument::buffer_too_small;
  if (!connection_) ec = closed_code();
  if (size == 0 || ec) return 0;
  detail::deadline until(connection_->timeout());
  return connection_->read(buffer.data(), size, until, ec);
}

std::size_t ssl_socket::recv_into(mutable_bytes buffer, std::size_t nbytes) {
  std::error_code ec;
  const std::size_t count = recv_into(buffer, nbytes, ec);
  if (ec) detail::throw_error(ec, "recv_into");
  return count;
}

std::string ssl_socket::recv(std::size_t bufsize) {
  constexpr std::size_t record = 16384;  // more does not come at once
  if (bufsize > detail::max_transfer) detail::throw_error(bad_argument::negative_size, "recv");
  if (bufsize > record) bufsize = record;
  detail::scratch bytes(bufsize);
  std::error_code ec;
  const std::size_t count = recv_into({bytes.data(), bufsize}, ec);
  if (ec) detail::throw_error(ec, "recv");
  return std::string(bytes.data(), count);
}

std::string ssl_socket::recv_exactly(std::size_t size) {
  detail::tls_connection& connection = open("recv_exactly");
  detail::deadline until(connection.timeout());
  return detail::receive_exactly(
      size, [&](char* data, std::size_t wanted, std::size_t done, std::error_code& ec) noexcept {
        return connection.read_all(data, wanted, done, until, ec);
      });
}

std::size_t ssl_socket::recv_exactly_into(mutable_bytes buffer, std::error_code& ec) noexcept {
  if (!connection_) {
    ec = closed_code();
    return 0;
  }
  detail::deadline until(connection_->timeout());
  return connection_->read_all(buffer.data(), buffer.size(), 0, until, ec);
}

std::size_t ssl_socket::recv_exactly_into(mutable_bytes buffer) {
  std::error_code ec;
  const std::size_t done = recv_exactly_into(buffer, ec);
  if (ec) detail::throw_incomplete(ec, "recv_exactly_into", buffer.data(), done, buffer.size());
  return done;
}

std::size_t ssl_socket::send(const_bytes data, std::error_code& ec) noexcept {
  if (!connection_) {
    ec = closed_code();
    return 0;
  }
  detail::deadline until(connection_->timeout());
  return connection_->write(data.data(), data.size(), until, ec);
}

std::size_t ssl_socket::send(const_bytes data) {
  std::error_code ec;
  const std::size_t count = send(data, ec);
  if (ec) detail::throw_error(ec, "send", count);
  return count;
}

std::size_t ssl_socket::sendall(const_bytes data, std::error_code& ec) noexcept {
  if (!connection_) {
    ec = closed_code();
    return 0;
  }
  detail::deadline until(connection_->timeout());
  return connection_->write_all(data.data(), data.size(), until, ec);
}

std::size_t ssl_socket::sendall(const_bytes data) {
  std::error_code ec;
  const std::size_t sent = sendall(data, ec);
  if (ec) detail::throw_error(ec, "sendall", sent);
  return sent;
}

std::size_t ssl_socket::sendfile(const file_source& file, std::int64_t offset,
                                 std::optional<std::int64_t> count) {
  std::error_code ec;
  const std::size_t sent = sendfile(file, offset, count, ec);
  if (ec) detail::throw_error(ec, detail::file_reader::operation_name(file), sent);
  return sent;
}

std::size_t ssl_socket::sendfile(const file_source& file, std::int64_t offset,
                                 std::optional<std::int64_t> count, std::error_code& ec) noexcept {
  ec = connection_ ? detail::check_sendfile(SOCK_STREAM, offset, count) : closed_code();
  if (!ec && !getblocking()) ec = bad_argument::not_blocking;
  if (ec) return 0;
  const detail::call_context calling = detail::socket_access::context(connection_->plain());
  detail::file_reader reader(file, offset, calling);
  if (!reader.open(ec)) return 0;

  const std::uint64_t limit = count ? static_cast<std::uint64_t>(*count) : UINT64_MAX;
  constexpr std::size_t block_size = 16384;
  const std::unique_ptr<char[]> block(new (std::nothrow) char[block_size]);
  if (block == nullptr) {
    ec = std::make_error_code(std::errc::not_enough_memory);
    return 0;
  }
  detail::deadline whole(detail::timeout_of_all_steps(calling.timeout));
  std::size_t sent = 0;
  while (sent < limit) {
    const std::size_t wanted =
        limit - sent < block_size ? static_cast<std::size_t>(limit - sent) : block_size;
    const std::size_t size = reader.read(block.get(), wanted, sent, ec);
    if (size != 0 && !whole.begin_step()) ec = errc::timed_out;
    if (size == 0 || ec) break;
    detail::deadline until(calling.timeout);
    sent += connection_->write_all(block.get(), size, until, ec);
    if (ec) break;
  }
  reader.leave(sent);
  return sent;
}

file ssl_socket::makefile(text mode, int bufsize) {
  const detail::file_mode parsed = detail::parse_file_mode(mode.view());
  const std::int64_t timeout = open("makefile").timeout();
  return detail::file_access::make(std::make_unique<detail::tls_transport>(connection_), parsed,
                                   bufsize, timeout);
}

// ---- waiting alone ----

bool ssl_socket::wait_readable(timeout_value timeout, std::error_code& ec) noexcept {
  ec = closed_code();
  if (!connection_) return false;
  detail::deadline until(detail::timeout_word(timeout));
  return connection_->wait_readable(until, ec);
}

bool ssl_socket::wait_readable(timeout_value timeout) {
  std::error_code ec;
  const bool ready = wait_readable(timeout, ec);
  if (ec) detail::throw_error(ec, "wait_readable");
  return ready;
}

bool ssl_socket::wait_writable(timeout_value timeout, std::error_code& ec) noexcept {
  ec = closed_code();
  if (!connection_) return false;
  detail::deadline until(detail::timeout_word(timeout));
  return connection_->wait_writable(until, ec);
}

bool ssl_socket::wait_writable(timeout_value timeout) {
  std::error_code ec;
  const bool ready = wait_writable(timeout, ec);
  if (ec) detail::throw_error(ec, "wait_writable");
  return ready;
}

// ---- the session ----

std::size_t ssl_socket::pending() const noexcept {
  if (!connection_) return 0;
  return static_cast<std::size_t>(
      connection_->with_session([](SSL* ssl) { return SSL_pending(ssl); }));
}

std::optional<certificate> ssl_socket::getpeercert() const {
  const std::shared_ptr<const detail::tls_peer> peer = open("getpeercert").peer();
  if (!peer || !peer->verified) return std::nullopt;
  return detail::describe_certificate(peer->certificate.get());
}

std::string ssl_socket::getpeercert_der() const {
  const std::shared_ptr<const detail::tls_peer> peer = open("getpeercert_der").peer();
  return peer && peer->certificate ? detail::der(peer->certificate.get()) : std::string();
}

std::vector<std::string> ssl_socket::get_verified_chain() const {
  const std::shared_ptr<const detail::tls_peer> peer = open("get_verified_chain").peer();
  return der_of(peer ? peer->verified_chain.get() : nullptr);
}

std::vector<std::string> ssl_socket::get_unverified_chain() const {
  const std::shared_ptr<const detail::tls_peer> peer = open("get_unverified_chain").peer();
  return der_of(peer ? peer->sent_chain.get() : nullptr);
}

std::optional<std::string> ssl_socket::selected_alpn_protocol() const {
  return open("selected_alpn_protocol").with_session([](SSL* ssl) -> std::optional<std::string> {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl, &name, &size);
    if (name == nullptr) return std::nullopt;
    return std::string(reinterpret_cast<const char*>(name), size);
  });
}

std::optional<std::string> ssl_socket::version() const {
  const detail::tls_connection& connection = open("version");
  if (!connection.handshake_done()) return std::nullopt;
  return std::string(connection.with_session(SSL_get_version));
}

std::optional<cipher_info> ssl_socket::cipher() const {
  return open("cipher").with_session([](SSL* ssl) -> std::optional<cipher_info> {
    const SSL_CIPHER* used = SSL_get_current_cipher(ssl);
    if (used == nullptr) return std::nullopt;
    return cipher_info{SSL_CIPHER_get_name(used), SSL_CIPHER_get_version(used),
                       SSL_CIPHER_get_bits(used, nullptr)};
  });
}

ssl_session ssl_socket::session() const {
  ssl_session result;
  result.session_ = open("session").session();
  return result;
}

bool ssl_session::resumable() const noexcept {
  return session_ && SSL_SESSION_is_resumable(session_->session.get()) == 1;
}

bool ssl_socket::session_reused() const noexcept {
  return connection_ && connection_->with_session(SSL_session_reused) == 1;
}

std::string ssl_socket::server_hostname() const {
  return connection_ ? connection_->server_name() : std::string();
}

void* ssl_socket::native_handle() const noexcept {
  return connection_ ? connection_->with_session([](SSL* ssl) { return ssl; }) : nullptr;
}

bool ssl_socket::server_side() const noexcept { return connection_ && connection_->server_side(); }

// ---- the connection below ----

native_handle_type ssl_socket::fileno() const noexcept {
  return connection_ ? connection_->plain().fileno() : invalid_handle;
}
bool ssl_socket::getblocking() const noexcept {
  return !connection_ || connection_->plain().getblocking();
}
std::optional<seconds> ssl_socket::gettimeout() const noexcept {
  return connection_ ? connection_->plain().gettimeout() : std::nullopt;
}
void ssl_socket::settimeout(timeout_value value) { open("settimeout").plain().settimeout(value); }
address ssl_socket::getpeername() const { return open("getpeername").plain().getpeername(); }
address ssl_socket::getsockname() const { return open("getsockname").plain().getsockname(); }
int ssl_socket::getsockopt(int level, int name) const {
  return open("getsockopt").plain().getsockopt(level, name);
}
void ssl_socket::setsockopt(int level, int name, int value) {
  open("setsockopt").plain().setsockopt(level, name, value);
}

std::string ssl_socket::to_string() const {
  if (!connection_) return "<ssl.SSLSocket [closed]>";
  return "<ssl.SSLSocket" +
         connection_->plain().to_string().substr(std::string("<socket.socket").size());
}

}  // namespace v1
}  // namespace pysock
