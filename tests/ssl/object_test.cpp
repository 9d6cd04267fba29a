// SPDX-License-Identifier: MIT
#include <pysock/ssl_object.hpp>

#include <openssl/ssl.h>

#include "ssl/tls.hpp"
#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/python_peer.hpp"
#include "support/transferred.hpp"

// ssl() and ssl_object are deprecated.
#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#endif

namespace sk = pysock;
using namespace test_support;
using Catch::Matchers::ContainsSubstring;

namespace {

// A client made by ssl() and a server made by an ssl_context.
struct old_pair {
  explicit old_pair(const sk::ssl_context& context = server_context()) {
    background<sk::ssl_socket> accepting(
        [&] { return context.wrap_server(std::move(plain.second)); });
    client.emplace(sk::ssl(plain.first));
    server = accepting.get();
  }
  std::pair<sk::socket, sk::socket> plain = connected();
  std::optional<sk::ssl_object> client;
  sk::ssl_socket server{nullptr};
};

}  // namespace

TEST_CASE("ssl() verifies nothing", "[ssl]") {
  for (const char* certificate : {"selfsigned", "expired", "unknown", "elsewhere"}) {
    INFO(certificate);
    old_pair both(server_context(certificate));
    CHECK(both.client->write("hello") == 5);
    CHECK(both.server.recv(10) == "hello");
    CHECK(both.server.server_hostname().empty());
  }
}

TEST_CASE("read returns the requested number of bytes, fewer only at the end", "[ssl]") {
  old_pair both;
  both.server.sendall("abc");
  both.server.sendall("defghi");
  CHECK(both.client->read(5) == "abcde");
  CHECK(both.client->read(0).empty());
  both.server.sendall(std::string(50000, 'x') + "the end");
  both.server.close();
  CHECK(both.client->read(4) == "fghi");
  CHECK(both.client->read() == std::string(50000, 'x') + "the end");
  CHECK(both.client->read().empty());
  CHECK(both.client->read(3).empty());
}

TEST_CASE("a failed read loses no data", "[ssl]") {
  auto plain = connected();
  const sk::ssl_context context = server_context();
  background<sk::ssl_socket> accepting(
      [&] { return context.wrap_server(std::move(plain.second)); });
  sk::ssl_object patient = sk::ssl(plain.first);
  sk::ssl_socket server = accepting.get();
  plain.first.settimeout(0.1);  // does not apply to the ssl_object
  server.sendall("early ");
  CHECK(patient.read(6) == "early ");
  server.sendall("cut off");
  REQUIRE(pysock::detail::sys::shutdown(server.fileno(), SHUT_WR) == 0);
  CHECK(transferred([&] { return patient.read(); }) == 7);
  CHECK(message_of([&] { return patient.read(); }) ==
        "read: EOF occurred in violation of protocol");
  CHECK(patient.read(7) == "cut off");
}

TEST_CASE("a read that runs out of memory loses no data", "[ssl]") {
  std::string sent;
  for (std::size_t i = 0; sent.size() < 200000; ++i) sent += std::to_string(i) + ' ';
  for (std::size_t number = 1;; ++number) {
    CAPTURE(number);
    old_pair both;
    background<std::size_t> sending([&] { return both.server.sendall(sent); });
    std::string got;
    got.reserve(sent.size());
    const auto size = static_cast<std::ptrdiff_t>(sent.size());
    const bool failed = fails_to_allocate(number, [&] { got += both.client->read(size); });
    CHECK(got.empty() == failed);
    if (failed) got += both.client->read(size);
    CHECK((got == sent));
    CHECK(sending.get() == sent.size());
    if (!failed) {
      CHECK(number > 4);  // allocates as data arrive
      break;
    }
  }
}

TEST_CASE("read has one timeout for all bytes, and can be repeated", "[ssl]") {
  auto plain = connected();
  const sk::ssl_context context = server_context();
  background<sk::ssl_socket> accepting(
      [&] { return context.wrap_server(std::move(plain.second)); });
  plain.first.settimeout(3);
  sk::ssl_object s = sk::ssl(plain.first);
  sk::ssl_socket server = accepting.get();
  server.sendall("beginning");
  const stopwatch watch;
  CHECK(tls_failure_of([&] { return s.read(20); }) == "timeout");
  CHECK(watch.seconds() >= 3);
  server.sendall(" and the end");
  CHECK(s.read(20) == "beginning and the en");
}

TEST_CASE("after an absolute deadline read returns no more data", "[ssl]") {
  auto plain = connected();
  const sk::ssl_context context = server_context();
  background<sk::ssl_socket> accepting(
      [&] { return context.wrap_server(std::move(plain.second)); });
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(3);
  plain.first.settimeout(deadline);
  sk::ssl_object s = sk::ssl(plain.first);
  sk::ssl_socket server = accepting.get();
  CHECK(tls_failure_of([&] { return s.read(1); }) == "timeout");
  CHECK(std::chrono::steady_clock::now() >= deadline);
  server.sendall("too late");
  REQUIRE(wait_for(plain.first.fileno(), POLLIN));
  CHECK(tls_failure_of([&] { return s.read(1); }) == "timeout");
}

TEST_CASE("write sends all data and returns their size", "[ssl]") {
  old_pair both;
  CHECK(both.client->write("") == 0);
  background<std::string> receiving([&] { return receive(both.server, 100000); });
  CHECK(both.client->write(std::string(100000, 'w')) == 100000);
  CHECK(receiving.get() == std::string(100000, 'w'));
}

TEST_CASE("server and issuer are the names of the peer's certificate", "[ssl]") {
  old_pair both;
  CHECK(both.client->server() == "/C=XX/O=pysock/CN=the server");
  CHECK(both.client->issuer() == "/O=pysock/CN=the tests authority");
}

TEST_CASE("socket and ssl_object can be destroyed in any order", "[ssl]") {
  {
    old_pair both;
    both.plain.first.close();
    CHECK(both.client->write("still") == 5);
    CHECK(both.server.recv(10) == "still");
    both.client.reset();
    CHECK(both.server.recv(10).empty());
  }
  old_pair both;
  both.client.reset();
  CHECK(both.server.recv(10).empty());
  CHECK(both.plain.first.fileno() >= 0);
  both.plain.first.settimeout(1);
  sk::ssl_object moved = [] {
    auto plain = connected();
    const sk::ssl_context context = server_context();
    background<int> accepting([&] {
      sk::ssl_socket s = context.wrap_server(std::move(plain.second));
      s.sendall("to the moved one");
      return 0;
    });
    sk::ssl_object first = sk::ssl(plain.first);
    sk::ssl_object second = std::move(first);
    CHECK(failure_of([&] { return first.read(1); }) == failure("error", EBADF));
    CHECK(failure_of([&] { return first.write("x"); }) == failure("error", EBADF));
    CHECK(failure_of([&] { return first.server(); }) == failure("error", EBADF));
    accepting.get();
    return second;
  }();
  CHECK(moved.read() == "to the moved one");
}

TEST_CASE("ssl() needs key and certificate together, and sends the certificate to the server",
          "[ssl]") {
  auto plain = connected();
  const std::string key = certificate_file("client.key");
  const std::string certificate = certificate_file("client.pem");
  try {
    (void)sk::ssl(plain.first, key);
    FAIL("not thrown");
  } catch (const sk::sslerror& e) {
    CHECK(std::string(e.what()) == "ssl: Both the key & certificate files must be specified");
    CHECK_FALSE(e.errnum());
  }
  CHECK(tls_failure_of([&] { return sk::ssl(plain.first, std::nullopt, certificate); }) ==
        "sslerror: Both the key & certificate files must be specified");
  CHECK(failure_of([&] { return sk::ssl(plain.first, "/nowhere", "/nowhere"); }) ==
        failure("file_not_found_error", ENOENT));
  CHECK(plain.first);  // still open

  sk::ssl_context server = server_context();
  server.load_verify_locations(certificate_file("ca.pem"));
  server.verify_mode(sk::CERT_REQUIRED);
  background<sk::ssl_socket> accepting([&] { return server.wrap_server(std::move(plain.second)); });
  const sk::ssl_object client = sk::ssl(plain.first, key, certificate);
  const sk::ssl_socket accepted = accepting.get();
  REQUIRE(accepted.getpeercert());
  CHECK(accepted.getpeercert()->subject["commonName"] == "the client");
}

TEST_CASE("ssl() throws sslerror or the socket's error", "[ssl]") {
  auto plain = connected();
  plain.second.sendall("no TLS here\r\n");
  CHECK(message_of([&] { return sk::ssl(plain.first); }) ==
        "ssl: [SSL: WRONG_VERSION_NUMBER] wrong version number");
  CHECK(failure_of([&] { return sk::ssl(sk::socket(nullptr)); }) == failure("error", EBADF));
  CHECK(failure_of([&] { return sk::ssl(sk::socket(AF_INET)); }) == failure("error", ENOTCONN));
  plain = connected();
  plain.first.settimeout(0.1);
  CHECK(message_of([&] { return sk::ssl(plain.first); }) == "ssl: timed out");
  plain = connected();
  plain.first.setblocking(false);
  CHECK(tls_failure_of([&] { return sk::ssl(plain.first); }) == "want_read");
  plain = connected();
  plain.second.close();
  CHECK_THAT(tls_failure_of([&] { return sk::ssl(plain.first); }),
             ContainsSubstring("eof") || ContainsSubstring("reset"));
}

TEST_CASE("the SSL_ERROR numbers are Python's", "[ssl]") {
  CHECK(SSL_ERROR_SSL == 1);
  CHECK(SSL_ERROR_WANT_READ == 2);
  CHECK(SSL_ERROR_WANT_WRITE == 3);
  CHECK(SSL_ERROR_WANT_X509_LOOKUP == 4);
  CHECK(SSL_ERROR_SYSCALL == 5);
  CHECK(SSL_ERROR_ZERO_RETURN == 6);
  CHECK(SSL_ERROR_WANT_CONNECT == 7);
  CHECK(SSL_ERROR_EOF == 8);
  CHECK(SSL_ERROR_INVALID_ERROR_CODE == 10);
}

TEST_CASE("RAND_status and RAND_add work", "[ssl]") {
  CHECK(sk::RAND_status());
  sk::RAND_add("a little noise", 0.0);
  sk::RAND_add({}, 0.0);
  CHECK(sk::RAND_status());
}
