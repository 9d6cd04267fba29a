// SPDX-License-Identifier: MIT
// ssl_context: its settings, and the connections it makes.
#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <pysock/detail/socket_access.hpp>
#include <stdexcept>
#include <utility>

#include "errors.hpp"
#include "tls_connection.hpp"
#include "tls_context.hpp"

namespace pysock {
inline namespace v1 {
namespace {

int version_number(TLSVersion value) noexcept {
  if (value == TLSVersion::MINIMUM_SUPPORTED) return TLS1_2_VERSION;
  return value == TLSVersion::MAXIMUM_SUPPORTED ? 0 : static_cast<int>(value);
}

[[noreturn]] void refuse(const char* operation, const char* why) {
  throw std::invalid_argument(std::string(operation) + ": " + why);
}

// What must hold before anything is sent.
void check(const socket& s, const wrap_options& options, const char* operation) {
  detail::sockaddr_any peer;
  socklen_t size = sizeof peer;
  if (s && s.type() != SOCK_STREAM) detail::throw_error(bad_argument::not_stream, operation);
  const int result = detail::sys::getpeername(s.fileno(), &peer.base, &size);
  if (result < 0) detail::throw_result(result, operation);
  if (options.do_handshake_on_connect() && !s.getblocking()) {
    refuse(operation, "do_handshake_on_connect should not be specified for non-blocking sockets");
  }
}

}  // namespace

ssl_context::ssl_context(ssl_protocol protocol)
    : context_(std::make_shared<detail::tls_context>(protocol)) {}
ssl_context::~ssl_context() = default;

ssl_context& ssl_context::verify_mode(VerifyMode value) {
  if (value == CERT_NONE && context_->check_hostname) {
    throw std::invalid_argument(
        "Cannot set verify_mode to CERT_NONE when check_hostname is enabled.");
  }
  context_->set_mode(value);
  return *this;
}

VerifyMode ssl_context::verify_mode() const noexcept { return context_->mode; }

ssl_context& ssl_context::check_hostname(bool value) noexcept {
  context_->check_hostname = value;
  if (value && context_->mode == CERT_NONE) context_->set_mode(CERT_REQUIRED);
  return *this;
}

bool ssl_context::check_hostname() const noexcept { return context_->check_hostname; }

ssl_context& ssl_context::verify_flags(unsigned long value) {
  X509_VERIFY_PARAM* rules = SSL_CTX_get0_param(context_->get());
  const unsigned long extra = X509_VERIFY_PARAM_get_flags(rules) & ~value;
  ERR_clear_error();
  if (X509_VERIFY_PARAM_clear_flags(rules, extra) != 1 ||
      X509_VERIFY_PARAM_set_flags(rules, value) != 1) {
    detail::throw_openssl_error("verify_flags");
  }
  return *this;
}

unsigned long ssl_context::verify_flags() const noexcept {
  return X509_VERIFY_PARAM_get_flags(SSL_CTX_get0_param(context_->get()));
}

ssl_context& ssl_context::minimum_version(TLSVersion value) {
  // The newest of all has no number of its own.
  const int number =
      value == TLSVersion::MAXIMUM_SUPPORTED ? TLS1_3_VERSION : version_number(value);
  ERR_clear_error();
  if (SSL_CTX_set_min_proto_version(context_->get(), number) != 1)
    detail::throw_openssl_error("minimum_version");
  context_->minimum = value;
  return *this;
}

TLSVersion ssl_context::minimum_version() const noexcept { return context_->minimum; }

ssl_context& ssl_context::maximum_version(TLSVersion value) {
  ERR_clear_error();
  if (SSL_CTX_set_max_proto_version(context_->get(), version_number(value)) != 1)
    detail::throw_openssl_error("maximum_version");
  context_->maximum = value;
  return *this;
}

TLSVersion ssl_context::maximum_version() const noexcept { return context_->maximum; }

void ssl_context::set_ciphers(const text& ciphers) {
  if (ciphers.view().find('\0') != std::string_view::npos)
    detail::throw_error(bad_argument::embedded_null, "set_ciphers");
  ERR_clear_error();
  if (SSL_CTX_set_cipher_list(context_->get(), ciphers.str().c_str()) != 1)
    detail::throw_openssl_error("set_ciphers");
}

void ssl_context::set_alpn_protocols(const std::vector<std::string>& protocols) {
  context_->set_alpn(protocols);
}

ssl_socket ssl_context::wrap_socket(socket&& s, const std::optional<text>& server_hostname,
                                    const wrap_options& options) const {
  socket plain = std::move(s);  // closed by whatever is thrown from here on
  const char* operation = "wrap_socket";
  if (context_->protocol != PROTOCOL_TLS_CLIENT) refuse(operation, "the context is a server's");
  if (!server_hostname && context_->check_hostname)
    refuse(operation, "check_hostname requires server_hostname");
  detail::peer_name name;
  if (server_hostname) name = detail::peer_name(server_hostname->view(), operation);
  const detail::tls_session* session = options.session().session_.get();
  if (session != nullptr && session->context != context_)
    refuse(operation, "Session refers to a different SSLContext.");
  if (session != nullptr && session->host != name.given())
    refuse(operation, "the session is one with another host");
  check(plain, options, operation);

  ssl_socket made(std::make_shared<detail::tls_connection>(
      context_, std::move(plain), std::move(name), options.suppress_ragged_eofs()));
  if (session != nullptr) made.connection_->resume(*session);
  if (options.do_handshake_on_connect()) made.shake_hands(operation);
  return made;
}

ssl_socket ssl_context::wrap_server(socket&& s, const wrap_options& options) const {
  socket plain = std::move(s);
  const char* operation = "wrap_server";
  if (context_->protocol != PROTOCOL_TLS_SERVER) refuse(operation, "the context is a client's");
  if (options.session()) refuse(operation, "sessions are for clients to bring");
  check(plain, options, operation);

  ssl_socket made(std::make_shared<detail::tls_connection>(
      context_, std::move(plain), detail::peer_name(), options.suppress_ragged_eofs()));
  if (options.do_handshake_on_connect()) made.shake_hands(operation);
  return made;
}

ssl_context create_default_context(Purpose purpose, const std::optional<file_path>& cafile) {
  ssl_context made(purpose == Purpose::SERVER_AUTH ? PROTOCOL_TLS_CLIENT : PROTOCOL_TLS_SERVER);
  made.verify_flags(made.verify_flags() | VERIFY_X509_PARTIAL_CHAIN | VERIFY_X509_STRICT);
  if (cafile) {
    made.load_verify_locations(cafile);
  } else if (made.verify_mode() != CERT_NONE) {
    made.load_default_certs();
  }
  return made;
}

}  // namespace v1
}  // namespace pysock
