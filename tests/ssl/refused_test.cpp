// SPDX-License-Identifier: MIT
// Certificates, names and arguments that must be refused, with the error messages.
#include <openssl/x509_vfy.h>

#include <pysock/ssl.hpp>
#include <string_view>

#include "ssl/tls.hpp"
#include "support/catch.hpp"

namespace sk = pysock;
using namespace test_support;
using Catch::Matchers::ContainsSubstring;

namespace {

struct outcome {
  std::string client;   // the class and the reason of its error
  std::string message;  // what() of its error
  std::string server;
};

// How a client that expects `name` and a server with this certificate fail.
outcome attempt(const std::string& certificate, const std::string& name,
                const sk::ssl_context& client) {
  auto both = connected();
  const sk::ssl_context server = server_context(certificate);
  outcome result;
  background<std::string> accepting([&] {
    return tls_failure_of([&] {
      sk::ssl_socket s = server.wrap_server(std::move(both.second));
      return s.recv(1);
    });
  });
  result.client = tls_failure_of([&] {
    try {
      client.wrap_socket(std::move(both.first), name).close();
    } catch (const std::exception& e) {
      result.message = e.what();
      throw;
    }
  });
  result.server = accepting.get();
  return result;
}

outcome attempt(const std::string& certificate, const std::string& name) {
  return attempt(certificate, name, client_context());
}

}  // namespace

TEST_CASE("invalid certificates are rejected, each with its own message", "[ssl]") {
  const struct {
    const char* certificate;
    const char* name;
    int error;
  } rows[] = {
      {"expired", "localhost", X509_V_ERR_CERT_HAS_EXPIRED},
      {"early", "localhost", X509_V_ERR_CERT_NOT_YET_VALID},
      {"selfsigned", "localhost", X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT},
      {"unknown", "localhost", X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY},
      {"server", "elsewhere.test", X509_V_ERR_HOSTNAME_MISMATCH},
      {"elsewhere", "localhost", X509_V_ERR_HOSTNAME_MISMATCH},  // its common name is localhost
      {"nameless", "localhost", X509_V_ERR_HOSTNAME_MISMATCH},
      {"server", "example.test", X509_V_ERR_HOSTNAME_MISMATCH},
      {"server", "host.0a7", X509_V_ERR_HOSTNAME_MISMATCH},  // not a number
      {"server", "a.b.example.test", X509_V_ERR_HOSTNAME_MISMATCH},
      {"server", "127.0.0.2", X509_V_ERR_IP_ADDRESS_MISMATCH},
      {"elsewhere", "127.0.0.1", X509_V_ERR_IP_ADDRESS_MISMATCH},
      {"server", "::2", X509_V_ERR_IP_ADDRESS_MISMATCH},
  };
  for (const auto& row : rows) {
    INFO(row.certificate << " for " << row.name);
    const outcome seen = attempt(row.certificate, row.name);
    const std::string why = X509_verify_cert_error_string(row.error);  // differs between versions
    CHECK(seen.client == "certificate: " + why);
    CHECK(seen.message ==
          std::string("wrap_socket '") + row.name +
              "': [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: " + why);
    CHECK_THAT(seen.server, ContainsSubstring("ALERT"));
  }
}

TEST_CASE("names and addresses in the certificate are accepted", "[ssl]") {
  for (const char* name : {"localhost", "LOCALHOST", "localhost.", "www.example.test", "127.0.0.1",
                           "::1", "0:0::1", "::1%lo"}) {
    INFO(name);
    CHECK(attempt("server", name).client == "none");
  }
}

TEST_CASE("a default context trusts the system's authorities, not the tests' authority", "[ssl]") {
  CHECK(attempt("server", "localhost", sk::create_default_context()).client ==
        "certificate: unable to get local issuer certificate");
}

TEST_CASE("invalid host names are rejected before anything is sent", "[ssl]") {
  const sk::ssl_context context = client_context();
  const std::string long_name(254, 'a');
  const struct {
    std::string_view name;
    const char* why;
  } rows[] = {
      {std::string_view("localhost\0.evil.test", 20), "embedded null character"},
      {std::string_view("127.0.0.1\0", 10), "embedded null character"},
      {"", "server_hostname cannot be an empty string or start with a leading dot"},
      {".example.test", "server_hostname cannot be an empty string or start with a leading dot"},
      {"b\xC3\xBC"
       "cher.test",
       "server_hostname must be printable ASCII; give international names in their xn-- form"},
      {"local host", "server_hostname must be printable ASCII"},
      {"127.0.0.1.", "server_hostname is neither a host name nor an IP address"},
      {"127.1", "server_hostname is neither a host name nor an IP address"},
      {"host.0x7f", "server_hostname is neither a host name nor an IP address"},
      {"host.0X7F", "server_hostname is neither a host name nor an IP address"},
      {"[::1]", "server_hostname is neither a host name nor an IP address"},
      {"localhost:443", "server_hostname is neither a host name nor an IP address"},
      {long_name, "server_hostname is too long"},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    auto [client, server] = connected();
    const sk::native_handle_type descriptor = client.fileno();
    std::string said;
    CHECK(failure_of([&, &client = client] {
            try {
              return context.wrap_socket(std::move(client), row.name);
            } catch (const std::exception& e) {
              said = e.what();
              throw;
            }
          }) == "invalid_argument");
    CHECK_THAT(said, ContainsSubstring(row.why));
    CHECK_FALSE(is_open(descriptor));
    CHECK(server.recv(1).empty());
  }
}

TEST_CASE("wrap_socket and wrap_server reject invalid arguments and close the socket", "[ssl]") {
  const sk::ssl_context client = client_context();
  const sk::ssl_context server = server_context();
  const auto refused = [](const auto& wrap) {
    auto both = connected();
    const sk::native_handle_type descriptor = both.first.fileno();
    const std::string said = message_of([&] { return wrap(both.first); });
    CHECK_FALSE(is_open(descriptor));
    return said;
  };
  CHECK(refused([&](sk::socket& s) { return client.wrap_socket(std::move(s), std::nullopt); }) ==
        "wrap_socket: check_hostname requires server_hostname");
  CHECK(refused([&](sk::socket& s) { return server.wrap_socket(std::move(s), "localhost"); }) ==
        "wrap_socket: the context is a server's");
  CHECK(refused([&](sk::socket& s) { return client.wrap_server(std::move(s)); }) ==
        "wrap_server: the context is a client's");
  CHECK(refused([&](sk::socket& s) {
          s.setblocking(false);
          return client.wrap_socket(std::move(s), "localhost");
        }) ==
        "wrap_socket: do_handshake_on_connect should not be specified for non-blocking sockets");
  CHECK(failure_of([&] { return client.wrap_socket(sk::socket(AF_INET), "localhost"); }) ==
        failure("error", ENOTCONN));
  CHECK(failure_of([&] { return client.wrap_socket(sk::socket(nullptr), "localhost"); }) ==
        failure("error", EBADF));
  sk::socket datagrams(AF_INET, SOCK_DGRAM);
  datagrams.connect({"127.0.0.1", 9});
  CHECK(failure_of([&] { return client.wrap_socket(std::move(datagrams), "localhost"); }) ==
        "invalid_argument");
}

TEST_CASE("plain text from the peer is refused by client and server", "[ssl]") {
  {
    auto both = connected();
    both.second.sendall("220 ready when you are\r\n");
    const sk::ssl_context context = client_context();
    CHECK(tls_failure_of([&] { return context.wrap_socket(std::move(both.first), "localhost"); }) ==
          "sslerror: WRONG_VERSION_NUMBER");
  }
  auto both = connected();
  both.first.sendall("GET / HTTP/1.0\r\n\r\n");
  const sk::ssl_context context = server_context();
  CHECK(message_of([&] { return context.wrap_server(std::move(both.second)); }) ==
        "wrap_server: [SSL: HTTP_REQUEST] http request");
}

TEST_CASE("a server with CERT_REQUIRED refuses a client without a certificate", "[ssl]") {
  const auto version = GENERATE(sk::TLSVersion::TLSv1_2, sk::TLSVersion::TLSv1_3);
  sk::ssl_context server = server_context();
  server.load_verify_locations(certificate_file("ca.pem"));
  server.verify_mode(sk::CERT_REQUIRED);
  sk::ssl_context client = client_context();
  only(client, version);
  auto both = connected();
  background<std::string> accepting(
      [&] { return message_of([&] { return server.wrap_server(std::move(both.second)); }); });
  // Under TLS 1.3 the client's handshake ends before the server checks.
  const std::string seen = tls_failure_of([&] {
    sk::ssl_socket s = client.wrap_socket(std::move(both.first), "localhost");
    return s.recv(1);
  });
  CHECK(accepting.get() ==
        "wrap_server: [SSL: PEER_DID_NOT_RETURN_A_CERTIFICATE] peer did not return a certificate");
  CHECK(seen == (version == sk::TLSVersion::TLSv1_3 ? "sslerror: TLSV13_ALERT_CERTIFICATE_REQUIRED"
                                                    : "sslerror: SSLV3_ALERT_HANDSHAKE_FAILURE"));
}

TEST_CASE("a client's certificate of an unknown authority is refused", "[ssl]") {
  sk::ssl_context server = server_context();
  server.load_verify_locations(certificate_file("ca.pem"));
  server.verify_mode(sk::CERT_OPTIONAL);
  sk::ssl_context client = client_context();
  client.load_cert_chain(certificate_file("unknown.both"));
  auto both = connected();
  background<std::string> accepting(
      [&] { return tls_failure_of([&] { return server.wrap_server(std::move(both.second)); }); });
  (void)tls_failure_of([&] {
    sk::ssl_socket s = client.wrap_socket(std::move(both.first), "localhost");
    return s.recv(1);
  });
  CHECK(accepting.get() == "certificate: unable to get local issuer certificate");
}
