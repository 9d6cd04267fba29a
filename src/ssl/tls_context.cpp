// SPDX-License-Identifier: MIT
// How OpenSSL is set up.
#include "tls_context.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <stdexcept>

#include "errors.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

// Instead of OpenSSL's own, which asks at the terminal.
int no_password(char*, int, int, void*) { return -1; }

// The first of the server's protocols that the client has too.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size,
                    const unsigned char* offered, unsigned offered_size, void* context) {
  const std::string& own = static_cast<const tls_context*>(context)->alpn;
  unsigned char* found = nullptr;
  const int result =
      SSL_select_next_proto(&found, size, reinterpret_cast<const unsigned char*>(own.data()),
                            static_cast<unsigned>(own.size()), offered, offered_size);
  if (result != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_NOACK;
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

tls_context::tls_context(ssl_protocol side)
    : protocol(side),
      handle_(
          SSL_CTX_new(side == PROTOCOL_TLS_SERVER ? TLS_server_method() : TLS_client_method())) {
  if (!handle_) throw_openssl_error("ssl_context");
  SSL_CTX* ctx = get();
  SSL_CTX_set_options(
      ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_default_passwd_cb(ctx, no_password);
  // The system's configuration may ask for more, and has been read.
  if (SSL_CTX_get_min_proto_version(ctx) < TLS1_2_VERSION)
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
  if (SSL_CTX_get_min_proto_version(ctx) > TLS1_2_VERSION) minimum = TLSVersion::TLSv1_3;
  if (SSL_CTX_get_max_proto_version(ctx) == TLS1_2_VERSION) maximum = TLSVersion::TLSv1_2;
  if (side == PROTOCOL_TLS_SERVER) {
    // Without one, sessions of clients with certificates cannot be resumed.
    constexpr unsigned char id[] = {'p', 'y', 's', 'o', 'c', 'k'};
    SSL_CTX_set_session_id_context(ctx, id, sizeof id);
    set_mode(CERT_NONE);
  } else {
    check_hostname = true;
    set_mode(CERT_REQUIRED);
  }
}

void tls_context::set_mode(VerifyMode value) noexcept {
  mode = value;
  const int required = value == CERT_REQUIRED ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  SSL_CTX_set_verify(get(), value == CERT_NONE ? SSL_VERIFY_NONE : SSL_VERIFY_PEER | required,
                     nullptr);
}

void tls_context::set_alpn(const std::vector<std::string>& protocols) {
  constexpr std::size_t longest = 255;
  constexpr std::size_t room = 65535;
  std::string wire;
  for (const std::string& name : protocols) {
    if (name.empty() || name.size() > longest)
      throw std::invalid_argument("ALPN protocols must be 1 to 255 bytes long");
    wire += static_cast<char>(name.size());
    wire += name;
  }
  if (wire.size() > room) throw std::invalid_argument("the ALPN protocols are too many");
  alpn = wire;
  if (protocol == PROTOCOL_TLS_SERVER) {
    SSL_CTX_set_alpn_select_cb(get(), alpn.empty() ? nullptr : choose_protocol, this);
  } else if (SSL_CTX_set_alpn_protos(get(), reinterpret_cast<const unsigned char*>(alpn.data()),
                                     static_cast<unsigned>(alpn.size())) != 0) {
    throw std::bad_alloc();
  }
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
