// SPDX-License-Identifier: MIT
#include <filesystem>
#include <pysock/ssl_context.hpp>

#include <fstream>
#include <sstream>

#include "ssl/tls.hpp"
#include "support/catch.hpp"

namespace sk = pysock;
using namespace test_support;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("contexts are strict from birth", "[ssl]") {
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

TEST_CASE("verification cannot be lost by halves", "[ssl]") {
  sk::ssl_context context(sk::PROTOCOL_TLS_CLIENT);
  CHECK(message_of([&] { context.verify_mode(sk::CERT_NONE); }) ==
        "Cannot set verify_mode to CERT_NONE when check_hostname is enabled.");
  CHECK(context.verify_mode() == sk::CERT_REQUIRED);
  context.check_hostname(false).verify_mode(sk::CERT_NONE);
  CHECK(context.verify_mode() == sk::CERT_NONE);
  context.check_hostname(true);
  CHECK(context.verify_mode() == sk::CERT_REQUIRED);
}

TEST_CASE("a setting is what was set", "[ssl]") {
  sk::ssl_context context(sk::PROTOCOL_TLS_CLIENT);
  context.verify_flags(sk::VERIFY_X509_STRICT | sk::VERIFY_CRL_CHECK_LEAF);
  CHECK(context.verify_flags() == (sk::VERIFY_X509_STRICT | sk::VERIFY_CRL_CHECK_LEAF));
  context.verify_flags(sk::VERIFY_DEFAULT);
  CHECK(context.verify_flags() == 0);
  context.minimum_version(sk::TLSVersion::TLSv1_3).maximum_version(sk::TLSVersion::TLSv1_3);
  CHECK(context.minimum_version() == sk::TLSVersion::TLSv1_3);
  CHECK(context.maximum_version() == sk::TLSVersion::TLSv1_3);
}

TEST_CASE("ciphers can be chosen, but not none", "[ssl]") {
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

TEST_CASE("versions that do not meet make no connection", "[ssl]") {
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

TEST_CASE("protocols are agreed on by ALPN, the server's wish first", "[ssl]") {
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
  server.set_alpn_protocols({"spdy/1"});
  CHECK(secured(client, server).server.selected_alpn_protocol() == std::nullopt);
  CHECK(failure_of([&] { client.set_alpn_protocols({""}); }) == "invalid_argument");
  CHECK(failure_of([&] { client.set_alpn_protocols({std::string(256, 'a')}); }) ==
        "invalid_argument");
  CHECK(failure_of([&] {
          client.set_alpn_protocols(std::vector<std::string>(256, std::string(255, 'a')));
        }) == "invalid_argument");
}

TEST_CASE("certificates and keys that cannot be used are refused", "[ssl]") {
  sk::ssl_context context(sk::PROTOCOL_TLS_SERVER);
  const std::string server = certificate_file("server.pem");
  CHECK(failure_of([&] { context.load_cert_chain("/nowhere/at all.pem"); }) ==
        failure("file_not_found_error", ENOENT));
  CHECK(failure_of([&] { context.load_cert_chain(server, "/nowhere/at all.key"); }) ==
        failure("file_not_found_error", ENOENT));
  CHECK_THAT(message_of([&] { context.load_cert_chain("/nowhere/at all.pem"); }),
             ContainsSubstring("'/nowhere/at all.pem'"));
  CHECK_THAT(tls_failure_of([&] { context.load_cert_chain(server); }),
             ContainsSubstring("sslerror"));  // no key in it
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

TEST_CASE("an encrypted key needs its password, as text or from a call", "[ssl]") {
  sk::ssl_context context(sk::PROTOCOL_TLS_SERVER);
  const std::string server = certificate_file("server.pem");
  const std::string key = certificate_file("encrypted.key");
  CHECK_THAT(tls_failure_of([&] { context.load_cert_chain(server, key); }),
             ContainsSubstring("sslerror"));
  CHECK_THAT(tls_failure_of([&] { context.load_cert_chain(server, key, "wrong"); }),
             ContainsSubstring("sslerror"));
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

TEST_CASE("a context may die before its sockets", "[ssl]") {
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
