// SPDX-License-Identifier: MIT
#include <filesystem>
#include <pysock/ssl_context.hpp>

#include <openssl/conf.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <climits>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>

#include "ssl/tls.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/temporary_directory.hpp"

namespace sk = pysock;
using namespace test_support;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// What the system's administrator sets for every program that uses OpenSSL.
class system_configuration {
 public:
  explicit system_configuration(const std::string& settings) { load("system_default", settings); }
  system_configuration(const system_configuration&) = delete;
  system_configuration& operator=(const system_configuration&) = delete;
  ~system_configuration() {
    load("nothing", "MinProtocol = TLSv1.2");
    (void)CONF_modules_load_file(nullptr, nullptr,
                                 CONF_MFLAGS_DEFAULT_SECTION | CONF_MFLAGS_IGNORE_MISSING_FILE);
  }

 private:
  void load(const std::string& name, const std::string& settings) {
    const std::string path = folder_ / "openssl.cnf";
    std::ofstream(path) << "openssl_conf = modules\n[modules]\nssl_conf = names\n[names]\n"
                        << name << " = settings\n[settings]\n"
                        << settings << '\n';
    CHECK(CONF_modules_load_file(path.c_str(), nullptr, 0) == 1);
  }

  temporary_directory folder_;
};

}  // namespace

TEST_CASE("a new context verifies strictly", "[ssl]") {
  const sk::ssl_context client = sk::create_default_context();
  CHECK(client.verify_mode() == sk::CERT_REQUIRED);
  CHECK(client.check_hostname());
  CHECK(client.minimum_version() == sk::TLSVersion::TLSv1_2);
  CHECK(client.maximum_version() == sk::TLSVersion::MAXIMUM_SUPPORTED);
  CHECK((client.verify_flags() & sk::VERIFY_X509_STRICT) != 0);
  CHECK((client.verify_flags() & sk::VERIFY_X509_PARTIAL_CHAIN) != 0);

  const sk::ssl_context bare(sk::PROTOCOL_TLS_CLIENT);
  CHECK(bare.verify_mode() == sk::CERT_REQUIRED);
  CHECK(bare.check_hostname());
  CHECK((bare.verify_flags() & sk::VERIFY_X509_STRICT) == 0);

  const sk::ssl_context server = sk::create_default_context(sk::Purpose::CLIENT_AUTH);
  CHECK(server.verify_mode() == sk::CERT_NONE);
  CHECK_FALSE(server.check_hostname());
}

TEST_CASE("verify_mode and check_hostname cannot contradict each other", "[ssl]") {
  sk::ssl_context context(sk::PROTOCOL_TLS_CLIENT);
  CHECK(message_of([&] { context.verify_mode(sk::CERT_NONE); }) ==
        "Cannot set verify_mode to CERT_NONE when check_hostname is enabled.");
  CHECK(context.verify_mode() == sk::CERT_REQUIRED);
  context.check_hostname(false).verify_mode(sk::CERT_NONE);
  CHECK(context.verify_mode() == sk::CERT_NONE);
  context.check_hostname(true);
  CHECK(context.verify_mode() == sk::CERT_REQUIRED);
}

TEST_CASE("settings return the values that were set", "[ssl]") {
  sk::ssl_context context(sk::PROTOCOL_TLS_CLIENT);
  context.verify_flags(sk::VERIFY_X509_STRICT | sk::VERIFY_CRL_CHECK_LEAF);
  CHECK(context.verify_flags() == (sk::VERIFY_X509_STRICT | sk::VERIFY_CRL_CHECK_LEAF));
  context.verify_flags(sk::VERIFY_DEFAULT);
  CHECK(context.verify_flags() == 0);
  context.minimum_version(sk::TLSVersion::TLSv1_3).maximum_version(sk::TLSVersion::TLSv1_3);
  CHECK(context.minimum_version() == sk::TLSVersion::TLSv1_3);
  CHECK(context.maximum_version() == sk::TLSVersion::TLSv1_3);
  context.minimum_version(sk::TLSVersion::MINIMUM_SUPPORTED);
  CHECK(context.minimum_version() == sk::TLSVersion::MINIMUM_SUPPORTED);
  auto* native = static_cast<SSL_CTX*>(context.native_handle());
  CHECK(SSL_CTX_get_min_proto_version(native) == TLS1_2_VERSION);
}

TEST_CASE("a new context keeps stricter versions of the system's configuration", "[ssl]") {
  const struct {
    const char* settings;
    sk::TLSVersion minimum;
    sk::TLSVersion maximum;
  } rows[] = {
      {"MinProtocol = TLSv1", sk::TLSVersion::TLSv1_2, sk::TLSVersion::MAXIMUM_SUPPORTED},
      {"MinProtocol = TLSv1.2", sk::TLSVersion::TLSv1_2, sk::TLSVersion::MAXIMUM_SUPPORTED},
      {"MinProtocol = TLSv1.3", sk::TLSVersion::TLSv1_3, sk::TLSVersion::MAXIMUM_SUPPORTED},
      {"MaxProtocol = TLSv1.2", sk::TLSVersion::TLSv1_2, sk::TLSVersion::TLSv1_2},
  };
  for (const auto& row : rows) {
    CAPTURE(row.settings);
    const system_configuration present(row.settings);
    for (const auto protocol : {sk::PROTOCOL_TLS_CLIENT, sk::PROTOCOL_TLS_SERVER}) {
      const sk::ssl_context context(protocol);
      CHECK(context.minimum_version() == row.minimum);
      CHECK(context.maximum_version() == row.maximum);
      auto* native = static_cast<SSL_CTX*>(context.native_handle());
      CHECK(SSL_CTX_get_min_proto_version(native) == static_cast<int>(row.minimum));
    }
  }
}

TEST_CASE("set_ciphers chooses the ciphers and rejects unknown names", "[ssl]") {
  sk::ssl_context client = client_context();
  CHECK(tls_failure_of([&] { client.set_ciphers("NONE-OF-THESE"); }) ==
        "sslerror: NO_CIPHER_MATCH");
  CHECK(failure_of([&] { client.set_ciphers("ALL\0x"); }) == "invalid_argument");
  client.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256");
  only(client, sk::TLSVersion::TLSv1_2);
  const session_pair both = secured(client, server_context());
  REQUIRE(both.client.cipher());
  CHECK(both.client.cipher()->name == "ECDHE-ECDSA-AES128-GCM-SHA256");
  CHECK(both.client.cipher()->bits == 128);
  CHECK(both.client.cipher()->protocol == "TLSv1.2");
}

TEST_CASE("a connection without a common version fails", "[ssl]") {
  sk::ssl_context client = client_context();
  sk::ssl_context server = server_context();
  client.maximum_version(sk::TLSVersion::TLSv1_2);
  server.minimum_version(sk::TLSVersion::TLSv1_3);
  auto both = connected();
  background<std::string> accepting(
      [&] { return tls_failure_of([&] { return server.wrap_server(std::move(both.second)); }); });
  CHECK(tls_failure_of([&] { return client.wrap_socket(std::move(both.first), "localhost"); }) ==
        "sslerror: TLSV1_ALERT_PROTOCOL_VERSION");
  CHECK(accepting.get() == "sslerror: UNSUPPORTED_PROTOCOL");
}

TEST_CASE("ALPN negotiates a protocol in the server's order", "[ssl]") {
  sk::ssl_context client = client_context();
  sk::ssl_context server = server_context();
  CHECK(secured(client, server).client.selected_alpn_protocol() == std::nullopt);
  client.set_alpn_protocols({"http/1.1", "h2"});
  CHECK(secured(client, server).client.selected_alpn_protocol() == std::nullopt);
  server.set_alpn_protocols({"h2", "http/1.1"});
  {
    const session_pair both = secured(client, server);
    CHECK(both.client.selected_alpn_protocol() == "h2");
    CHECK(both.server.selected_alpn_protocol() == "h2");
  }
  client.set_alpn_protocols({"h3", "ftp", "h2"});  // the first is as long as the chosen one
  CHECK(secured(client, server).client.selected_alpn_protocol() == "h2");
  server.set_alpn_protocols({});
  CHECK(secured(client, server).client.selected_alpn_protocol() == std::nullopt);
  server.set_alpn_protocols({"spdy/1"});
  CHECK(secured(client, server).server.selected_alpn_protocol() == std::nullopt);
  CHECK(failure_of([&] { client.set_alpn_protocols({""}); }) == "invalid_argument");
  CHECK(failure_of([&] { client.set_alpn_protocols({std::string(256, 'a')}); }) ==
        "invalid_argument");
  CHECK(failure_of([&] {
          client.set_alpn_protocols(std::vector<std::string>(256, std::string(255, 'a')));
        }) == "invalid_argument");
}

TEST_CASE("invalid certificates and keys are rejected", "[ssl]") {
  sk::ssl_context context(sk::PROTOCOL_TLS_SERVER);
  const std::string server = certificate_file("server.pem");
  CHECK(failure_of([&] { context.load_cert_chain("/nowhere/at all.pem"); }) ==
        failure("file_not_found_error", ENOENT));
  CHECK(failure_of([&] { context.load_cert_chain(server, "/nowhere/at all.key"); }) ==
        failure("file_not_found_error", ENOENT));
  CHECK_THAT(message_of([&] { context.load_cert_chain("/nowhere/at all.pem"); }),
             ContainsSubstring("'/nowhere/at all.pem'"));
  CHECK_THAT(tls_failure_of([&] { context.load_cert_chain(server); }),
             ContainsSubstring("sslerror"));  // the file has no key
  CHECK(tls_failure_of([&] { context.load_cert_chain(server, certificate_file("client.key")); }) ==
        "sslerror: KEY_VALUES_MISMATCH");
  CHECK(tls_failure_of([&] { context.load_cert_chain(certificate_file("openssl.cnf")); }) ==
        "sslerror: NO_START_LINE");
  CHECK(failure_of([&] { context.load_cert_chain("a\0b"); }) == "invalid_argument");
  CHECK(failure_of([&] { context.load_cert_chain(server, "a\0b"); }) == "invalid_argument");
  context.load_cert_chain(certificate_file("server.both"));
}

TEST_CASE("certificates are loaded from a std::filesystem::path", "[ssl][file_path]") {
  namespace fs = std::filesystem;
  const fs::path server = certificate_file("server.both");
  sk::ssl_context context(sk::PROTOCOL_TLS_SERVER);
  context.load_cert_chain(server);
  context.load_cert_chain(server, server.parent_path() / server.filename());
  context.load_verify_locations(server);
  context.load_verify_locations(std::nullopt, server.parent_path());
  (void)sk::create_default_context(sk::Purpose::SERVER_AUTH, server);
  CHECK(failure_of([&] { context.load_cert_chain(server / "none"); }) != "none");
}

TEST_CASE("an encrypted key needs its password, as text or from a function", "[ssl]") {
  sk::ssl_context context(sk::PROTOCOL_TLS_SERVER);
  const std::string server = certificate_file("server.pem");
  const std::string key = certificate_file("encrypted.key");
  CHECK(tls_failure_of([&] { context.load_cert_chain(server, key); }) ==
        "sslerror: the private key is encrypted, and no password was given");
  CHECK(tls_failure_of([&] { context.load_cert_chain(server, key, "wrong"); }) ==
        "sslerror: the password of the private key is wrong");
  CHECK(message_of([&] { context.load_cert_chain(server, key, std::string(2000, 'x')); }) ==
        "password cannot be longer than 1024 bytes");
  CHECK(message_of([&] {
          context.load_cert_chain(
              server, key, []() -> std::string { throw std::runtime_error("nobody is there"); });
        }) == "nobody is there");
  context.load_cert_chain(server, key, "secret");
  int asked = 0;
  context.load_cert_chain(server, key, [&asked] {
    ++asked;
    return std::string("secret");
  });
  CHECK(asked == 1);
  context.load_cert_chain(server, certificate_file("server.key"), [&asked] {
    ++asked;
    return std::string();
  });
  CHECK(asked == 1);
  CHECK(secured(client_context(), context).client.version());
}

TEST_CASE("authorities come from a file, a folder or text", "[ssl]") {
  const std::string path = certificate_file("ca.pem");
  std::ifstream file(path);
  const std::string pem{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const sk::ssl_context server = server_context();
  {
    sk::ssl_context context(sk::PROTOCOL_TLS_CLIENT);
    context.load_verify_locations(std::nullopt, std::nullopt, "a remark\n" + pem + pem);
    CHECK(secured(context, server).client.version());
  }
  {
    sk::ssl_context context(sk::PROTOCOL_TLS_CLIENT);
    context.load_verify_locations(path);
    CHECK(secured(context, server).client.version());
  }
  {
    sk::ssl_context context(sk::PROTOCOL_TLS_CLIENT);
    context.load_verify_locations(std::nullopt, certificate_file("hashed"));
    CHECK(secured(context, server).client.version());
  }
  sk::ssl_context context(sk::PROTOCOL_TLS_CLIENT);
  CHECK(failure_of([&] { context.load_verify_locations(std::nullopt); }) == "invalid_argument");
  CHECK(failure_of([&] { context.load_verify_locations("/nowhere.pem"); }) ==
        failure("file_not_found_error", ENOENT));
  CHECK_THAT(
      tls_failure_of([&] { context.load_verify_locations(certificate_file("openssl.cnf")); }),
      ContainsSubstring("sslerror"));
  CHECK(tls_failure_of([&] {
          context.load_verify_locations(std::nullopt, std::nullopt, "nothing");
        }) == "sslerror: NO_START_LINE");
  CHECK_THAT(tls_failure_of([&] {
               context.load_verify_locations(std::nullopt, std::nullopt,
                                             pem.substr(0, pem.size() / 2));
             }),
             ContainsSubstring("sslerror"));
}

TEST_CASE("a context may be destroyed before its sockets", "[ssl]") {
  session_pair both;
  {
    sk::ssl_context client = client_context();
    sk::ssl_context server = server_context();
    client.set_alpn_protocols({"h2"});
    server.set_alpn_protocols({"h2"});
    auto plain = connected();
    both.client = client.wrap_socket(std::move(plain.first), "localhost",
                                     sk::wrap_options().do_handshake_on_connect(false));
    both.server = server.wrap_server(std::move(plain.second),
                                     sk::wrap_options().do_handshake_on_connect(false));
  }
  background<int> shaking([&] {
    both.server.do_handshake();
    return 0;
  });
  both.client.do_handshake();
  shaking.get();
  CHECK(both.client.selected_alpn_protocol() == "h2");
}

TEST_CASE("default ciphers have forward secrecy and no SHA-1", "[ssl]") {
  const sk::ssl_context context(GENERATE(sk::PROTOCOL_TLS_CLIENT, sk::PROTOCOL_TLS_SERVER));
  STACK_OF(SSL_CIPHER)* all = SSL_CTX_get_ciphers(static_cast<SSL_CTX*>(context.native_handle()));
  REQUIRE(sk_SSL_CIPHER_num(all) > 10);
  for (int i = 0; i < sk_SSL_CIPHER_num(all); ++i) {
    const SSL_CIPHER* one = sk_SSL_CIPHER_value(all, i);
    CAPTURE(SSL_CIPHER_get_name(one));
    CHECK(SSL_CIPHER_get_kx_nid(one) != NID_kx_rsa);
    CHECK(SSL_CIPHER_get_digest_nid(one) != NID_sha1);
    CHECK(SSL_CIPHER_get_auth_nid(one) != NID_auth_null);
    CHECK(SSL_CIPHER_get_cipher_nid(one) != NID_undef);
  }
}

TEST_CASE("invalid settings are rejected", "[ssl]") {
  sk::ssl_context server(sk::PROTOCOL_TLS_SERVER);
  CHECK(failure_of([&] { server.check_hostname(true); }) == "invalid_argument");
  CHECK(server.verify_mode() == sk::CERT_NONE);
  server.check_hostname(false);
  sk::ssl_context client(sk::PROTOCOL_TLS_CLIENT);
  for (const int number : {0x0300, 0x0301, 0x0302, 0x0305, 0, 1}) {
    CAPTURE(number);
    const auto version = static_cast<sk::TLSVersion>(number);
    CHECK(failure_of([&] { client.minimum_version(version); }) == "invalid_argument");
    CHECK(failure_of([&] { client.maximum_version(version); }) == "invalid_argument");
  }
  client.maximum_version(sk::TLSVersion::TLSv1_2);
  CHECK(failure_of([&] { client.minimum_version(sk::TLSVersion::TLSv1_3); }) == "invalid_argument");
  CHECK(client.minimum_version() == sk::TLSVersion::TLSv1_2);
  client.maximum_version(sk::TLSVersion::MAXIMUM_SUPPORTED);
  client.minimum_version(sk::TLSVersion::MAXIMUM_SUPPORTED);
  CHECK(failure_of([&] { client.maximum_version(sk::TLSVersion::TLSv1_2); }) == "invalid_argument");
}

TEST_CASE("load_cert_chain that fails keeps the old certificate and key", "[ssl]") {
  sk::ssl_context server = server_context();
  const std::string elsewhere = certificate_file("elsewhere.pem");
  CHECK(tls_failure_of([&] {
          server.load_cert_chain(elsewhere, certificate_file("client.key"));
        }) == "sslerror: KEY_VALUES_MISMATCH");
  CHECK(failure_of([&] { server.load_cert_chain(elsewhere, "/nowhere"); }) ==
        failure("file_not_found_error", ENOENT));
  CHECK_THAT(tls_failure_of([&] { server.load_cert_chain(elsewhere); }),
             ContainsSubstring("sslerror"));
  CHECK(tls_failure_of([&] {
          server.load_cert_chain(elsewhere, certificate_file("encrypted.key"), "wrong");
        }) == "sslerror: the password of the private key is wrong");
  CHECK(tls_failure_of([&] { server.load_cert_chain_data("nothing", "nothing"); }) ==
        "sslerror: NO_START_LINE");
  const std::string pem = contents(elsewhere);
  // The certificate of the issuer is cut off.
  CHECK_THAT(tls_failure_of([&] {
               server.load_cert_chain_data(pem + pem.substr(0, pem.size() / 2),
                                           contents(certificate_file("elsewhere.key")));
             }),
             ContainsSubstring("sslerror"));
  const std::string_view too_long(pem.data(), std::size_t{INT_MAX} + 1);  // nothing reads it
  CHECK(failure_of([&] { server.load_cert_chain_data(too_long, pem); }) == "out_of_range");
  CHECK(secured(client_context(), server).client.version());
  server.set_ciphers("ECDHE+AESGCM:@SECLEVEL=4");  // the key would need 384 bits
  CHECK(message_of([&] { server.load_cert_chain(certificate_file("elsewhere.both")); }) ==
        "load_cert_chain: [SSL: EE_KEY_TOO_SMALL] ee key too small");
  server.set_ciphers("DEFAULT:@SECLEVEL=1");
  CHECK(secured(client_context(), server).client.getpeercert()->subject["commonName"] ==
        "the server");
}

TEST_CASE("load_verify_locations that fails trusts nothing new", "[ssl]") {
  const std::string stranger = contents(certificate_file("stranger.pem"));
  sk::ssl_context client = client_context();
  CHECK_THAT(tls_failure_of([&] {
               client.load_verify_locations(std::nullopt, std::nullopt,
                                            stranger + stranger.substr(0, stranger.size() / 2));
             }),
             ContainsSubstring("sslerror"));
  CHECK(tls_failure_of([&] {
          client.load_verify_locations(certificate_file("stranger.pem"), std::nullopt, "nothing");
        }) == "sslerror: NO_START_LINE");
  CHECK(failure_of([&] {
          client.load_verify_locations(certificate_file("stranger.pem"), "/nowhere/at all");
        }) == failure("file_not_found_error", ENOENT));
  auto plain = connected();
  const sk::ssl_context server = server_context("unknown");
  background<std::string> accepting(
      [&] { return tls_failure_of([&] { return server.wrap_server(std::move(plain.second)); }); });
  CHECK(tls_failure_of([&] { return client.wrap_socket(std::move(plain.first), "localhost"); }) ==
        "certificate: unable to get local issuer certificate");
  (void)accepting.get();
}

TEST_CASE("authorities' files may have revocation lists, but need more than keys", "[ssl]") {
  const std::string lists = contents(certificate_file("ca.crl"));
  sk::ssl_context client = client_context();
  client.verify_flags(client.verify_flags() | sk::VERIFY_CRL_CHECK_LEAF);
  SECTION("a file") { client.load_verify_locations(certificate_file("ca.crl")); }
  SECTION("text") { client.load_verify_locations(std::nullopt, std::nullopt, lists); }
  SECTION("text after a key") {
    const std::string key = contents(certificate_file("ca.key"));
    CHECK(tls_failure_of([&] { client.load_verify_locations(std::nullopt, std::nullopt, key); }) ==
          "sslerror: NO_START_LINE");
    client.load_verify_locations(std::nullopt, std::nullopt, key + lists);
  }
  CHECK(secured(client, server_context()).client.version());
  const sk::ssl_context revoked = server_context("revoked");
  auto plain = connected();
  background<std::string> accepting(
      [&] { return tls_failure_of([&] { return revoked.wrap_server(std::move(plain.second)); }); });
  CHECK(tls_failure_of([&] { return client.wrap_socket(std::move(plain.first), "localhost"); }) ==
        "certificate: certificate revoked");
  CHECK(accepting.get() == "sslerror: SSLV3_ALERT_CERTIFICATE_REVOKED");
}

TEST_CASE("folders and files of authorities that are missing are reported", "[ssl]") {
  sk::ssl_context client(sk::PROTOCOL_TLS_CLIENT);
  const std::string too_long =
      failure_of([&] { client.load_verify_locations(std::nullopt, "/" + std::string(5000, 'x')); });
  // For Windows such a folder is only missing.
  CHECK((too_long == failure("error", ENAMETOOLONG) ||
         too_long == failure("file_not_found_error", ENOENT)));
  CHECK(failure_of([&] { client.load_verify_locations(std::nullopt, "/nowhere/at all"); }) ==
        failure("file_not_found_error", ENOENT));
  CHECK(failure_of([&] {
          client.load_verify_locations(std::nullopt, certificate_file("ca.pem"));
        }) == failure("error", ENOTDIR));
  sk::ssl_context context(sk::PROTOCOL_TLS_CLIENT);
  {
    const environment_variable missing("SSL_CERT_FILE", "/nowhere/at all.pem");
    CHECK(failure_of([&] { context.load_default_certs(); }) ==
          failure("file_not_found_error", ENOENT));
  }
  const environment_variable present("SSL_CERT_FILE", certificate_file("ca.pem"));
  context.load_default_certs();
  CHECK(secured(context, server_context()).client.version());
}

TEST_CASE("certificates and keys can be loaded from memory", "[ssl]") {
  const std::string both = contents(certificate_file("server.both"));
  sk::ssl_context server(sk::PROTOCOL_TLS_SERVER);
  server.load_cert_chain_data(both, both);
  CHECK(secured(client_context(), server).client.version());
  server.load_cert_chain_data(contents(certificate_file("server.pem")),
                              contents(certificate_file("encrypted.key")), "secret");
  CHECK(secured(client_context(), server).client.version());
  CHECK(tls_failure_of([&] {
          server.load_cert_chain_data(both, contents(certificate_file("encrypted.key")));
        }) == "sslerror: the private key is encrypted, and no password was given");
}

TEST_CASE("load_cert_chain replaces the certificate while other threads do handshakes",
          "[ssl][threads]") {
  sk::ssl_context server = server_context();
  const sk::ssl_context client = client_context();
  background<int> shaking([&] {
    int done = 0;
    for (int i = 0; i < 100; ++i) {
      const session_pair both = secured(client, server);
      const std::string name = both.client.getpeercert()->subject["commonName"];
      done += name == "the server" || name == "the client" ? 1 : 0;
    }
    return done;
  });
  for (int i = 0; !shaking.done(); ++i)
    server.load_cert_chain(certificate_file(i % 2 == 0 ? "client.both" : "server.both"));
  CHECK(shaking.get() == 100);
}

TEST_CASE("secrets are appended to the key log file", "[ssl]") {
  const temporary_directory folder;
  const std::string path = folder / "keys";
  sk::ssl_context client = client_context();
  CHECK(client.keylog_filename().empty());
  client.keylog_filename(path);
  CHECK(client.keylog_filename() == path);
  (void)secured(client, server_context());
  const std::string once = contents(path);
  CHECK_THAT(once, ContainsSubstring("CLIENT_TRAFFIC_SECRET_0 "));
  (void)secured(client, server_context());
  CHECK(contents(path).size() == 2 * once.size());
  auto* native = static_cast<SSL_CTX*>(client.native_handle());
  const auto late_line = SSL_CTX_get_keylog_callback(native);
  client.keylog_filename("");
  (void)secured(client, server_context());
  CHECK(contents(path).size() == 2 * once.size());
  // The handshake of another thread may still log after the change.
  const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(native), SSL_free);
  late_line(ssl.get(), "a secret");
  CHECK(contents(path).size() == 2 * once.size());
  CHECK(failure_of([&] { client.keylog_filename("/nowhere/at all"); }) ==
        failure("file_not_found_error", ENOENT));
  CHECK(failure_of([&] { client.keylog_filename("a\0b"); }) == "invalid_argument");
  const environment_variable from_environment("SSLKEYLOGFILE", path);
  CHECK(sk::create_default_context().keylog_filename() == path);
  const environment_variable empty("SSLKEYLOGFILE", "");
  CHECK(sk::create_default_context().keylog_filename().empty());
}

TEST_CASE("OpenSSL's object outlives its context, and then has no callbacks of it", "[ssl]") {
  const temporary_directory folder;
  const std::string path = folder / "keys";
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> kept(nullptr, SSL_CTX_free);
  {
    sk::ssl_context server = server_context();
    server.keylog_filename(path);
    server.set_alpn_protocols({"h2"});
    server.sni_callback([](const std::string&) -> const sk::ssl_context* {
      throw std::runtime_error("not called");
    });
    kept.reset(static_cast<SSL_CTX*>(server.native_handle()));
    SSL_CTX_up_ref(kept.get());
    const sk::ssl_context moved = std::move(server);
    CHECK(moved.native_handle() == kept.get());
    CHECK(server.native_handle() == nullptr);
  }
  auto plain = connected();
  plain.second.settimeout(std::nullopt);
  background<int> accepting([&] {
    const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(kept.get()), SSL_free);
    SSL_set_fd(ssl.get(), static_cast<int>(plain.second.fileno()));
    return SSL_accept(ssl.get());
  });
  sk::ssl_context client = client_context();
  client.set_alpn_protocols({"h2"});
  const sk::ssl_socket s = client.wrap_socket(std::move(plain.first), "localhost");
  CHECK(accepting.get() == 1);
  CHECK(s.selected_alpn_protocol() == std::nullopt);
  CHECK(contents(path).empty());
}

TEST_CASE("OpenSSL itself does not read a password from the terminal", "[ssl]") {
  const sk::ssl_context context(sk::PROTOCOL_TLS_SERVER);
  auto* native = static_cast<SSL_CTX*>(context.native_handle());
  const std::string encrypted = certificate_file("encrypted.key");
  CHECK(SSL_CTX_use_PrivateKey_file(native, encrypted.c_str(), SSL_FILETYPE_PEM) != 1);
  ERR_clear_error();
  const std::string key = certificate_file("server.key");
  CHECK(SSL_CTX_use_PrivateKey_file(native, key.c_str(), SSL_FILETYPE_PEM) == 1);
}

TEST_CASE("an encrypted authority is rejected without reading a password", "[ssl]") {
  const std::string encrypted =
      "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n"
      "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
      "AAECAwQFBgcICQoLDA0ODw==\n-----END CERTIFICATE-----\n";
  sk::ssl_context context = sk::create_default_context();
  CHECK_THROWS_AS(context.load_verify_locations(std::nullopt, std::nullopt, encrypted),
                  sk::sslerror);
}
