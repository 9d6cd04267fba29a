// SPDX-License-Identifier: MIT
// Verification belongs to a connection and its session, not to the context.
#include <openssl/err.h>
#include <openssl/ssl.h>

#if __has_include(<sys/fsuid.h>)
#include <sys/fsuid.h>
#endif

#include <filesystem>
#include <fstream>
#include <new>
#include <pysock/ssl.hpp>

#include "ssl/tls.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/temporary_directory.hpp"

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

TEST_CASE("what the program tells OpenSSL does not replace the verification of a peer", "[ssl]") {
  const sk::ssl_context client = client_context();
  sk::ssl_context server = server_context("expired");
  sk::ssl_session session;
  SECTION("that a client needs no certificate") {
    server = server_context();
    server.load_verify_locations(certificate_file("ca.pem"));
    server.verify_mode(sk::CERT_REQUIRED);
    SSL_CTX_set_verify(static_cast<SSL_CTX*>(server.native_handle()), SSL_VERIFY_PEER, nullptr);
    CHECK(connect_once(client, server, "localhost", session).server ==
          "sslerror: PEER_DID_NOT_RETURN_A_CERTIFICATE");
  }
  SECTION("that every certificate is valid") {
    SSL_CTX_set_verify(static_cast<SSL_CTX*>(client.native_handle()), SSL_VERIFY_PEER,
                       [](int, X509_STORE_CTX*) { return 1; });
    CHECK(connect_once(client, server, "localhost", session).client ==
          "certificate: certificate has expired");
  }
  SECTION("that no certificate is valid, without a reason") {
    SSL_CTX_set_cert_verify_callback(
        static_cast<SSL_CTX*>(client.native_handle()),
        [](X509_STORE_CTX* verified, void*) {
          X509_STORE_CTX_set_error(verified, X509_V_OK);
          return 0;
        },
        nullptr);
    CHECK(connect_once(client, server, "localhost", session).client ==
          "sslerror: CERTIFICATE_VERIFY_FAILED");
  }
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

namespace {

// The message of a client that rejects the server's certificate.
std::string refusal(const sk::ssl_context& client) {
  const sk::ssl_context server = server_context("unknown");
  auto plain = connected();
  background<std::string> accepting(
      [&] { return tls_failure_of([&] { return server.wrap_server(std::move(plain.second)); }); });
  std::string said =
      message_of([&] { return client.wrap_socket(std::move(plain.first), "localhost"); });
  (void)accepting.get();
  return said;
}

const std::string note = "(the context has no trusted authority)";

// This thread reads files as a user without rights, if the program has the rights for that.
class without_rights {
 public:
#if __has_include(<sys/fsuid.h>)
  without_rights() : before_(::setfsuid(nobody)) {}
  ~without_rights() { ::setfsuid(static_cast<uid_t>(before_)); }
  without_rights(const without_rights&) = delete;
  without_rights& operator=(const without_rights&) = delete;

 private:
  static constexpr uid_t nobody = 65534;
  int before_;
#else
  without_rights() {}
#endif
};

}  // namespace

TEST_CASE("the error of a context without authorities says that it has none", "[ssl]") {
  sk::ssl_context context(sk::PROTOCOL_TLS_CLIENT);
  CHECK_THAT(refusal(context), ContainsSubstring(note));
  SECTION("a file") { context.load_verify_locations(certificate_file("ca.pem")); }
  SECTION("a folder") {
    context.load_verify_locations(std::nullopt, certificate_file("hashed"));
    const temporary_directory empty;
    context.load_verify_locations(std::nullopt, empty / "");
  }
  CHECK_THAT(refusal(context), !ContainsSubstring(note) && ContainsSubstring("local issuer"));
}

TEST_CASE("a folder without files, or one that cannot be read, has no authority", "[ssl]") {
  const temporary_directory folder;
  sk::ssl_context context(sk::PROTOCOL_TLS_CLIENT);
  SECTION("without files") { context.load_verify_locations(std::nullopt, folder / ""); }
  SECTION("not readable") {
    namespace fs = std::filesystem;
    std::ofstream(folder / "file") << "some text";
    fs::permissions(folder / "", fs::perms::none);
    std::string reason;
    {
      const without_rights now;
      std::error_code ec;
      const fs::directory_iterator readable(folder / "", ec);
      if (!ec) reason = "this user can read every folder";
      context.load_verify_locations(std::nullopt, folder / "");
    }
    fs::permissions(folder / "", fs::perms::owner_all);
    if (!reason.empty()) SKIP_TEST(reason);
  }
  CHECK_THAT(refusal(context), ContainsSubstring(note));
}

TEST_CASE("load_default_certs uses the folder that the environment names, or the system's",
          "[ssl]") {
  const environment_variable no_file("SSL_CERT_FILE", "");  // OpenSSL does not read one then
  sk::ssl_context context(sk::PROTOCOL_TLS_CLIENT);
  SECTION("the environment's folder") {
    const environment_variable folder("SSL_CERT_DIR", certificate_file("hashed"));
    context.load_default_certs();
    CHECK(secured(context, server_context()).client.getpeercert());
  }
  SECTION("the system's folder") {
    const environment_variable folder("SSL_CERT_DIR", std::nullopt);
    context.load_default_certs();
    X509_STORE* store = SSL_CTX_get_cert_store(static_cast<SSL_CTX*>(context.native_handle()));
    std::error_code ec;
    const std::filesystem::directory_iterator files(X509_get_default_cert_dir(), ec);
    const bool has_authorities = sk_X509_OBJECT_num(X509_STORE_get0_objects(store)) > 0 ||
                                 (!ec && files != std::filesystem::directory_iterator());
    CHECK_THAT(refusal(context), ContainsSubstring("local issuer"));
    CHECK((refusal(context).find(note) == std::string::npos) == has_authorities);
  }
}

TEST_CASE("without SSL_CERT_FILE load_default_certs uses the system's file", "[ssl]") {
  const environment_variable no_file("SSL_CERT_FILE", std::nullopt);
  sk::ssl_context context(sk::PROTOCOL_TLS_CLIENT);
  context.load_default_certs();
  CHECK_THAT(refusal(context), ContainsSubstring("local issuer"));
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
  server.sni_callback([](const std::string&) -> const sk::ssl_context* { throw std::bad_alloc(); });
  CHECK_THAT(connect_once(client, server, "localhost", session).server,
             ContainsSubstring("another exception: ") && ContainsSubstring("alloc"));
  server.sni_callback(nullptr);
  CHECK_THAT(connect_once(client, server, "elsewhere.test", session).client,
             ContainsSubstring("ostname mismatch"));
  CHECK(failure_of([&] { client.sni_callback(nullptr); }) == "invalid_argument");
}

TEST_CASE("the context that a server chooses limits the versions", "[ssl][sni]") {
  sk::ssl_context server = server_context();
  sk::ssl_context chosen = server_context();
  server.sni_callback([&](const std::string&) { return &chosen; });
  chosen.maximum_version(sk::TLSVersion::TLSv1_2);
  CHECK(secured(client_context(), server).client.version() == "TLSv1.2");
  chosen.maximum_version(sk::TLSVersion::MAXIMUM_SUPPORTED);
  chosen.minimum_version(sk::TLSVersion::TLSv1_3);
  sk::ssl_session session;
  CHECK_THAT(connect_once(with_version(client_context(), sk::TLSVersion::TLSv1_2), server,
                          "localhost", session)
                 .client,
             ContainsSubstring("PROTOCOL_VERSION"));
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
  CHECK(both.client.session());
  SSL_set_session(ssl, nullptr);  // the program may take the session away
  CHECK_FALSE(both.client.session());
  both.client.close();
  CHECK(both.client.native_handle() == nullptr);
}
