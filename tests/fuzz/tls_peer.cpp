// SPDX-License-Identifier: MIT
// A TLS peer whose records are changed, dropped, repeated, cut, delayed and mixed with others, in
// the handshake and after it. The checks: the received data are a prefix of the data sent, a failed
// session stays failed, no call waits, and OpenSSL's error queue stays empty.
#define OPENSSL_SUPPRESS_DEPRECATED  // needed to make random numbers repeatable
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <pysock/ssl.hpp>

#include "fuzz.hpp"

namespace sk = pysock;

namespace {

// ---- shared by all runs ----

std::uint64_t random_state = 1;

int random_bytes(unsigned char* out, int size) {
  for (int i = 0; i < size; ++i) {
    random_state ^= random_state << 13U;
    random_state ^= random_state >> 7U;
    random_state ^= random_state << 17U;
    out[i] = static_cast<unsigned char>(random_state >> 32U);
  }
  return 1;
}
int random_status() { return 1; }
constexpr RAND_METHOD same_numbers = {nullptr, random_bytes, nullptr,
                                      nullptr, random_bytes, random_status};

void ok(bool worked) { FUZZ_CHECK(worked); }

std::string pem_of(const std::function<int(BIO*)>& write) {
  BIO* const out = BIO_new(BIO_s_mem());
  ok(write(out) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out, &data);
  std::string pem(data, static_cast<std::size_t>(size));
  BIO_free(out);
  return pem;
}

// A key and a self-signed certificate, for the lifetime of the process.
struct credentials {
  credentials() : key(EVP_EC_gen("P-256")), certificate(X509_new()) {
    ok(key != nullptr && certificate != nullptr);
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    constexpr long day = 86400;
    X509_gmtime_adj(X509_getm_notBefore(certificate), -day);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 365 * day);
    X509_NAME* const name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_set_pubkey(certificate, key);
    X509_EXTENSION* const hosts =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:localhost");
    ok(X509_add_ext(certificate, hosts, -1) == 1);
    X509_EXTENSION_free(hosts);
    ok(X509_sign(certificate, key, EVP_sha256()) > 0);
    certificate_pem = pem_of([&](BIO* out) { return PEM_write_bio_X509(out, certificate); });
    key_pem = pem_of([&](BIO* out) {
      return PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
    });
    unsigned char* bytes = nullptr;
    const int size = i2d_X509(certificate, &bytes);
    ok(size > 0);
    der.assign(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    OPENSSL_free(bytes);
  }

  EVP_PKEY* key;
  X509* certificate;
  std::string certificate_pem;
  std::string key_pem;
  std::string der;
};

struct world {
  world() {
    ok(RAND_set_rand_method(&same_numbers) == 1);
    own = std::make_unique<credentials>();
    for (const bool newest : {false, true}) {
      const sk::TLSVersion version = newest ? sk::TLSVersion::TLSv1_3 : sk::TLSVersion::TLSv1_2;
      client[newest].load_verify_locations(std::nullopt, std::nullopt, own->certificate_pem);
      client[newest].minimum_version(version).maximum_version(version);
      server[newest].load_cert_chain_data(own->certificate_pem, own->key_pem);
      server[newest].minimum_version(version).maximum_version(version);
    }
    peer_context = SSL_CTX_new(TLS_method());
    ok(SSL_CTX_use_certificate(peer_context, own->certificate) == 1);
    ok(SSL_CTX_use_PrivateKey(peer_context, own->key) == 1);
  }

  std::unique_ptr<credentials> own;
  sk::ssl_context client[2] = {sk::ssl_context(sk::PROTOCOL_TLS_CLIENT),
                               sk::ssl_context(sk::PROTOCOL_TLS_CLIENT)};
  sk::ssl_context server[2] = {sk::ssl_context(sk::PROTOCOL_TLS_SERVER),
                               sk::ssl_context(sk::PROTOCOL_TLS_SERVER)};
  SSL_CTX* peer_context = nullptr;
};

const world& shared() {
  static const world made;
  return made;
}

// ---- one run ----

class run {
 public:
  explicit run(fuzz::input& in) : in_(in), peer_(SSL_new(shared().peer_context)) {
    const unsigned choice = in_.byte();
    is_client_ = choice % 2 == 0;
    ragged_ = choice / 4 % 2 == 1;
    const bool newest = choice / 2 % 2 == 0;

    auto [inner, outer] = sk::socketpair();
    if (choice / 8 % 2 == 1) inner.setsockopt(SOL_SOCKET, SO_SNDBUF, 1);  // the system's minimum
    inner.settimeout(0);
    outer.settimeout(0);
    outside_ = std::move(outer);
    const auto options =
        sk::wrap_options().do_handshake_on_connect(false).suppress_ragged_eofs(ragged_);
    library_ = is_client_
                   ? shared().client[newest].wrap_socket(std::move(inner), "localhost", options)
                   : shared().server[newest].wrap_server(std::move(inner), options);

    SSL_set_bio(peer_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    BIO_set_mem_eof_return(SSL_get_rbio(peer_.get()), -1);
    if (is_client_) {
      SSL_set_accept_state(peer_.get());
    } else {
      SSL_set_connect_state(peer_.get());
    }
  }

  void all() {
    if (handshake()) {
      if (is_client_) FUZZ_CHECK(library_.getpeercert_der() == shared().own->der);
      for (int i = 0; i < 40 && !in_.empty() && library_; ++i) {
        call();
        exchange();
      }
      finish();
    }
    std::error_code ec;
    library_.close(ec);
    FUZZ_CHECK(ERR_peek_error() == 0);
    FUZZ_CHECK(!library_);
  }

 private:
  struct release {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  // ---- the peer and its connection ----

  void exchange() {
    receive_from_library();
    if (SSL_is_init_finished(peer_.get()) == 0) (void)SSL_do_handshake(peer_.get());
    read_as_peer();
    ERR_clear_error();
    std::string bytes(static_cast<std::size_t>(BIO_pending(SSL_get_wbio(peer_.get()))), '\0');
    if (!bytes.empty())
      ok(BIO_read(SSL_get_wbio(peer_.get()), bytes.data(), static_cast<int>(bytes.size())) > 0);
    deliver_late();
    while (!bytes.empty()) {
      std::size_t size = bytes.size();
      if (size >= 5)
        size =
            std::min(size, 5 + static_cast<std::size_t>(static_cast<unsigned char>(bytes[3]) * 256 +
                                                        static_cast<unsigned char>(bytes[4])));
      deliver(bytes.substr(0, size));
      bytes.erase(0, size);
    }
  }

  void receive_from_library() {
    char buffer[20000];
    for (;;) {
      std::error_code ec;
      const std::size_t count = outside_.recv_into(buffer, ec);
      if (ec || count == 0) return;
      BIO_write(SSL_get_rbio(peer_.get()), buffer, static_cast<int>(count));
    }
  }

  void read_as_peer() {
    char buffer[4096];
    std::size_t count = 0;
    while (SSL_is_init_finished(peer_.get()) != 0 &&
           SSL_read_ex(peer_.get(), buffer, sizeof buffer, &count) == 1) {
      // The library may have sent a record before it reports it as sent.
      FUZZ_CHECK((sent_ + unsent_).compare(peer_got_, count, std::string(buffer, count)) == 0);
      peer_got_ += count;
    }
  }

  void send_outside(const std::string& bytes) {
    std::error_code ec;
    if (!outside_ended_) (void)outside_.sendall(bytes, ec);
  }

  void hold(const std::string& record) { late_ += record; }

  // Delivers delayed records.
  void deliver_late() {
    const std::string late = std::move(late_);
    late_.clear();
    send_outside(late);
  }

  void deliver(std::string record) {
    const std::size_t how = in_.number(15);
    if (how >= 8 && how < 14) is_clean_ = false;
    switch (how) {
      case 8:  // dropped
        return;
      case 9:  // repeated
        send_outside(record);
        break;
      case 10:  // changed
        record[in_.number(record.size() - 1)] ^= static_cast<char>(1U << in_.number(7));
        break;
      case 11:  // cut
        record.resize(in_.number(record.size() - 1));
        break;
      case 12:  // after others
        send_outside(in_.bytes(in_.number(64)));
        break;
      case 13: {  // after one of another type, well-formed
        const std::string content = in_.bytes(in_.number(64));
        const char head[] = {static_cast<char>(20 + in_.number(4)), 3, 3, 0,
                             static_cast<char>(content.size())};
        send_outside(std::string(head, sizeof head) + content);
        break;
      }
      case 14:  // delivered in two parts
        if (!late_.empty()) return hold(record);
        late_ += record.substr(record.size() / 2);
        record.resize(record.size() / 2);
        break;
      case 15:  // delayed, with all records after it
        return hold(record);
      default:
        if (!late_.empty()) return hold(record);
    }
    send_outside(record);
  }

  // ---- the library ----

  // Checks the result of a call. Sending may fail with an error of OpenSSL in a session that works.
  void checked(const std::error_code& ec, bool sends = false) {
    FUZZ_CHECK(ERR_peek_error() == 0);
    if (lost_) FUZZ_CHECK(ec);
    if (!sends && ec.category() == sk::openssl_category()) lost_ = true;
  }

  // Returns whether the handshake was completed.
  bool handshake() {
    for (int i = 0; i < 30; ++i) {
      std::error_code ec;
      library_.do_handshake(ec);
      checked(ec);
      if (!ec) return true;
      if (ec != sk::ssl_errc::want_read && ec != sk::ssl_errc::want_write) break;
      exchange();
    }
    FUZZ_CHECK(!is_clean_);
    std::error_code ec;
    char byte = 0;
    library_.recv_into(sk::mutable_bytes(&byte, 1), ec);
    FUZZ_CHECK(ec == sk::ssl_errc::handshake_missing);
    return false;
  }

  std::string data(std::size_t size) {
    std::string bytes(size, '\0');
    for (char& c : bytes) c = static_cast<char>('!' + ++count_ % 89);
    return bytes;
  }

  void receive(std::size_t size) {
    std::string buffer(size + 1, '\0');
    std::error_code ec;
    const std::size_t count = library_.recv_into(buffer, ec);
    checked(ec);
    FUZZ_CHECK(!ec || count == 0);
    buffer.resize(count);
    FUZZ_CHECK(peer_sent_.compare(got_, count, buffer) == 0);
    got_ += count;
  }

  void call() {
    std::error_code ec;
    switch (in_.number(9)) {
      case 0:
        return receive(in_.number(20000));
      case 1: {  // a record that was not sent is sent again
        if (unsent_.empty()) unsent_ = data(1 + in_.number(20000));
        const std::size_t count = library_.send(unsent_, ec);
        checked(ec, true);
        sent_.append(unsent_, 0, count);
        if (!ec) unsent_.clear();
        return;
      }
      case 2: {
        const std::string bytes = data(1 + in_.number(20000));
        std::size_t count = 0;
        if (SSL_is_init_finished(peer_.get()) != 0 &&
            SSL_write_ex(peer_.get(), bytes.data(), bytes.size(), &count) == 1)
          peer_sent_.append(bytes, 0, count);
        break;
      }
      case 3:
        if (SSL_version(peer_.get()) == TLS1_3_VERSION) {
          (void)SSL_key_update(peer_.get(), in_.number(1) == 0 ? SSL_KEY_UPDATE_REQUESTED
                                                               : SSL_KEY_UPDATE_NOT_REQUESTED);
        } else {  // the library refuses it, and the peer then ends the session
          is_clean_ = false;
          (void)SSL_renegotiate(peer_.get());
        }
        (void)SSL_do_handshake(peer_.get());
        break;
      case 4:
        is_clean_ = false;
        if (SSL_is_init_finished(peer_.get()) != 0) (void)SSL_shutdown(peer_.get());
        break;
      case 5:
        is_clean_ = false;
        outside_.shutdown(SHUT_WR, ec);
        outside_ended_ = true;
        break;
      case 6:
        is_clean_ = false;
        library_.shutdown(in_.number(1) == 0 ? SHUT_WR : SHUT_RD, ec);
        FUZZ_CHECK(ERR_peek_error() == 0);
        break;
      case 7: {
        is_clean_ = false;
        const sk::socket plain = library_.unwrap(ec);
        checked(ec);
        FUZZ_CHECK(static_cast<bool>(plain) == !ec);
        break;
      }
      case 8:
        FUZZ_CHECK(library_.pending() <= 16384);
        FUZZ_CHECK(library_.version().has_value() && library_.cipher().has_value());
        FUZZ_CHECK(library_.getpeercert().has_value() == is_client_);
        (void)library_.session().resumable();
        break;
      default:
        (void)library_.to_string();
    }
    ERR_clear_error();
  }

  // If no record was changed, all of them arrive.
  void finish() {
    if (!library_) return;
    std::size_t before = 0;
    do {
      before = got_ + peer_got_;
      receive(20000);  // also sends the rest of a record
      exchange();
      receive(20000);
    } while (got_ + peer_got_ > before || !late_.empty());
    if (!is_clean_) return;
    FUZZ_CHECK(got_ == peer_sent_.size());
    FUZZ_CHECK(peer_got_ >= sent_.size());
  }

  fuzz::input& in_;
  std::unique_ptr<SSL, release> peer_;
  sk::socket outside_{nullptr};
  sk::ssl_socket library_{nullptr};
  bool is_client_ = false;
  bool ragged_ = false;
  bool is_clean_ = true;
  bool lost_ = false;
  bool outside_ended_ = false;
  std::string late_;
  std::size_t count_ = 0;
  std::string peer_sent_;
  std::size_t got_ = 0;
  std::string sent_;
  std::string unsent_;
  std::size_t peer_got_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)shared();
  random_state = 88172645463325252U;
  fuzz::input in(data, size);
  run(in).all();
  return 0;
}
