// SPDX-License-Identifier: MIT
// Resumption of sessions.
#include <pysock/ssl.hpp>

#include "ssl/tls.hpp"
#include "support/catch.hpp"
#include "support/python_peer.hpp"

namespace sk = pysock;
using namespace test_support;

TEST_CASE("a second connection resumes the session of the first", "[ssl]") {
  const auto version = GENERATE(sk::TLSVersion::TLSv1_2, sk::TLSVersion::TLSv1_3);
  const bool with_certificate = GENERATE(false, true);
  sk::ssl_context client = client_context();
  sk::ssl_context server = server_context();
  only(client, version);
  if (with_certificate) {
    server.load_verify_locations(certificate_file("ca.pem"));
    server.verify_mode(sk::CERT_REQUIRED);
    client.load_cert_chain(certificate_file("client.both"));
  }
  sk::ssl_session session;
  {
    session_pair both = secured(client, server);
    CHECK_FALSE(both.client.session_reused());
    CHECK(both.client.session());
    CHECK_FALSE(both.server.session());
    CHECK(both.client.session().resumable() == (version == sk::TLSVersion::TLSv1_2));
    both.server.sendall("data, and the tickets before it");
    (void)both.client.recv();
    session = both.client.session();
    CHECK(session.resumable());
    both.client.close();
  }
  session_pair both = secured(client, server, sk::wrap_options().session(session));
  CHECK(both.client.session_reused());
  CHECK(both.server.session_reused());
  REQUIRE(both.client.getpeercert());
  CHECK(both.client.getpeercert()->subject["commonName"] == "the server");
  both.client.sendall("x");
  CHECK(both.server.recv(1) == "x");
}

TEST_CASE("a server without the session makes a full handshake", "[ssl]") {
  const auto version = GENERATE(sk::TLSVersion::TLSv1_2, sk::TLSVersion::TLSv1_3);
  sk::ssl_context client = client_context();
  only(client, version);
  session_pair first = secured(client, server_context());
  first.server.sendall("x");
  (void)first.client.recv();
  const session_pair second =
      secured(client, server_context(), sk::wrap_options().session(first.client.session()));
  CHECK_FALSE(second.client.session_reused());
  CHECK(second.client.version());
}

TEST_CASE("a session is resumed only with its own context and name", "[ssl]") {
  const sk::ssl_context client = client_context();
  const sk::ssl_context other = client_context();
  const sk::ssl_context server = server_context();
  session_pair first = secured(client, server);
  const auto options = sk::wrap_options().session(first.client.session());
  auto plain = connected();
  CHECK(message_of([&] {
          return other.wrap_socket(std::move(plain.first), "localhost", options);
        }) == "wrap_socket: Session refers to a different SSLContext.");
  plain = connected();
  CHECK(message_of([&] {
          return client.wrap_socket(std::move(plain.first), "127.0.0.1", options);
        }) == "wrap_socket: the session is one with another host");
  plain = connected();
  CHECK(failure_of([&] { return server.wrap_server(std::move(plain.first), options); }) ==
        "invalid_argument");
  CHECK_FALSE(sk::ssl_session().resumable());
}

TEST_CASE("Python's server resumes our session too", "[ssl][peers]") {
  const auto version = GENERATE(sk::TLSVersion::TLSv1_2, sk::TLSVersion::TLSv1_3);
  python_peer peer(R"(
import ssl
serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
serving.load_cert_chain(sys.argv[1])
listener = socket.create_server(('127.0.0.1', 0))
say('port', listener.getsockname()[1])
for _ in range(2):
    conn = serving.wrap_socket(listener.accept()[0], server_side=True)
    conn.sendall(b'x')
    conn.recv(1)
    say('reused', conn.session_reused)
)",
                   {certificate_file("server.both")});
  const int port = peer.expect_number("port");
  sk::ssl_context client = client_context();
  only(client, version);
  sk::wrap_options options;
  for (const char* reused : {"False", "True"}) {
    sk::socket plain;
    plain.settimeout(patience);
    plain.connect({"127.0.0.1", port});
    sk::ssl_socket s = client.wrap_socket(std::move(plain), "localhost", options);
    CHECK(s.recv(1) == "x");
    options.session(s.session());
    s.sendall("y");
    CHECK(peer.expect("reused") == reused);
  }
  peer.finish();
}
