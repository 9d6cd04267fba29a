// SPDX-License-Identifier: MIT
// Verification belongs to a connection and its session, not to the context.
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <pysock/ssl.hpp>

#include "ssl/tls.hpp"
#include "support/catch.hpp"

namespace sk = pysock;
using namespace test_support;
using Catch::Matchers::ContainsSubstring;

namespace {

struct attempt {
  std::string client;
  std::string server;
  bool reused = false;
};

// Connects, exchanges a byte in both directions, and returns how both ends failed.
attempt connect_once(const sk::ssl_context& client, const sk::ssl_context& server,
                     const std::string& name, sk::ssl_session& session) {
  auto plain = connected();
  attempt result;
  background<std::string> accepting([&] {
    return tls_failure_of([&] {
      sk::ssl_socket s = server.wrap_server(std::move(plain.second));
      s.sendall("x");
      return s.recv(1);
    });
  });
  result.client = tls_failure_of([&] {
    sk::ssl_socket s =
        client.wrap_socket(std::move(plain.first), name, sk::wrap_options().session(session));
    result.reused = s.session_reused();
    s.sendall("x");
    (void)s.recv(1);
    session = s.session();
    s.close();
  });
  result.server = accepting.get();
  return result;
}

sk::ssl_context with_version(sk::ssl_context context, sk::TLSVersion version) {
  only(context, version);
  return context;
}

}  // namespace

TEST_CASE("a session is not resumed after a change of settings that could refuse the peer",
          "[ssl][session]") {
  const auto version = GENERATE(sk::TLSVersion::TLSv1_2, sk::TLSVersion::TLSv1_3);
  sk::ssl_context client = with_version(client_context(), version);
  sk::ssl_session session;
  SECTION("CERT_REQUIRED after CERT_NONE") {
    const sk::ssl_context server = server_context("selfsigned");
    client.check_hostname(false).verify_mode(sk::CERT_NONE);
    CHECK(connect_once(client, server, "localhost", session).client == "none");
    CHECK(connect_once(client, server, "localhost", session).reused);
    client.verify_mode(sk::CERT_REQUIRED);
    CHECK_THAT(connect_once(client, server, "localhost", session).client,
               ContainsSubstring("certificate: "));
  }
  SECTION("check_hostname") {
    const sk::ssl_context server = server_context();
    client.check_hostname(false);
    CHECK(connect_once(client, server, "elsewhere.test", session).client == "none");
    CHECK(connect_once(client, server, "elsewhere.test", session).reused);
    client.check_hostname(true);
    CHECK_THAT(connect_once(client, server, "elsewhere.test", session).client,
               ContainsSubstring("certificate: ") && ContainsSubstring("ostname"));
  }
  SECTION("flags that ask for revocation lists") {
    const sk::ssl_context server = server_context();
    CHECK(connect_once(client, server, "localhost", session).client == "none");
    client.verify_flags(client.verify_flags() | sk::VERIFY_CRL_CHECK_LEAF);
    CHECK(connect_once(client, server, "localhost", session).client ==
          "certificate: unable to get certificate CRL");
  }
  SECTION("CERT_REQUIRED of the server") {
    sk::ssl_context server = server_context();
    CHECK(connect_once(client, server, "localhost", session).client == "none");
    CHECK(connect_once(client, server, "localhost", session).reused);
    server.load_verify_locations(certificate_file("ca.pem"));
    server.verify_mode(sk::CERT_REQUIRED);
    const attempt now = connect_once(client, server, "localhost", session);
    CHECK_FALSE(now.reused);
    CHECK(now.server == "sslerror: PEER_DID_NOT_RETURN_A_CERTIFICATE");
  }
}

TEST_CASE("a setting changed between wrapping and the handshake does not affect the handshake",
          "[ssl]") {
  sk::ssl_context context = client_context();
  auto plain = connected();
  sk::ssl_socket client = context.wrap_socket(std::move(plain.first), "localhost",
                                              sk::wrap_options().do_handshake_on_connect(false));
  context.check_hostname(false).verify_mode(sk::CERT_NONE);
  const sk::ssl_context server = server_context("selfsigned");
  background<std::string> accepting(
      [&] { return tls_failure_of([&] { return server.wrap_server(std::move(plain.second)); }); });
  CHECK_THAT(tls_failure_of([&] { client.do_handshake(); }), ContainsSubstring("certificate: "));
  CHECK_FALSE(client.getpeercert());
  CHECK(client.getpeercert_der().empty());  // the handshake has not succeeded
  CHECK(client.get_verified_chain().empty());
  CHECK(client.get_unverified_chain().empty());
  client.close();
  (void)accepting.get();
}

TEST_CASE("getpeercert returns the verified certificate after changes of the context", "[ssl]") {
  sk::ssl_context strict = client_context();
  const session_pair verified = secured(strict, server_context());
  strict.check_hostname(false).verify_mode(sk::CERT_NONE);
  CHECK(verified.client.getpeercert());

  sk::ssl_context lax(sk::PROTOCOL_TLS_CLIENT);
  lax.check_hostname(false).verify_mode(sk::CERT_NONE);
  const session_pair unverified = secured(lax, server_context("selfsigned"));
  lax.verify_mode(sk::CERT_REQUIRED);
  CHECK_FALSE(unverified.client.getpeercert());
  CHECK_FALSE(unverified.client.getpeercert_der().empty());
  CHECK(unverified.client.get_verified_chain().empty());
  CHECK(unverified.client.get_unverified_chain().size() == 1);
}

TEST_CASE("a server without a certificate is refused, whatever the ciphers", "[ssl]") {
  sk::ssl_context client = with_version(client_context(), sk::TLSVersion::TLSv1_2);
  client.set_ciphers("ALL:@SECLEVEL=0");
  sk::ssl_context server(sk::PROTOCOL_TLS_SERVER);
  server.set_ciphers("AECDH:@SECLEVEL=0");
  sk::ssl_session session;
  CHECK(connect_once(client, server, "localhost", session).client ==
        "sslerror: PEER_DID_NOT_RETURN_A_CERTIFICATE");
  client.check_hostname(false).verify_mode(sk::CERT_NONE);
  CHECK(connect_once(client, server, "localhost", session).client == "none");
}

TEST_CASE("chains start with the peer's own certificate, as DER", "[ssl][session]") {
  const auto version = GENERATE(sk::TLSVersion::TLSv1_2, sk::TLSVersion::TLSv1_3);
  sk::ssl_context client = with_version(client_context(), version);
  client.load_cert_chain(certificate_file("client.both"));
  sk::ssl_context server = server_context();
  server.load_verify_locations(certificate_file("ca.pem"));
  server.verify_mode(sk::CERT_REQUIRED);
  session_pair first = secured(client, server);
  const std::vector<std::string> verified = first.client.get_verified_chain();
  REQUIRE(verified.size() == 2);
  CHECK(verified[0] == first.client.getpeercert_der());
  CHECK(first.client.get_unverified_chain() == std::vector<std::string>{verified[0]});
  CHECK(first.server.get_verified_chain() ==
        std::vector<std::string>{first.server.getpeercert_der(), verified[1]});
  CHECK(first.server.get_unverified_chain() ==
        std::vector<std::string>{first.server.getpeercert_der()});
  first.server.sendall("x");
  (void)first.client.recv(1);

  const session_pair second =
      secured(client, server, sk::wrap_options().session(first.client.session()));
  REQUIRE(second.client.session_reused());
  CHECK(second.client.get_verified_chain() == verified);
  CHECK(second.client.getpeercert_der() == verified[0]);
  CHECK(second.server.get_verified_chain().empty());
  CHECK(second.server.get_unverified_chain().empty());
  CHECK(second.server.getpeercert_der() == first.server.getpeercert_der());
  REQUIRE(second.server.getpeercert());
  CHECK(second.server.getpeercert()->subject["commonName"] == "the client");
}

TEST_CASE("a rejected certificate leaves nothing in OpenSSL's queue of the thread", "[ssl]") {
  const sk::ssl_context server = server_context("expired");
  auto plain = connected();
  background<std::string> accepting(
      [&] { return tls_failure_of([&] { return server.wrap_server(std::move(plain.second)); }); });
  const sk::ssl_context client = client_context();
  CHECK(tls_failure_of([&] { return client.wrap_socket(std::move(plain.first), "localhost"); }) ==
        "certificate: certificate has expired");
  CHECK(ERR_peek_error() == 0);
  (void)accepting.get();
}

TEST_CASE("the error of a context without authorities says that it has none", "[ssl]") {
  const sk::ssl_context server = server_context();
  const auto refused = [&server](const sk::ssl_context& client) {
    auto plain = connected();
    background<std::string> accepting([&] {
      return tls_failure_of([&] { return server.wrap_server(std::move(plain.second)); });
    });
    std::string said =
        message_of([&] { return client.wrap_socket(std::move(plain.first), "localhost"); });
    (void)accepting.get();
    return said;
  };
  const std::string note = "(the context has no trusted authority)";
  sk::ssl_context context(sk::PROTOCOL_TLS_CLIENT);
  CHECK_THAT(refused(context), ContainsSubstring(note));
  context.load_verify_locations(certificate_file("stranger.pem"));
  CHECK_THAT(refused(context), !ContainsSubstring(note) && ContainsSubstring("local issuer"));
}

TEST_CASE("a server chooses its context by the name that the client requests", "[ssl][sni]") {
  const auto version = GENERATE(sk::TLSVersion::TLSv1_2, sk::TLSVersion::TLSv1_3);
  sk::ssl_context server = server_context();
  sk::ssl_context elsewhere = server_context("elsewhere");
  elsewhere.set_alpn_protocols({"h2"});
  sk::ssl_context strict = server_context();
  strict.load_verify_locations(certificate_file("ca.pem"));
  strict.verify_mode(sk::CERT_REQUIRED);
  const sk::ssl_context wrong = client_context();
  std::vector<std::string> asked;
  server.sni_callback([&](const std::string& name) -> const sk::ssl_context* {
    asked.push_back(name);
    if (name == "elsewhere.test") return &elsewhere;
    if (name == "strict.example.test") return &strict;
    if (name == "wrong.example.test") return &wrong;
    if (name == "thrown.example.test") throw std::runtime_error("no such name");
    return nullptr;
  });
  sk::ssl_context client = with_version(client_context(), version);
  client.set_alpn_protocols({"h2"});
  {
    const session_pair both = secured(client, server, {}, "elsewhere.test");
    CHECK(both.server.server_hostname() == "elsewhere.test");
    CHECK(both.client.selected_alpn_protocol() == "h2");
  }
  {
    const session_pair both = secured(client, server);
    CHECK(both.server.server_hostname() == "localhost");
    CHECK(both.client.selected_alpn_protocol() == std::nullopt);
  }
  CHECK(secured(client, server, {}, "127.0.0.1").server.server_hostname().empty());
  CHECK(asked == std::vector<std::string>{"elsewhere.test", "localhost", ""});

  sk::ssl_session session;
  CHECK(connect_once(client, server, "strict.example.test", session).server ==
        "sslerror: PEER_DID_NOT_RETURN_A_CERTIFICATE");
  client.load_cert_chain(certificate_file("client.both"));
  session = {};
  CHECK(connect_once(client, server, "strict.example.test", session).server == "none");
  CHECK(connect_once(client, server, "strict.example.test", session).reused);
  session = {};
  for (const char* refused : {"wrong.example.test", "thrown.example.test"}) {
    CHECK_THAT(connect_once(client, server, refused, session).client,
               ContainsSubstring("UNRECOGNIZED_NAME"));
  }
  server.sni_callback(nullptr);
  CHECK_THAT(connect_once(client, server, "elsewhere.test", session).client,
             ContainsSubstring("ostname mismatch"));
  CHECK(failure_of([&] { client.sni_callback(nullptr); }) == "invalid_argument");
}

TEST_CASE("a session of one name is not resumed with a server's stricter context for another",
          "[ssl][sni]") {
  const auto version = GENERATE(sk::TLSVersion::TLSv1_2, sk::TLSVersion::TLSv1_3);
  sk::ssl_context server = server_context();
  sk::ssl_context strict = server_context();
  strict.load_verify_locations(certificate_file("ca.pem"));
  strict.verify_mode(sk::CERT_REQUIRED);
  bool now_strict = false;  // the client asks for the same name both times
  server.sni_callback([&](const std::string&) { return now_strict ? &strict : nullptr; });
  const sk::ssl_context client = with_version(client_context(), version);
  sk::ssl_session session;
  CHECK(connect_once(client, server, "localhost", session).client == "none");
  CHECK(connect_once(client, server, "localhost", session).reused);
  now_strict = true;
  const attempt now = connect_once(client, server, "localhost", session);
  CHECK_FALSE(now.reused);
  CHECK(now.server == "sslerror: PEER_DID_NOT_RETURN_A_CERTIFICATE");
}

TEST_CASE("native_handle returns OpenSSL's objects", "[ssl]") {
  const sk::ssl_context client = client_context();
  session_pair both = secured(client, server_context());
  auto* ssl = static_cast<SSL*>(both.client.native_handle());
  REQUIRE(ssl != nullptr);
  CHECK(SSL_get_SSL_CTX(ssl) == client.native_handle());
  unsigned char ours[32];
  unsigned char theirs[32];
  REQUIRE(SSL_export_keying_material(ssl, ours, sizeof ours, "EXPORTER-test", 13, nullptr, 0, 0) ==
          1);
  REQUIRE(SSL_export_keying_material(static_cast<SSL*>(both.server.native_handle()), theirs,
                                     sizeof theirs, "EXPORTER-test", 13, nullptr, 0, 0) == 1);
  CHECK(std::equal(ours, ours + sizeof ours, theirs));
  both.client.close();
  CHECK(both.client.native_handle() == nullptr);
}
