// SPDX-License-Identifier: MIT
// Peers that send valid messages at bad times: floods of empty messages, KeyUpdates while a record
// is half sent.
#include <openssl/ssl.h>

#include <atomic>
#include <memory>
#include <pysock/ssl.hpp>

#include "ssl/tls.hpp"
#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/transferred.hpp"

namespace sk = pysock;
using namespace test_support;

namespace {

constexpr double short_time = 0.2;

SSL* openssl(const sk::ssl_socket& s) { return static_cast<SSL*>(s.native_handle()); }

// Sends the same bytes until the connection is closed or the object is destroyed.
class flood {
 public:
  flood(sk::socket&& to, std::string bytes)
      : to_(std::move(to)), thread_([this, data = std::move(bytes)] {
          to_.settimeout(short_time);
          std::error_code ec;
          std::size_t gone = 0;
          while (!stop_ && (!ec || ec == sk::errc::timed_out)) {
            gone += to_.sendall(sk::const_bytes(data).after(gone), ec);
            if (gone == data.size()) gone = 0;
          }
        }) {}
  flood(const flood&) = delete;
  flood& operator=(const flood&) = delete;
  ~flood() {
    stop_ = true;
    thread_.join();
  }

 private:
  sk::socket to_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

// Records full of HelloRequest messages, which a client skips during its handshake.
std::string hello_requests(std::size_t size_of_record) {
  std::string record = {0x16, 3, 3, static_cast<char>(size_of_record >> 8),
                        static_cast<char>(size_of_record & 0xff)};
  record.append(size_of_record, '\0');
  std::string many;
  while (many.size() < 60000) many += record;
  return many;
}

// Sends a KeyUpdate that requests one from the peer.
void key_update(const sk::ssl_socket& s) {
  REQUIRE(SSL_key_update(openssl(s), SSL_KEY_UPDATE_REQUESTED) == 1);
  REQUIRE(SSL_do_handshake(openssl(s)) == 1);
}

std::string numbered(std::size_t size) {
  std::string data(size, '\0');
  for (std::size_t i = 0; i < size; ++i) data[i] = static_cast<char>(i * 2654435761U >> 13);
  return data;
}

// Sends until the connection is full, so that a record is half sent. Returns the number of bytes
// that sendall reports as sent.
std::size_t fill(sk::ssl_socket& s, const std::string& data) {
  s.settimeout(short_time);
  std::size_t gone = 0;
  for (std::size_t moved = 1; moved > 0; gone += moved)
    moved = transferred([&] { return s.sendall(sk::const_bytes(data).after(gone)); });
  s.settimeout(patience);
  REQUIRE(gone < data.size());
  return gone;
}

constexpr std::size_t more_than_fits = 16000000;

}  // namespace

namespace {

const std::string asked_name = "localhost";

// The first message of a client that asks for this name.
std::string client_hello() {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  SSL_CTX_free);
  const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), SSL_free);
  BIO* sent = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), sent);
  REQUIRE(SSL_set_tlsext_host_name(ssl.get(), asked_name.c_str()) == 1);
  REQUIRE(SSL_connect(ssl.get()) == -1);
  std::string bytes(BIO_ctrl_pending(sent), '\0');
  REQUIRE(BIO_read(sent, bytes.data(), static_cast<int>(bytes.size())) > 0);
  return bytes;
}

}  // namespace

TEST_CASE("a server refuses a client's name that is not well-formed", "[ssl][sni]") {
  std::string hello = client_hello();
  // Before the name: the type of the extension, its size, the size of the list, the type of the
  // name and its size.
  const std::size_t at = hello.find(asked_name);
  REQUIRE(at != std::string::npos);
  std::string expected;
  SECTION("well-formed") { expected = asked_name; }
  SECTION("of another type") { hello[at - 3] = 1; }
  SECTION("longer than the list") { ++hello[at - 1]; }
  SECTION("cut off") {
    hello[at - 6] = 3;  // the rest becomes another extension, which nobody knows
    hello[at - 2] = hello[at - 1] = 0x5a;
    hello[at] = 0;
    hello[at + 1] = static_cast<char>(asked_name.size() - 2);
  }
  std::vector<std::string> seen;
  sk::ssl_context server = server_context();
  server.sni_callback([&seen](const std::string& name) -> const sk::ssl_context* {
    seen.push_back(name);
    return nullptr;
  });
  auto plain = connected();
  plain.first.sendall(hello);
  plain.first.shutdown(SHUT_WR);
  sk::ssl_socket s = server.wrap_server(std::move(plain.second),
                                        sk::wrap_options().do_handshake_on_connect(false));
  CHECK(tls_failure_of([&] { s.do_handshake(); }) ==
        (expected.empty() ? "sslerror: BAD_EXTENSION" : "eof"));
  CHECK(seen == std::vector<std::string>{expected});
  CHECK(s.server_hostname() == expected);
}

TEST_CASE("a handshake times out during a flood of HelloRequest messages", "[ssl][flood]") {
  const std::size_t size = GENERATE(std::size_t{4}, std::size_t{16384});
  CAPTURE(size);
  constexpr double limit = 1;
  auto plain = connected();
  plain.first.settimeout(limit);
  const sk::ssl_context context = client_context();
  sk::ssl_socket client = context.wrap_socket(std::move(plain.first), "localhost",
                                              sk::wrap_options().do_handshake_on_connect(false));
  const flood peer(std::move(plain.second), hello_requests(size));
  background<std::string> shaking([&] { return tls_failure_of([&] { client.do_handshake(); }); });
  const stopwatch watch;
  double longest = 0;
  for (int asked = 0; !shaking.done(); ++asked) {
    const stopwatch one;
    CHECK(client.pending() == 0);
    CHECK_FALSE(client.cipher());
    longest = std::max(longest, one.seconds());
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  INFO("another thread waited " << longest << " s, the handshake took " << watch.seconds());
  CHECK(shaking.get() == "timeout");
  CHECK(longest < limit / 2);
  CHECK(watch.seconds() < 3 * limit);
}

TEST_CASE("shutdown ends a handshake during a flood of HelloRequest messages", "[ssl][flood]") {
  auto plain = connected();
  plain.first.settimeout(patience);
  const sk::ssl_context context = client_context();
  sk::ssl_socket client = context.wrap_socket(std::move(plain.first), "localhost",
                                              sk::wrap_options().do_handshake_on_connect(false));
  const flood peer(std::move(plain.second), hello_requests(4));
  background<std::string> shaking([&] { return tls_failure_of([&] { client.do_handshake(); }); });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));  // the flood runs
  const stopwatch watch;
  client.shutdown(SHUT_RDWR);
  CHECK(watch.seconds() < 1);
  CHECK(shaking.get() != "none");
  CHECK(watch.seconds() < patience.count() / 2);
}

TEST_CASE("a non-blocking handshake returns during a flood of HelloRequest messages",
          "[ssl][flood]") {
  auto plain = connected();
  plain.first.setblocking(false);
  const sk::ssl_context context = client_context();
  sk::ssl_socket client = context.wrap_socket(std::move(plain.first), "localhost",
                                              sk::wrap_options().do_handshake_on_connect(false));
  const flood peer(std::move(plain.second), hello_requests(16384));
  for (int i = 0; i < 20; ++i) {
    REQUIRE(wait_for(client.fileno(), POLLIN));
    CHECK(tls_failure_of([&] { client.do_handshake(); }) == "want_read");
  }
}

TEST_CASE("KeyUpdates that arrive while a record is half sent do not damage the session", "[ssl]") {
  session_pair both = secured();
  const std::string data = numbered(more_than_fits);
  const std::size_t gone = fill(both.client, data);
  for (int i = 0; i < 3; ++i) key_update(both.server);
  both.server.sendall("with the new key");
  CHECK(both.client.recv(100) == "with the new key");
  background<std::string> receiving([&] { return receive(both.server, data.size()); });
  CHECK(both.client.sendall(sk::const_bytes(data).after(gone)) == data.size() - gone);
  CHECK((receiving.get() == data));
}

TEST_CASE("recv stops when 48 KiB of answers to KeyUpdates cannot be sent", "[ssl]") {
  session_pair both = secured();
  const std::string data = numbered(more_than_fits);
  const std::size_t gone = fill(both.client, data);
  both.client.settimeout(short_time);
  for (int i = 0; i < 4000; ++i) key_update(both.server);
  both.server.sendall("after them");
  CHECK(tls_failure_of([&] { return both.client.recv(100); }) == "timeout");
  both.client.settimeout(patience);
  background<std::string> receiving([&] { return receive(both.server, data.size()); });
  CHECK(both.client.recv(100) == "after them");
  CHECK(both.client.sendall(sk::const_bytes(data).after(gone)) == data.size() - gone);
  CHECK((receiving.get() == data));
}

TEST_CASE("shutdown(SHUT_WR) that times out leaves both directions open", "[ssl]") {
  session_pair both = secured();
  const std::string data = numbered(more_than_fits);
  const std::size_t gone = fill(both.client, data);
  both.client.settimeout(short_time);
  CHECK(tls_failure_of([&] { both.client.shutdown(SHUT_WR); }) == "timeout");
  background<std::string> receiving([&] {
    std::string received = receive(both.server, gone + 1);
    both.server.sendall("the answer");
    return received;
  });
  both.client.settimeout(patience);
  both.client.shutdown(SHUT_WR);  // sends the rest of the record and the alert
  CHECK((receiving.get() == data.substr(0, gone)));
  CHECK(both.client.recv(100) == "the answer");
}

TEST_CASE("shutdown(SHUT_WR) waits while 48 KiB of answers to KeyUpdates cannot be sent", "[ssl]") {
  session_pair both = secured();
  const std::string data = numbered(more_than_fits);
  const std::size_t gone = fill(both.client, data);
  both.client.settimeout(short_time);
  for (int i = 0; i < 4000; ++i) key_update(both.server);
  // Until the client is in the middle of an answer.
  for (int i = 0; i < 100 && SSL_in_init(openssl(both.client)) == 0; ++i)
    CHECK(tls_failure_of([&] { return both.client.recv(100); }) == "timeout");
  CHECK(tls_failure_of([&] { both.client.shutdown(SHUT_WR); }) == "timeout");
  both.client.settimeout(patience);
  background<std::string> receiving([&] { return receive(both.server, gone + 1); });
  both.client.shutdown(SHUT_WR);
  CHECK((receiving.get() == data.substr(0, gone)));
}

TEST_CASE("KeyUpdates after shutdown(SHUT_WR) do not end receiving", "[ssl]") {
  session_pair both = secured();
  both.client.shutdown(SHUT_WR);
  for (int i = 0; i < 3; ++i) key_update(both.server);
  both.server.sendall("the answer");
  CHECK(both.client.recv(100) == "the answer");
  CHECK(both.server.recv(1).empty());
}

TEST_CASE("unwrap after a send that timed out sends the rest of the record first", "[ssl]") {
  session_pair both = secured();
  const std::string data = numbered(more_than_fits);
  const std::size_t gone = fill(both.client, data);
  both.client.settimeout(short_time);
  CHECK(tls_failure_of([&] { (void)both.client.unwrap(); }) == "timeout");
  both.client.settimeout(patience);
  background<std::string> other([&] {
    std::string received = receive(both.server, data.size());
    both.server.unwrap().sendall("in clear text");
    return received;
  });
  sk::socket plain = both.client.unwrap();
  CHECK((other.get() == data.substr(0, gone)));
  CHECK(receive(plain, 13) == "in clear text");
}

TEST_CASE("recv sends the rest of a record that a send left unsent", "[ssl]") {
  session_pair both = secured();
  const std::string data = numbered(more_than_fits);
  const std::size_t gone = fill(both.client, data);
  background<std::string> asking([&] { return both.client.recv(100); });
  asking.wait_until_asleep();
  CHECK((receive(both.server, gone) == data.substr(0, gone)));
  both.server.sendall("the answer");
  CHECK(asking.get() == "the answer");
}

TEST_CASE("a non-blocking send of a record that was sent in part reports want_write and no bytes",
          "[ssl]") {
  session_pair both = secured();
  both.client.setsockopt(SOL_SOCKET, SO_SNDBUF,
                         65536);  // the system does not enlarge it then
  both.client.setblocking(false);
  const std::string data = numbered(more_than_fits);
  std::size_t gone = 0;
  std::error_code ec;
  while (!ec && gone < data.size()) gone += both.client.send(sk::const_bytes(data).after(gone), ec);
  CHECK(ec == sk::ssl_errc::want_write);
  const sk::const_bytes rest = sk::const_bytes(data).after(gone);
  CHECK(both.client.send(rest, ec) == 0);
  CHECK(ec == sk::ssl_errc::want_write);
  CHECK(tls_failure_of([&] {
          return both.client.send("others, and long enough for the record");
        }) == "sslerror: BAD_WRITE_RETRY");
  CHECK(tls_failure_of([&] { return both.client.send(std::string(20000, 'x')); }) ==
        "sslerror: BAD_WRITE_RETRY");
  SECTION("recv sends the rest, and the next send of the same bytes reports it") {
    background<std::string> receiving([&] { return receive(both.server, gone + 16384); });
    while (!receiving.done()) {
      CHECK(tls_failure_of([&] { return both.client.recv(1); }) == "want_read");
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    CHECK((receiving.get() == data.substr(0, gone + 16384)));
    CHECK(both.client.send(rest) == 16384);
  }
  SECTION("send of the same bytes continues the record") {
    background<std::string> receiving([&] { return receive(both.server, data.size()); });
    while (gone < data.size()) {
      gone += both.client.send(sk::const_bytes(data).after(gone), ec);
      if (ec) REQUIRE(wait_for(both.client.fileno(), POLLOUT));
    }
    CHECK((receiving.get() == data));
  }
  SECTION("close sends the rest") {
    background<std::string> receiving([&] {
      std::string received = receive(both.server, data.size());
      both.server.close();  // the client's close waits for it
      return received;
    });
    both.client.settimeout(patience);
    both.client.close();
    CHECK((receiving.get() == data.substr(0, gone + 16384)));
  }
}

TEST_CASE("a session fails if there is no memory for the rest of a record", "[ssl]") {
  session_pair both = secured();
  both.client.setblocking(false);
  const std::string piece(16000, 'x');
  std::error_code ec;
  fail_allocation(1);
  while (!ec) (void)both.client.send(piece, ec);
  REQUIRE(stop_failing());
  CHECK(ec == std::errc::not_enough_memory);
  char buffer[1];
  CHECK(both.client.send(piece, ec) == 0);
  CHECK(ec == std::errc::not_enough_memory);
  both.client.recv_into(buffer, ec);
  CHECK(ec == std::errc::not_enough_memory);
}

TEST_CASE("data that arrived before a failed send can be received", "[ssl]") {
  session_pair both = secured();
  both.server.sendall("an early answer");
  REQUIRE(wait_for(both.client.fileno(), POLLIN));
  SECTION("after shutdown(SHUT_WR)") {
    both.client.shutdown(SHUT_WR);
    CHECK(tls_failure_of([&] { return both.client.send("more"); }) ==
          "sslerror: PROTOCOL_IS_SHUTDOWN");
  }
  SECTION("after shutdown of the descriptor") {
    REQUIRE(sk::detail::sys::shutdown(both.client.fileno(), SHUT_WR) == 0);
    CHECK(failure_of([&] { return both.client.send("more"); }) ==
          failure("broken_pipe_error", EPIPE));
  }
  CHECK(both.client.recv(100) == "an early answer");
}
