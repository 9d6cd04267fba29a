// SPDX-License-Identifier: MIT
// The other end of the sessions under test: OpenSSL over memory, whose bytes go through a socket
// without waiting. It acts only when it is told to, in the thread of the test.
#pragma once

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <pysock/ssl.hpp>
#include <stdexcept>
#include <string>

#include "sockets.hpp"

namespace faults {

// What is under test: a client or a server, and the version that its peer permits.
struct end_kind {
  const char* name;
  bool is_server;
  int version;
};

constexpr end_kind all_kinds[] = {{"client 1.3", false, TLS1_3_VERSION},
                                  {"client 1.2", false, TLS1_2_VERSION},
                                  {"server 1.3", true, TLS1_3_VERSION},
                                  {"server 1.2", true, TLS1_2_VERSION}};

// More than a short string holds.
constexpr const char* host_name = "a-long-name-of-a-host.example.test";

// A certificate for the name above, signed with its own key, for both ends.
class credentials {
 public:
  static const credentials& get() {
    static const credentials only;
    return only;
  }
  [[nodiscard]] std::string certificate_pem() const {
    return pem([this](BIO* out) { return PEM_write_bio_X509(out, certificate.get()); });
  }
  [[nodiscard]] std::string key_pem() const {
    return pem([this](BIO* out) {
      return PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
  }
  // A list of revoked certificates, which is empty.
  [[nodiscard]] std::string revocation_pem() const {
    const std::unique_ptr<X509_CRL, decltype(&X509_CRL_free)> made(X509_CRL_new(), X509_CRL_free);
    X509_CRL_set_version(made.get(), X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(made.get(), X509_get_subject_name(certificate.get()));
    X509_CRL_set1_lastUpdate(made.get(), X509_get0_notBefore(certificate.get()));
    X509_CRL_set1_nextUpdate(made.get(), X509_get0_notAfter(certificate.get()));
    if (X509_CRL_sign(made.get(), key.get(), EVP_sha256()) == 0)
      throw std::runtime_error("no revocation list");
    return pem([&made](BIO* out) { return PEM_write_bio_X509_CRL(out, made.get()); });
  }

  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{EVP_EC_gen("P-256"), EVP_PKEY_free};
  std::unique_ptr<X509, decltype(&X509_free)> certificate{X509_new(), X509_free};

 private:
  credentials() {
    X509* const made = certificate.get();
    X509_set_version(made, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
    X509_gmtime_adj(X509_getm_notBefore(made), -3600);
    X509_gmtime_adj(X509_getm_notAfter(made), 86400);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("pysock"), -1, -1, 0);
    X509_set_issuer_name(made, X509_get_subject_name(made));
    X509_EXTENSION* const names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name,
                                                      (std::string("DNS:") + host_name).c_str());
    X509_add_ext(made, names, -1);
    X509_EXTENSION_free(names);
    X509_set_pubkey(made, key.get());
    if (X509_sign(made, key.get(), EVP_sha256()) == 0) throw std::runtime_error("no certificate");
  }

  template <class Write>
  static std::string pem(const Write& write) {
    const std::unique_ptr<BIO, decltype(&BIO_free_all)> out(BIO_new(BIO_s_mem()), BIO_free_all);
    write(out.get());
    char* text = nullptr;
    const long size = BIO_get_mem_data(out.get(), &text);
    return {text, static_cast<std::size_t>(size)};
  }
};

// Keeps no sessions, whose memory would grow with every run.
inline void keep_no_sessions(SSL_CTX* context) {
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

class tls_peer {
 public:
  // `asks_client`: a server asks the client for its certificate.
  tls_peer(sk::socket&& plain, const end_kind& of_other, bool asks_client)
      : plain_(std::move(plain)), ssl_(SSL_new(context(!of_other.is_server)), SSL_free) {
    plain_.settimeout(0);
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(in_, -1);
    SSL_set_bio(ssl_.get(), in_, out_);
    SSL_set_min_proto_version(ssl_.get(), of_other.version);
    SSL_set_max_proto_version(ssl_.get(), of_other.version);
    if (of_other.is_server) {
      SSL_set_connect_state(ssl_.get());
      SSL_set_tlsext_host_name(ssl_.get(), host_name);
    } else {
      SSL_set_accept_state(ssl_.get());
      if (!asks_client) SSL_set_verify(ssl_.get(), SSL_VERIFY_NONE, nullptr);
    }
  }

  // Takes what has come, and sends what there is to say.
  void move() {
    if (!plain_) return;
    ERR_clear_error();
    take();
    char buffer[16384];
    for (int count = 1; count > 0;) {
      count = SSL_read(ssl_.get(), buffer, sizeof buffer);
      if (count > 0) got_.append(buffer, static_cast<std::size_t>(count));
    }
    if (answers_end_ && sees_end()) SSL_shutdown(ssl_.get());
    ERR_clear_error();
    speak();
    if (answers_end_ && closes_ && at_end_) plain_.close();
  }
  // One record.
  void say(const std::string& data) {
    SSL_write(ssl_.get(), data.data(), static_cast<int>(data.size()));
    speak();
  }
  // Asks the other end for new keys.
  void change_keys() { SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_REQUESTED); }
  void say_end() {
    SSL_shutdown(ssl_.get());
    speak();
  }
  // Answers the closing alert with its own, and the end of the connection by closing it.
  void answer_end(bool closes = true) noexcept {
    answers_end_ = true;
    closes_ = closes;
  }

  [[nodiscard]] const std::string& got() const noexcept { return got_; }
  // Whether the closing alert has come.
  [[nodiscard]] bool sees_end() const {
    return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
  }
  [[nodiscard]] sk::socket& plain() noexcept { return plain_; }

 private:
  static SSL_CTX* context(bool is_server) {
    static SSL_CTX* const client = make(TLS_client_method());
    static SSL_CTX* const server = make(TLS_server_method());
    return is_server ? server : client;
  }
  static SSL_CTX* make(const SSL_METHOD* method) {
    SSL_CTX* const made = SSL_CTX_new(method);
    SSL_CTX_use_certificate(made, credentials::get().certificate.get());
    SSL_CTX_use_PrivateKey(made, credentials::get().key.get());
    // Accepts every certificate.
    SSL_CTX_set_verify(made, SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
    keep_no_sessions(made);
    return made;
  }

  void take() {
    char buffer[16384];
    std::error_code ec;
    while (const std::size_t count = plain_.recv_into(buffer, ec))
      BIO_write(in_, buffer, static_cast<int>(count));
    at_end_ = at_end_ || !ec;
  }
  void speak() {
    char* bytes = nullptr;
    for (long size = 1; (size = BIO_get_mem_data(out_, &bytes)) > 0;) {
      std::error_code ec;
      const std::size_t count = plain_.send({bytes, static_cast<std::size_t>(size)}, ec);
      if (count == 0) return;
      std::string gone(count, '\0');
      BIO_read(out_, gone.data(), static_cast<int>(count));
    }
  }

  sk::socket plain_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  BIO* in_ = nullptr;
  BIO* out_ = nullptr;
  std::string got_;
  bool answers_end_ = false;
  bool closes_ = false;
  bool at_end_ = false;
};

// Contexts of the library, which live as long as the process.
inline sk::ssl_context& client_context() {
  static sk::ssl_context& made = *[] {
    auto* const context = new sk::ssl_context(sk::PROTOCOL_TLS_CLIENT);
    const credentials& own = credentials::get();
    context->load_verify_locations(std::nullopt, std::nullopt, own.certificate_pem());
    context->load_cert_chain_data(own.certificate_pem(), own.key_pem());
    keep_no_sessions(static_cast<SSL_CTX*>(context->native_handle()));
    return context;
  }();
  return made;
}
inline sk::ssl_context& server_context(bool asks_client) {
  static const auto make = [](bool asks) {
    auto* const context = new sk::ssl_context(sk::PROTOCOL_TLS_SERVER);
    const credentials& own = credentials::get();
    context->load_cert_chain_data(own.certificate_pem(), own.key_pem());
    context->load_verify_locations(std::nullopt, std::nullopt, own.certificate_pem());
    if (asks) context->verify_mode(sk::CERT_REQUIRED);
    keep_no_sessions(static_cast<SSL_CTX*>(context->native_handle()));
    return context;
  };
  static sk::ssl_context* const contexts[] = {make(false), make(true)};
  return *contexts[asks_client ? 1 : 0];
}

inline sk::ssl_socket wrapped(sk::socket&& plain, const end_kind& kind, bool asks_client,
                              bool shakes_hands = false) {
  const auto options = sk::wrap_options().do_handshake_on_connect(shakes_hands);
  return kind.is_server ? server_context(asks_client).wrap_server(std::move(plain), options)
                        : client_context().wrap_socket(std::move(plain), host_name, options);
}

}  // namespace faults
