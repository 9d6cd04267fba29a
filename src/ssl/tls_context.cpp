// SPDX-License-Identifier: MIT
// The settings of OpenSSL.
#include "tls_context.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <stdexcept>

#include "errors.hpp"
#include "tls_connection.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

// Forward secrecy and no SHA-1, as in Python. The security level is that of the system.
constexpr const char* default_ciphers =
    "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:DHE+AESGCM:DHE+CHACHA20:DHE+AES:"
    "!aNULL:!eNULL:!aDSS:!SHA1:!AESCCM";

// Replaces OpenSSL's callback, which reads from the terminal.
int no_password(char*, int, int, void*) { return -1; }

// Chooses the first of the server's protocols that the client offers.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size,
                    const unsigned char* offered, unsigned offered_size, void* context) {
  const auto* own = static_cast<const tls_context*>(context);
  const std::lock_guard<std::mutex> lock(own->mutex);
  unsigned char* found = nullptr;
  const int result =
      SSL_select_next_proto(&found, size, reinterpret_cast<const unsigned char*>(own->alpn.data()),
                            static_cast<unsigned>(own->alpn.size()), offered, offered_size);
  if (result != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_NOACK;
  // The result points into the client's list, because the server's may change after the lock is
  // released. OpenSSL has found the protocol in both lists.
  while (*offered != *size || std::memcmp(offered + 1, found, *size) != 0) offered += 1 + *offered;
  *chosen = offered + 1;
  return SSL_TLSEXT_ERR_OK;
}

int context_index() noexcept {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

void log_key(const SSL* ssl, const char* line) {
  auto* context =
      static_cast<tls_context*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), context_index()));
  if (context == nullptr) return;
  const std::lock_guard<std::mutex> lock(context->mutex);
  if (!context->keylog) return;
  BIO_puts(context->keylog.get(), line);
  BIO_puts(context->keylog.get(), "\n");
  (void)BIO_flush(context->keylog.get());
}

std::uint64_t next_id() noexcept {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

}  // namespace

tls_context::tls_context(ssl_protocol side)
    : protocol(side),
      id_(next_id()),
      handle_(
          SSL_CTX_new(side == PROTOCOL_TLS_SERVER ? TLS_server_method() : TLS_client_method())) {
  if (!handle_) throw_openssl_error("ssl_context");
  SSL_CTX* ctx = get();
  SSL_CTX_set_options(
      ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_default_passwd_cb(ctx, no_password);
  if (SSL_CTX_set_ex_data(ctx, context_index(), this) != 1) throw_no_memory();
  if (SSL_CTX_set_cipher_list(ctx, default_ciphers) != 1) throw_openssl_error("ssl_context");
  // Keeps a higher minimum of the system's configuration.
  if (SSL_CTX_get_min_proto_version(ctx) < TLS1_2_VERSION)
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
  if (SSL_CTX_get_min_proto_version(ctx) > TLS1_2_VERSION) minimum = TLSVersion::TLSv1_3;
  if (SSL_CTX_get_max_proto_version(ctx) == TLS1_2_VERSION) maximum = TLSVersion::TLSv1_2;
  if (side == PROTOCOL_TLS_SERVER) {
    // Tickets are sent with the first data. Sent separately they could arrive after the client has
    // closed, whose reset would destroy the data that it sent last.
    SSL_CTX_set_num_tickets(ctx, 0);
    SSL_CTX_set_client_hello_cb(ctx, tls_connection::on_client_hello, nullptr);
    set_mode(CERT_NONE);
  } else {
    rules.check_hostname = true;
    set_mode(CERT_REQUIRED);
  }
  next_generation();
  ERR_clear_error();  // calls that succeed may leave errors
}

// A program may keep OpenSSL's object longer than this one.
tls_context::~tls_context() {
  SSL_CTX_set_ex_data(get(), context_index(), nullptr);
  SSL_CTX_set_alpn_select_cb(get(), nullptr, nullptr);
}

ssl_handle tls_context::new_session(tls_rules& of_now) const {
  const std::lock_guard<std::mutex> lock(mutex);
  of_now = rules;
  ssl_handle session(SSL_new(get()));
  if (!session) throw_openssl_error("SSL_new");
  return session;
}

std::shared_ptr<const tls_context> tls_context::chosen_for(const std::string& name) const {
  choose_context copy;
  {
    const std::lock_guard<std::mutex> lock(mutex);
    copy = choose;
  }
  return copy ? copy(name) : nullptr;
}

void tls_context::next_generation() noexcept {
  ++rules.generation;
  if (protocol != PROTOCOL_TLS_SERVER) return;
  // Tickets are valid only for the context and the rules with which they were issued.
  unsigned char id[2 * sizeof(std::uint64_t)];
  std::memcpy(id, &id_, sizeof id_);
  std::memcpy(id + sizeof id_, &rules.generation, sizeof rules.generation);
  SSL_CTX_set_session_id_context(get(), id, sizeof id);
}

void tls_context::set_mode(VerifyMode value) noexcept {
  rules.mode = value;
  const int required = value == CERT_REQUIRED ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  SSL_CTX_set_verify(get(), value == CERT_NONE ? SSL_VERIFY_NONE : SSL_VERIFY_PEER | required,
                     nullptr);
}

void tls_context::set_alpn(const std::vector<std::string>& protocols) {
  constexpr std::size_t longest = 255;
  constexpr std::size_t most = 65535;
  std::string encoded;
  for (const std::string& name : protocols) {
    if (name.empty() || name.size() > longest)
      throw std::invalid_argument("ALPN protocols must be 1 to 255 bytes long");
    encoded += static_cast<char>(name.size());
    encoded += name;
  }
  if (encoded.size() > most) throw std::invalid_argument("the ALPN list exceeds 65535 bytes");
  const std::lock_guard<std::mutex> lock(mutex);
  alpn = std::move(encoded);
  if (protocol == PROTOCOL_TLS_SERVER) {
    SSL_CTX_set_alpn_select_cb(get(), alpn.empty() ? nullptr : choose_protocol, this);
  } else if (SSL_CTX_set_alpn_protos(get(), reinterpret_cast<const unsigned char*>(alpn.data()),
                                     static_cast<unsigned>(alpn.size())) != 0) {
    throw_no_memory();
  }
}

void tls_context::set_keylog(const std::string& path) {
  ERR_clear_error();
  bio_handle file;
  if (!path.empty()) {
    file.reset(BIO_new_file(path.c_str(), "a"));
    if (!file) throw_openssl_error("keylog_filename '" + path + "'");
  }
  const std::lock_guard<std::mutex> lock(mutex);
  keylog_path = path;
  keylog = std::move(file);
  SSL_CTX_set_keylog_callback(get(), keylog ? log_key : nullptr);
}

bool tls_context::trusts_nobody() const noexcept {
  const std::lock_guard<std::mutex> lock(mutex);
  X509_STORE* store = SSL_CTX_get_cert_store(get());
  X509_STORE_lock(store);
  const bool empty = sk_X509_OBJECT_num(X509_STORE_get0_objects(store)) == 0;
  X509_STORE_unlock(store);
  return empty && !has_folder;
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
