// SPDX-License-Identifier: MIT
// ssl_context: its settings, and the connections it makes.
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <cstdlib>
#include <pysock/detail/socket_access.hpp>
#include <stdexcept>
#include <utility>

#include "errors.hpp"
#include "tls_connection.hpp"
#include "tls_context.hpp"

namespace pysock {
inline namespace v1 {
namespace {

using context_lock = std::lock_guard<std::mutex>;

[[noreturn]] void refuse(const char* operation, const char* why) {
  throw std::invalid_argument(std::string(operation) + ": " + why);
}

// The number of a version for the minimum or the maximum.
int version_number(TLSVersion value, const char* operation) {
  switch (value) {
    case TLSVersion::MINIMUM_SUPPORTED:
    case TLSVersion::TLSv1_2:
      return TLS1_2_VERSION;
    case TLSVersion::MAXIMUM_SUPPORTED:
    case TLSVersion::TLSv1_3:
      return TLS1_3_VERSION;
  }
  refuse(operation, "not a supported version of TLS");
}

// The checks before anything is sent.
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
  const context_lock guard(context_->mutex);
  if (value == CERT_NONE && context_->rules.check_hostname) {
    throw std::invalid_argument(
        "Cannot set verify_mode to CERT_NONE when check_hostname is enabled.");
  }
  context_->set_mode(value);
  context_->next_generation();
  return *this;
}

VerifyMode ssl_context::verify_mode() const noexcept {
  const context_lock guard(context_->mutex);
  return context_->rules.mode;
}

ssl_context& ssl_context::check_hostname(bool value) {
  if (value && context_->protocol == PROTOCOL_TLS_SERVER)
    refuse("check_hostname", "a server has no name to compare");
  const context_lock guard(context_->mutex);
  context_->rules.check_hostname = value;
  if (value && context_->rules.mode == CERT_NONE) context_->set_mode(CERT_REQUIRED);
  context_->next_generation();
  return *this;
}

bool ssl_context::check_hostname() const noexcept {
  const context_lock guard(context_->mutex);
  return context_->rules.check_hostname;
}

ssl_context& ssl_context::verify_flags(unsigned long value) {
  const context_lock guard(context_->mutex);
  X509_VERIFY_PARAM* rules = SSL_CTX_get0_param(context_->get());
  const unsigned long extra = X509_VERIFY_PARAM_get_flags(rules) & ~value;
  ERR_clear_error();
  // Not covered: OpenSSL has no flags that cannot be set or cleared.
  if (X509_VERIFY_PARAM_clear_flags(rules, extra) != 1 ||
      X509_VERIFY_PARAM_set_flags(rules, value) != 1) {
    detail::throw_openssl_error("verify_flags");
  }
  context_->next_generation();
  return *this;
}

unsigned long ssl_context::verify_flags() const noexcept {
  const context_lock guard(context_->mutex);
  return X509_VERIFY_PARAM_get_flags(SSL_CTX_get0_param(context_->get()));
}

ssl_context& ssl_context::minimum_version(TLSVersion value) {
  const int number = version_number(value, "minimum_version");
  const context_lock guard(context_->mutex);
  if (number > version_number(context_->maximum, "minimum_version"))
    refuse("minimum_version", "it is above maximum_version");
  ERR_clear_error();
  // Not covered: only an OpenSSL that was built without this version fails here.
  if (SSL_CTX_set_min_proto_version(context_->get(), number) != 1)
    detail::throw_openssl_error("minimum_version");
  context_->minimum = value;
  context_->next_generation();
  return *this;
}

TLSVersion ssl_context::minimum_version() const noexcept {
  const context_lock guard(context_->mutex);
  return context_->minimum;
}

ssl_context& ssl_context::maximum_version(TLSVersion value) {
  const int number = version_number(value, "maximum_version");
  const context_lock guard(context_->mutex);
  if (number < version_number(context_->minimum, "maximum_version"))
    refuse("maximum_version", "it is below minimum_version");
  ERR_clear_error();
  // 0: the newest version of OpenSSL.
  const int newest = value == TLSVersion::MAXIMUM_SUPPORTED ? 0 : number;
  // Not covered: only an OpenSSL that was built without this version fails here.
  if (SSL_CTX_set_max_proto_version(context_->get(), newest) != 1)
    detail::throw_openssl_error("maximum_version");
  context_->maximum = value;
  return *this;
}

TLSVersion ssl_context::maximum_version() const noexcept {
  const context_lock guard(context_->mutex);
  return context_->maximum;
}

void ssl_context::set_ciphers(const text& ciphers) {
  if (ciphers.view().find('\0') != std::string_view::npos)
    detail::throw_error(bad_argument::embedded_null, "set_ciphers");
  const context_lock guard(context_->mutex);
  ERR_clear_error();
  if (SSL_CTX_set_cipher_list(context_->get(), ciphers.str().c_str()) != 1)
    detail::throw_openssl_error("set_ciphers");
  context_->next_generation();
}

ssl_context& ssl_context::num_tickets(int value) {
  if (context_->protocol != PROTOCOL_TLS_SERVER)
    refuse("num_tickets", "only a server issues tickets");
  if (value < 0) refuse("num_tickets", "the number must not be negative");
  const context_lock guard(context_->mutex);
  context_->rules.tickets = value;
  return *this;
}

int ssl_context::num_tickets() const noexcept {
  const context_lock guard(context_->mutex);
  return context_->rules.tickets;
}

ssl_context& ssl_context::sni_callback(
    std::function<const ssl_context*(const std::string& server_name)> choose) {
  if (context_->protocol != PROTOCOL_TLS_SERVER)
    refuse("sni_callback", "only a server is asked for a name");
  detail::tls_context::choose_context chosen;
  if (choose) {
    chosen = [call = std::move(choose)](
                 const std::string& name) -> std::shared_ptr<const detail::tls_context> {
      const ssl_context* found = call(name);
      return found != nullptr ? found->context_ : nullptr;
    };
  }
  const context_lock guard(context_->mutex);
  context_->choose = std::move(chosen);
  return *this;
}

ssl_context& ssl_context::keylog_filename(const file_path& path) {
  if (path.view().find('\0') != std::string_view::npos)
    detail::throw_error(bad_argument::embedded_null, "keylog_filename");
  context_->set_keylog(path.str());
  return *this;
}

std::string ssl_context::keylog_filename() const {
  const context_lock guard(context_->mutex);
  return context_->keylog_path;
}

void* ssl_context::native_handle() const noexcept { return context_ ? context_->get() : nullptr; }

void ssl_context::set_alpn_protocols(const std::vector<std::string>& protocols) {
  context_->set_alpn(protocols);
}

ssl_socket ssl_context::wrap_socket(socket&& s, const std::optional<text>& server_hostname,
                                    const wrap_options& options) const {
  socket plain = std::move(s);  // closed if an exception is thrown from here on
  const char* operation = "wrap_socket";
  if (context_->protocol != PROTOCOL_TLS_CLIENT) refuse(operation, "the context is a server's");
  if (!server_hostname && check_hostname())
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
  if (options.session()) refuse(operation, "a session is only valid for clients");
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
  // A program with more rights than its user must not write to a file that the user chooses.
  // Not covered: the tests do not run with more rights than their user.
  const char* keylog = OPENSSL_issetugid() == 0 ? std::getenv("SSLKEYLOGFILE") : nullptr;
  if (keylog != nullptr && *keylog != '\0') made.keylog_filename(keylog);
  return made;
}

}  // namespace v1
}  // namespace pysock
