// SPDX-License-Identifier: MIT
// TLS records whose system calls and allocations are counted: with pysock, and with OpenSSL's
// functions (hand_).
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <pysock/ssl.hpp>
#include <thread>

#include "../contender.hpp"

namespace {

std::string text_of(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(memory);
  return text;
}

// A certificate and its key, made for this run.
struct identity {
  identity() : key(EVP_EC_gen("P-256")), certificate(X509_new()) {
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    bench::check(X509_sign(certificate, key, EVP_sha256()) != 0, "X509_sign");
  }
  identity(const identity&) = delete;
  identity& operator=(const identity&) = delete;
  ~identity() {
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  [[nodiscard]] std::string key_text() const {
    BIO* memory = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(memory, key, nullptr, nullptr, 0, nullptr, nullptr);
    return text_of(memory);
  }
  [[nodiscard]] std::string certificate_text() const {
    BIO* memory = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(memory, certificate);
    return text_of(memory);
  }

  EVP_PKEY* key;
  X509* certificate;
};

class session {
 public:
  session() {
    const identity own;
    pysock::ssl_context server(pysock::PROTOCOL_TLS_SERVER);
    server.load_cert_chain_data(own.certificate_text(), own.key_text());
    pysock::ssl_context client(pysock::PROTOCOL_TLS_CLIENT);
    client.check_hostname(false).verify_mode(pysock::CERT_NONE);
    auto ends = pysock::socketpair();
    std::thread accepting([&] { server_ = server.wrap_server(std::move(ends.second)); });
    client_ = client.wrap_socket(std::move(ends.first), std::nullopt);
    accepting.join();
  }
  void send(const char* data, std::size_t size) { server_.sendall({data, size}); }
  std::size_t recv_into(char* data, std::size_t size) { return client_.recv_into({data, size}); }

 private:
  pysock::ssl_socket server_{nullptr};
  pysock::ssl_socket client_{nullptr};
};

class hand_session {
 public:
  hand_session() {
    const identity own;
    SSL_CTX* server = SSL_CTX_new(TLS_server_method());
    SSL_CTX* client = SSL_CTX_new(TLS_client_method());
    SSL_CTX_use_certificate(server, own.certificate);
    SSL_CTX_use_PrivateKey(server, own.key);
    const bench::pair ends = bench::connected(AF_UNIX);
    server_ = SSL_new(server);
    client_ = SSL_new(client);
    SSL_set_fd(server_, ends.near);
    SSL_set_fd(client_, ends.far);
    std::thread accepting([this] { bench::check(SSL_accept(server_) == 1, "SSL_accept"); });
    bench::check(SSL_connect(client_) == 1, "SSL_connect");
    accepting.join();
  }
  void send(const char* data, std::size_t size) {
    bench::check(SSL_write(server_, data, static_cast<int>(size)) == static_cast<int>(size),
                 "SSL_write");
  }
  std::size_t recv_into(char* data, std::size_t size) {
    return static_cast<std::size_t>(SSL_read(client_, data, static_cast<int>(size)));
  }

 private:
  SSL* server_;
  SSL* client_;
};

// One record from one end to the other, in one thread.
template <class Session, std::size_t size>
void record(bench::meter& measure) {
  Session both;
  static char data[size] = {};
  const auto once = [&both] {
    both.send(data, size);
    bench::check(both.recv_into(data, size) == size, "record");
  };
  once();  // receives the tickets, too
  measure(once);
}

}  // namespace

std::vector<bench::workload> bench::workloads() {
  return {
      {"tls_64", record<session, 64>},
      {"tls_16384", record<session, 16384>},
      {"hand_tls_64", record<hand_session, 64>},
      {"hand_tls_16384", record<hand_session, 16384>},
  };
}
