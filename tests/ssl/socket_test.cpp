// SPDX-License-Identifier: MIT
#include <pysock/ssl_socket.hpp>

#include <fstream>
#include <sstream>

#include "ssl/tls.hpp"
#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/raw.hpp"
#include "support/temporary_directory.hpp"
#include "support/transferred.hpp"

namespace sk = pysock;
namespace sys = pysock::detail::sys;
using namespace test_support;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("a session transfers bytes in both directions with TLS 1.2 and 1.3", "[ssl]") {
  const auto version = GENERATE(sk::TLSVersion::TLSv1_2, sk::TLSVersion::TLSv1_3);
  sk::ssl_context context = client_context();
  only(context, version);
  session_pair both = secured(context, server_context());
  CHECK(both.client.send("from the client") == 15);
  CHECK(receive(both.server, 15) == "from the client");
  CHECK(both.server.sendall(std::string("from\0server", 11)) == 11);
  char buffer[20];
  CHECK(both.client.recv_into(buffer, 4) == 4);
  CHECK(both.client.pending() == 7);
  CHECK(both.client.recv() == std::string("\0server", 7));
  CHECK(both.client.pending() == 0);
  CHECK(both.client.send("") == 0);
  CHECK(both.client.sendall("") == 0);
  CHECK(both.client.recv(0).empty());
  CHECK(failure_of([&] { return both.client.recv(static_cast<std::size_t>(-1)); }) ==
        "invalid_argument");
  CHECK(failure_of([&] { return both.client.recv_into(buffer, 21); }) == "invalid_argument");
}

TEST_CASE("a session reports its version, cipher and names", "[ssl]") {
  const session_pair both = secured();
  CHECK(both.client.version() == "TLSv1.3");
  REQUIRE(both.client.cipher());
  CHECK(both.client.cipher()->name.compare(0, 4, "TLS_") == 0);
  CHECK(both.client.cipher()->protocol == "TLSv1.3");
  CHECK(both.client.cipher()->bits >= 128);
  CHECK(both.client.server_hostname() == "localhost");
  CHECK(both.server.server_hostname() == "localhost");
  CHECK(both.server.server_side());
  CHECK_FALSE(both.client.server_side());
  CHECK(both.client.getpeername() == both.server.getsockname());
  CHECK_THAT(both.client.to_string(),
             ContainsSubstring("<ssl.SSLSocket fd=" + std::to_string(both.client.fileno()) +
                               ", family=AF_INET"));
  std::ostringstream printed;
  printed << both.client;
  CHECK(printed.str() == both.client.to_string());
  CHECK(both.client.gettimeout() == sk::seconds(patience));
  CHECK(both.client.getblocking());
  CHECK(both.client);
}

TEST_CASE("the peer's certificate has Python's keys", "[ssl]") {
  const session_pair both = secured();
  const std::optional<sk::certificate> peer = both.client.getpeercert();
  REQUIRE(peer);
  CHECK(peer->subject["commonName"] == "the server");
  CHECK(peer->subject["countryName"] == "XX");
  CHECK(peer->subject["nothing"].empty());
  CHECK(peer->subject[0].type == peer->subject.front().type);  // 0 is an index, not a null pointer
  CHECK(peer->subject[1].value == (peer->subject.begin() + 1)->value);
  const std::string wanted = "commonName";
  CHECK(peer->subject[wanted] == "the server");
  const char* const none = nullptr;
  CHECK_THROWS_AS(peer->subject[none], std::invalid_argument);
  CHECK(peer->subject.size() == 3);
  CHECK(peer->issuer["commonName"] == "the tests authority");
  CHECK(peer->version == 3);
  CHECK(peer->serialNumber.size() >= 16);
  CHECK(peer->serialNumber.find_first_not_of("0123456789ABCDEF") == std::string::npos);
  CHECK(peer->notBefore.time_since_epoch().count() == 1577836800);  // 2020-01-01
  CHECK(peer->notAfter.time_since_epoch().count() == 4102444800);   // 2100-01-01
  CHECK(sk::to_string(peer->notBefore) == "Jan  1 00:00:00 2020 GMT");
  CHECK(sk::to_string(peer->notAfter) == "Jan  1 00:00:00 2100 GMT");
  std::ostringstream subject;
  subject << peer->subject;
  CHECK(subject.str() == "countryName=XX, organizationName=pysock, commonName=the server");
  std::ostringstream names;
  for (const sk::certificate_name& name : peer->subjectAltName) names << name << ' ';
  CHECK(names.str() ==
        "DNS=localhost DNS=*.example.test IP Address=127.0.0.1 IP Address=::1 "
        "URI=https://localhost/ email=who@example.test ");
  CHECK_FALSE(both.client.getpeercert_der().empty());
  CHECK_FALSE(both.server.getpeercert());
  CHECK(both.server.getpeercert_der().empty());
}

TEST_CASE("getpeercert returns nothing for an unverified certificate, getpeercert_der its bytes",
          "[ssl]") {
  sk::ssl_context careless(sk::PROTOCOL_TLS_CLIENT);
  careless.check_hostname(false).verify_mode(sk::CERT_NONE);
  const session_pair both = secured(careless, server_context("selfsigned"));
  CHECK_FALSE(both.client.getpeercert());
  CHECK_FALSE(both.client.getpeercert_der().empty());
}

TEST_CASE("a client sends its certificate if it is requested", "[ssl]") {
  const auto mode = GENERATE(sk::CERT_OPTIONAL, sk::CERT_REQUIRED);
  sk::ssl_context server = server_context();
  server.load_verify_locations(certificate_file("ca.pem"));
  server.verify_mode(mode);
  sk::ssl_context client = client_context();
  if (mode == sk::CERT_OPTIONAL) CHECK_FALSE(secured(client, server).server.getpeercert());
  client.load_cert_chain(certificate_file("client.pem"), certificate_file("client.key"));
  const session_pair both = secured(client, server);
  REQUIRE(both.server.getpeercert());
  CHECK(both.server.getpeercert()->subject["commonName"] == "the client");
}

TEST_CASE("without a handshake nothing is sent or received", "[ssl]") {
  auto plain = connected();
  const sk::ssl_context context = client_context();
  sk::ssl_socket client = context.wrap_socket(std::move(plain.first), "localhost",
                                              sk::wrap_options().do_handshake_on_connect(false));
  CHECK(tls_failure_of([&] { return client.send("secret"); }) ==
        "sslerror: the handshake has not been done");
  CHECK(tls_failure_of([&] { return client.sendall("secret"); }) ==
        "sslerror: the handshake has not been done");
  CHECK(tls_failure_of([&] { return client.recv(10); }) ==
        "sslerror: the handshake has not been done");
  CHECK(tls_failure_of([&] { return client.recv_exactly(10); }) ==
        "sslerror: the handshake has not been done");
  CHECK(tls_failure_of([&] { return client.unwrap(); }) ==
        "sslerror: the handshake has not been done");
  CHECK(client.version() == std::nullopt);
  CHECK(client.cipher() == std::nullopt);
  CHECK_FALSE(client.session());
  client.close();
  CHECK(plain.second.recv(10).empty());
}

TEST_CASE("after close every call fails with EBADF, and close can be repeated", "[ssl]") {
  session_pair both = secured();
  const sk::native_handle_type descriptor = both.client.fileno();
  both.client.close();
  both.client.close();
  CHECK_FALSE(is_open(descriptor));
  CHECK_FALSE(both.client);
  CHECK(both.client.fileno() == -1);
  CHECK(both.client.pending() == 0);
  CHECK(both.client.server_hostname().empty());
  CHECK_FALSE(both.client.session_reused());
  CHECK(both.client.getblocking());
  CHECK(both.client.gettimeout() == std::nullopt);
  const bool was_server = both.server.server_side();
  sk::ssl_socket moved = std::move(both.server);
  CHECK((was_server && moved.server_side() && !both.server.server_side()));
  both.server = std::move(moved);
  const std::string closed = failure("error", EBADF);
  CHECK(failure_of([&] { return both.client.recv(1); }) == closed);
  CHECK(failure_of([&] { return both.client.send("x"); }) == closed);
  CHECK(failure_of([&] { return both.client.sendfile("/etc/hostname"); }) == closed);
  CHECK(failure_of([&] { both.client.do_handshake(); }) == closed);
  CHECK(failure_of([&] { return both.client.unwrap(); }) == closed);
  CHECK(failure_of([&] { both.client.shutdown(SHUT_RDWR); }) == closed);
  CHECK(failure_of([&] { return both.client.getpeercert(); }) == closed);
  CHECK(failure_of([&] { return both.client.makefile(); }) == closed);
  CHECK(failure_of([&] { both.client.settimeout(1); }) == closed);
  CHECK(both.client.to_string() == "<ssl.SSLSocket [closed]>");
  CHECK(both.server.recv(1).empty());  // the end of the stream, every time
  CHECK(both.server.recv(1).empty());
}

TEST_CASE("a moved session can be used, and assignment closes the old session", "[ssl]") {
  session_pair both = secured();
  session_pair other = secured();
  sk::ssl_socket moved = std::move(both.client);
  CHECK(moved.sendall("x") == 1);
  CHECK(both.server.recv(1) == "x");
  sk::ssl_socket& same = moved;
  moved = std::move(same);
  CHECK(moved.sendall("z") == 1);
  CHECK(both.server.recv(1) == "z");
  moved = std::move(other.client);
  CHECK(both.server.recv(1).empty());
  moved.sendall("y");
  CHECK(other.server.recv(1) == "y");
}

TEST_CASE("the end of a connection without the closing alert is an error, unless suppressed",
          "[ssl]") {
  session_pair both = secured();
  both.server.sendall("all of it?");
  REQUIRE(sys::shutdown(both.server.fileno(), SHUT_WR) == 0);
  CHECK(both.client.recv(100) == "all of it?");
  CHECK(message_of([&] { return both.client.recv(1); }) ==
        "recv: EOF occurred in violation of protocol");
  CHECK(tls_failure_of([&] { return both.client.recv(1); }) == "eof");
  std::error_code ec;
  char buffer[8];
  CHECK(both.client.recv_into(buffer, ec) == 0);
  CHECK(ec == sk::ssl_errc::eof);
  CHECK(both.client.sendall("still open") == 10);  // the other direction still works
  CHECK(receive(both.server, 10) == "still open");
  CHECK(tls_failure_of([&] { return both.client.unwrap(); }) == "eof");

  session_pair trusting =
      secured(client_context(), server_context(), sk::wrap_options().suppress_ragged_eofs(true));
  REQUIRE(sys::shutdown(trusting.server.fileno(), SHUT_WR) == 0);
  CHECK(trusting.client.recv(1).empty());
  CHECK(trusting.client.recv_into(buffer, ec) == 0);
  CHECK_FALSE(ec);
}

TEST_CASE("a truncated record is not treated as the end of the stream", "[ssl]") {
  session_pair both = secured();
  REQUIRE(send_raw(both.server.fileno(), {0x17, 3, 3, 0, 50, 1, 2, 3}));
  REQUIRE(sys::shutdown(both.server.fileno(), SHUT_WR) == 0);
  CHECK(tls_failure_of([&] { return both.client.recv(1); }) == "eof");
}

TEST_CASE("a record that was tampered with ends the session", "[ssl]") {
  session_pair both = secured();
  std::string forged = {0x17, 3, 3, 0, 50};
  forged += std::string(50, 'x');
  REQUIRE(send_raw(both.server.fileno(), forged));
  CHECK(tls_failure_of([&] { return both.client.recv(1); }) ==
        "sslerror: DECRYPTION_FAILED_OR_BAD_RECORD_MAC");
  CHECK(tls_failure_of([&] { return both.client.send("x"); }) ==
        "sslerror: DECRYPTION_FAILED_OR_BAD_RECORD_MAC");
  CHECK(tls_failure_of([&] { return both.server.recv(1); }) ==
        "sslerror: SSLV3_ALERT_BAD_RECORD_MAC");
}

namespace {

// Why recv does not report a reset after data; empty if it does.
std::string why_reset_is_silent() {
  auto [stays, goes] = connected();
  const linger hard{1, 0};
  goes.setsockopt(SOL_SOCKET, SO_LINGER, {&hard, sizeof hard});
  goes.sendall("x");
  goes.close();
  char buffer[2];
  int last = 1;
  for (int i = 0; i < 2 && last > 0; ++i)
    last = static_cast<int>(::recv(raw(stays), buffer, sizeof buffer, 0));
  return last < 0 ? "" : "::recv takes a reset after data for an end";
}

}  // namespace

TEST_CASE("a reset is reported as such, not as the end of the stream", "[ssl]") {
  const std::string reason = why_reset_is_silent();
  if (!reason.empty()) SKIP_TEST(reason);
  session_pair both =
      secured(client_context(), server_context(), sk::wrap_options().suppress_ragged_eofs(true));
  const linger hard{1, 0};
  REQUIRE(sys::setsockopt(both.server.fileno(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard) == 0);
  REQUIRE(send_raw(both.server.fileno(), {0x17, 3, 3, 0, 50}));
  // Not close() of the session, which would send its alert first.
  REQUIRE(sys::close(both.server.fileno()) == 0);
  CHECK(failure_of([&] { return both.client.recv(1); }) ==
        failure("connection_reset_error", ECONNRESET));
  CHECK(failure_of([&] { return both.client.send("x"); }) ==
        failure("connection_reset_error", ECONNRESET));
}

TEST_CASE("unwrap exchanges closing alerts and returns the connection", "[ssl]") {
  const auto version = GENERATE(sk::TLSVersion::TLSv1_2, sk::TLSVersion::TLSv1_3);
  sk::ssl_context context = client_context();
  only(context, version);
  session_pair both = secured(context, server_context());
  background<sk::socket> other([&] {
    sk::socket plain = both.server.unwrap();
    plain.sendall("in clear text");
    return plain;
  });
  sk::socket plain = both.client.unwrap();
  CHECK_FALSE(both.client);
  CHECK(receive(plain, 13) == "in clear text");
  sk::socket server = other.get();
  plain.sendall("likewise");
  CHECK(receive(server, 8) == "likewise");
  CHECK(plain.gettimeout() == sk::seconds(patience));
}

TEST_CASE("unwrap fails if data arrive instead of the alert", "[ssl]") {
  session_pair both = secured();
  both.server.sendall("not yet");
  CHECK(tls_failure_of([&] { return both.client.unwrap(); }) ==
        "sslerror: APPLICATION_DATA_AFTER_CLOSE_NOTIFY");
}

TEST_CASE("shutdown ends one direction cleanly", "[ssl]") {
  session_pair both = secured();
  CHECK(failure_of([&] { both.client.shutdown(99); }) == failure("error", EINVAL));
  both.client.sendall("request");
  both.client.shutdown(SHUT_WR);
  CHECK(both.server.recv(100) == "request");
  CHECK(both.server.recv(100).empty());
  both.server.sendall("answer");
  both.server.close();
  CHECK(both.client.recv(100) == "answer");
  CHECK(both.client.recv(100).empty());
  CHECK(tls_failure_of([&] { return both.client.send("more"); }) ==
        "sslerror: PROTOCOL_IS_SHUTDOWN");
}

TEST_CASE("a file of a session reads lines, and works after the socket is closed", "[ssl]") {
  session_pair both = secured();
  sk::file writer = both.server.makefile("w");
  sk::file reader = both.client.makefile("r");
  writer << "first\nsecond\n" << 3 << std::endl;
  writer.flush();
  both.server.close();
  both.client.close();
  writer.write("last");
  writer.close();  // sends the alert
  CHECK(reader.readline() == "first\n");
  CHECK(reader.readlines() == std::vector<std::string>{"second\n", "3\n", "last"});
  CHECK(reader.readline().empty());
  CHECK(reader.fileno() >= 0);
}

TEST_CASE("a file throws the exceptions of TLS", "[ssl]") {
  session_pair both = secured();
  sk::file reader = both.client.makefile("r");
  both.server.sendall("half a li");
  reader.settimeout(0.05);
  CHECK(tls_failure_of([&] { return reader.readline(); }) == "timeout");
  reader.settimeout(patience);
  REQUIRE(sys::shutdown(both.server.fileno(), SHUT_WR) == 0);
  CHECK(tls_failure_of([&] { return reader.readline(); }) == "eof");
  CHECK(transferred([&] { return reader.readline(); }) == 9);
  reader.settimeout(0);
  CHECK(reader.read(9) == "half a li");
}

TEST_CASE("sendfile of a session reads and sends", "[ssl]") {
  session_pair both = secured();
  const temporary_directory folder;
  std::string content;
  for (int i = 0; content.size() < 100000; ++i) content += std::to_string(i) + "\n";
  std::ofstream(folder / "file", std::ios::binary) << content;
  background<std::string> receiving(
      [&] { return receive(both.server, content.size() + 10 + content.size() - 99000); });
  CHECK(both.client.sendfile(folder / "file") == content.size());
  CHECK(both.client.sendfile(folder / "file", 5, 10) == 10);
  std::istringstream stream(content);
  CHECK(both.client.sendfile(stream, 99000) == content.size() - 99000);
  CHECK(receiving.get() == content + content.substr(5, 10) + content.substr(99000));
  CHECK(failure_of([&] { return both.client.sendfile("/nowhere"); }) ==
        failure("file_not_found_error", ENOENT));
  CHECK(failure_of([&] { return both.client.sendfile(folder / "file", -1); }) ==
        "invalid_argument");
  both.client.setblocking(false);
  CHECK(failure_of([&] { return both.client.sendfile(folder / "file"); }) == "invalid_argument");
}

TEST_CASE("sendfile without memory for its buffer sends nothing", "[ssl]") {
  session_pair both = secured();
  std::istringstream stream("some text");
  std::error_code ec;
  std::size_t number = 0;
  do {
    fail_allocation(++number);
    const std::size_t sent = both.client.sendfile(stream, 0, std::nullopt, ec);
    if (!stop_failing()) {
      CHECK(sent == 9);
      break;
    }
    CHECK(sent == 0);
    CHECK(ec == std::errc::not_enough_memory);
    CHECK(stream.tellg() == 0);
  } while (number < 100);
  CHECK(number > 1);
  CHECK_FALSE(ec);
  CHECK(receive(both.server, 9) == "some text");
}

TEST_CASE("a session reads and sets options of its socket", "[ssl]") {
  session_pair both = secured();
  both.client.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1);
  CHECK(both.client.getsockopt(SOL_SOCKET, SO_KEEPALIVE) != 0);
  both.client.setblocking(true);
  CHECK(both.client.gettimeout() == std::nullopt);
  both.client.settimeout(2);
  CHECK(both.client.gettimeout() == sk::seconds(2));
}

TEST_CASE("times of certificates print as Python has them", "[ssl]") {
  const auto text = [](std::int64_t seconds) {
    return sk::to_string(sk::certificate_time(std::chrono::seconds(seconds)));
  };
  CHECK(text(0) == "Jan  1 00:00:00 1970 GMT");
  CHECK(text(-1) == "Dec 31 23:59:59 1969 GMT");
  CHECK(text(951782399) == "Feb 28 23:59:59 2000 GMT");
  CHECK(text(951782400) == "Feb 29 00:00:00 2000 GMT");
  CHECK(text(4107542400) == "Mar  1 00:00:00 2100 GMT");  // no leap year
  CHECK(text(253402300799) == "Dec 31 23:59:59 9999 GMT");
  CHECK(text(1742040000 - 43200) == "Mar 15 00:00:00 2025 GMT");
}
