// SPDX-License-Identifier: MIT
// `ssl()` of Python 2.4, and its objects.
#include <algorithm>
#include <memory>
#include <pysock/ssl_context.hpp>
#include <pysock/ssl_object.hpp>
#include <utility>

#include "certificates.hpp"
#include "errors.hpp"
#include "tls_connection.hpp"

namespace pysock {
inline namespace v1 {

ssl_object::ssl_object(ssl_socket&& session) : session_(std::move(session)) {
  session_.connection_->share_plain();
  session_.shake_hands("ssl");
}

std::string ssl_object::read(std::ptrdiff_t n) {
  constexpr std::size_t piece = 16384;
  const detail::tls_connection& connection = session_.open("read");
  const std::size_t wanted = n < 0 ? std::string::npos : static_cast<std::size_t>(n);
  detail::deadline until(connection.timeout());
  while (received_.size() < wanted) {
    char buffer[piece];
    std::error_code ec;
    if (until.passed(until.now())) ec = errc::timed_out;
    const std::size_t step = (std::min)(wanted - received_.size(), piece);
    // Allocates the memory for keeping the bytes before it receives them.
    if (received_.capacity() - received_.size() < step)
      received_.reserve((std::max)(received_.size() + step, 2 * received_.capacity()));
    std::size_t count = 0;
    if (!ec) count = session_.connection_->read(buffer, step, until, ec);
    if (ec) detail::throw_error(ec, "read", received_.size());
    if (count == 0) break;
    received_.append(buffer, count);
  }
  std::string result = received_.substr(0, wanted);
  received_.erase(0, result.size());
  return result;
}

std::size_t ssl_object::write(const_bytes s) {
  std::error_code ec;
  const std::size_t sent = session_.sendall(s, ec);
  if (ec) detail::throw_error(ec, "write", sent);
  return sent;
}

// The peer has a certificate, because the default ciphers require one.
std::string ssl_object::server() const {
  const std::shared_ptr<const detail::tls_peer> peer = session_.open("server").peer();
  return detail::one_line(X509_get_subject_name(peer->certificate.get()));
}

std::string ssl_object::issuer() const {
  const std::shared_ptr<const detail::tls_peer> peer = session_.open("issuer").peer();
  return detail::one_line(X509_get_issuer_name(peer->certificate.get()));
}

ssl_object ssl(const socket& sock, const std::optional<file_path>& keyfile,
               const std::optional<file_path>& certfile) {
  if (keyfile.has_value() != certfile.has_value())
    detail::throw_error(ssl_errc::key_and_certificate, "ssl");
  ssl_context context(PROTOCOL_TLS_CLIENT);
  context.check_hostname(false).verify_mode(CERT_NONE);
  if (certfile) context.load_cert_chain(*certfile, keyfile);
  return ssl_object(
      context.wrap_socket(sock.dup(), std::nullopt, wrap_options().do_handshake_on_connect(false)));
}

}  // namespace v1
}  // namespace pysock
