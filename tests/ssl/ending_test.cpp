// SPDX-License-Identifier: MIT
// How sessions end: close, unwrap, shutdown, detach, destruction.
#include <openssl/ssl.h>

#include <pysock/ssl.hpp>

#include "ssl/tls.hpp"
#include "support/catch.hpp"
#include "support/native.hpp"
#include "support/python_peer.hpp"
#include "support/raw.hpp"
#include "support/transferred.hpp"

// ssl_object is deprecated.
#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#endif

namespace sk = pysock;
namespace sys = pysock::detail::sys;
using namespace test_support;

namespace {

// A server that issues its tickets at the end of the handshake, which it finishes after a line on
// its standard input. It prints how many bytes it received, and how receiving ended.
const char* const late_server = R"(
import ssl
serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
serving.load_cert_chain(sys.argv[1])
listener = socket.create_server(('127.0.0.1', 0))
say('port', listener.getsockname()[1])
conn = listener.accept()[0]
conn.settimeout(30)
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
session = serving.wrap_bio(incoming, outgoing, server_side=True)

def more():
    data = conn.recv(65536)
    if data:
        incoming.write(data)
    else:
        incoming.write_eof()

def shaken():
    try:
        session.do_handshake()
        return True
    except ssl.SSLWantReadError:
        return False

while not outgoing.pending:
    more()
    shaken()
conn.sendall(outgoing.read())
sys.stdin.readline()
total = 0
end = 'none'
try:
    while not shaken():
        more()
    conn.sendall(outgoing.read())  # the tickets
    while True:
        try:
            size = len(session.read(16384))
        except ssl.SSLWantReadError:
            more()
            continue
        if size == 0:
            break
        total += size
except OSError as e:
    end = type(e).__name__
say('end', end)
say('total', total)
)";

constexpr std::size_t enough = 200000;

}  // namespace

TEST_CASE("close of a client that only sends waits for the server's tickets", "[ssl][close]") {
  python_peer peer(late_server, {certificate_file("server.both")});
  const sk::ssl_context context = client_context();
  sk::socket plain;
  plain.settimeout(patience);
  plain.connect({"127.0.0.1", peer.expect_number("port")});
  sk::ssl_socket s = context.wrap_socket(std::move(plain), "localhost");
  s.sendall(std::string(enough, 'x'));
  background<int> closing([&] {
    s.close();
    return 0;
  });
  closing.wait_until_asleep();
  peer.go_on();
  CHECK(peer.expect("end") == "none");
  CHECK(peer.expect("total") == std::to_string(enough));
  closing.get();
  peer.finish();
}

TEST_CASE("close waits only if a ticket may still arrive", "[ssl][close]") {
  const stopwatch watch;
  SECTION("TLS 1.2") {
    sk::ssl_context context = client_context();
    only(context, sk::TLSVersion::TLSv1_2);
    session_pair both = secured(context, server_context());
    both.client.sendall("x");
    both.client.close();
  }
  SECTION("a server") {
    session_pair both = secured();
    both.server.sendall("x");
    both.server.close();
  }
  SECTION("after a ticket") {
    session_pair both = secured();
    both.client.sendall("x");
    both.server.sendall("x");
    (void)both.client.recv(1);
    both.client.close();
  }
  SECTION("after a ticket that wait_readable received") {
    session_pair both = secured();
    both.client.sendall("x");
    both.server.sendall("x");
    CHECK(both.client.wait_readable(patience));
    both.client.close();
  }
  SECTION("after a deadline") {
    session_pair both = secured();
    both.client.sendall("x");
    both.client.settimeout(std::chrono::steady_clock::now());
    both.client.close();
    CHECK(both.server.recv(10) == "x");
  }
  SECTION("after a reset") {
    session_pair both = secured();
    both.client.sendall("x");
    both.client.shutdown(SHUT_WR);
    const linger hard{1, 0};
    REQUIRE(sys::setsockopt(both.server.fileno(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard) == 0);
    REQUIRE(sys::close(both.server.detach()) == 0);
    REQUIRE(wait_for(both.client.fileno(), POLLIN));
    both.client.close();
    CHECK_FALSE(both.client);
  }
  SECTION("a client that has sent nothing") {
    session_pair both = secured();
    both.client.close();
  }
  SECTION("non-blocking mode") {
    session_pair both = secured();
    both.client.sendall("x");
    both.client.setblocking(false);
    both.client.close();
    CHECK(both.server.recv(10) == "x");
    CHECK(both.server.recv(10).empty());
  }
  SECTION("a timeout of less than 2 s") {
    session_pair both = secured();
    both.client.sendall("x");
    both.client.settimeout(0.1);
    both.client.close();
  }
  SECTION("destruction") {
    session_pair both = secured();
    both.client.sendall("x");
    both.client = sk::ssl_socket(nullptr);
    CHECK(both.server.recv(10) == "x");
    CHECK(both.server.recv(10).empty());
  }
  CHECK(watch.seconds() < 1.9);  // close waits at most 2 s
}

TEST_CASE("close of a blocking client waits until the server closes", "[ssl][close]") {
  session_pair both = secured();
  both.client.setblocking(true);
  both.client.sendall("x");
  background<int> closing([&] {
    both.client.close();
    return 0;
  });
  CHECK(both.server.recv(10) == "x");
  CHECK(both.server.recv(10).empty());
  closing.wait_until_asleep();
  // The first of them would make a closed client reset the connection.
  for (int i = 0; i < 3; ++i) CHECK(both.server.sendall("late") == 4);
  both.server.close();
  closing.get();
  CHECK_FALSE(both.client);
}

TEST_CASE("close does not receive more than a limit from a server that goes on sending",
          "[ssl][close]") {
  session_pair both = secured();
  both.client.sendall("x");
  background<std::size_t> sending(
      [&] { return transferred([&] { both.server.sendall(std::string(50000000, 'x')); }); });
  both.client.close();
  CHECK_FALSE(both.client);
  CHECK(sending.get() < 50000000);
}

TEST_CASE("a server in the middle of a KeyUpdate sends its first data without tickets",
          "[ssl][session]") {
  session_pair both = secured();
  REQUIRE(SSL_key_update(static_cast<SSL*>(both.server.native_handle()),
                         SSL_KEY_UPDATE_NOT_REQUESTED) == 1);
  both.server.sendall("data");
  CHECK(both.client.recv(10) == "data");
  CHECK_FALSE(both.client.session().resumable());
  both.server.sendall("more");
  CHECK(both.client.recv(10) == "more");
}

TEST_CASE("the closing alert is sent after a KeyUpdate that the program has not sent", "[ssl]") {
  session_pair both = secured();
  REQUIRE(SSL_key_update(static_cast<SSL*>(both.client.native_handle()),
                         SSL_KEY_UPDATE_NOT_REQUESTED) == 1);
  SECTION("close") {
    both.client.close();
    CHECK(both.server.recv(1).empty());
  }
  SECTION("shutdown") {
    both.client.shutdown(SHUT_WR);
    CHECK(both.server.recv(1).empty());
    both.server.sendall("the answer");
    CHECK(both.client.recv(10) == "the answer");
  }
  SECTION("unwrap") {
    background<sk::socket> other([&] { return both.server.unwrap(); });
    both.client.unwrap().sendall("x");
    CHECK(other.get().recv(1) == "x");
  }
}

TEST_CASE("destruction does not wait for a full connection", "[ssl]") {
  session_pair both = secured();
  both.client.settimeout(0.1);
  CHECK(transferred([&] { both.client.sendall(std::string(30000000, 'x')); }) > 0);
  both.client.settimeout(std::nullopt);
  const sk::native_handle_type descriptor = both.client.fileno();
  both.client = sk::ssl_socket(nullptr);  // the destructor must not block
  CHECK_FALSE(is_open(descriptor));
}

TEST_CASE("a server issues tickets with its first data", "[ssl][session]") {
  const int tickets = GENERATE(0, 1, 2, 5);
  CAPTURE(tickets);
  sk::ssl_context server = server_context();
  CHECK(server.num_tickets() == 2);
  CHECK(server.num_tickets(tickets).num_tickets() == tickets);
  const sk::ssl_context client = client_context();
  int issued = 0;

  SSL_CTX_set_app_data(static_cast<SSL_CTX*>(client.native_handle()), &issued);
  SSL_CTX_set_session_cache_mode(static_cast<SSL_CTX*>(client.native_handle()),
                                 SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(static_cast<SSL_CTX*>(client.native_handle()),
                          [](SSL* ssl, SSL_SESSION*) {
                            ++*static_cast<int*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
                            return 0;
                          });
  session_pair both = secured(client, server);
  CHECK_FALSE(wait_for(both.client.fileno(), POLLIN, 50));  // no ticket arrives before the data
  both.server.sendall("data");
  CHECK(both.client.recv(10) == "data");
  CHECK(issued == tickets);
  both.server.sendall("more");
  CHECK(both.client.recv(10) == "more");
  CHECK(issued == tickets);
  const sk::ssl_session session = both.client.session();
  CHECK(session.resumable() == (tickets > 0));
  if (tickets == 0) return;
  session_pair again = secured(client, server, sk::wrap_options().session(session));
  CHECK(again.client.session_reused());
  again.server.sendall("data");
  CHECK(again.client.recv(10) == "data");
  CHECK(issued == tickets + 1);
}

TEST_CASE("num_tickets refuses negative numbers and a client", "[ssl]") {
  CHECK(failure_of([] { server_context().num_tickets(-1); }) == "invalid_argument");
  CHECK(failure_of([] { client_context().num_tickets(1); }) == "invalid_argument");
}

TEST_CASE("detach sends nothing and keeps the descriptor open", "[ssl]") {
  session_pair both = secured();
  const sk::native_handle_type before = both.client.fileno();
  sk::file file = both.client.makefile("r");
  const sk::native_handle_type descriptor = both.client.detach();
  CHECK(descriptor == before);
  CHECK(is_open(descriptor));
  CHECK(failure_of([&] { return file.readline(); }) == failure("error", EBADF));
  file.close();
  CHECK(is_open(descriptor));
  sys::close(descriptor);
  CHECK(tls_failure_of([&] { return both.server.recv(1); }) == "eof");
}

TEST_CASE("an ssl object that is destroyed leaves clear text to the caller's socket", "[ssl]") {
  auto plain = connected();
  const sk::ssl_context context = server_context();
  background<sk::ssl_socket> accepting(
      [&] { return context.wrap_server(std::move(plain.second)); });
  std::optional<sk::ssl_object> client(sk::ssl(plain.first));
  const sk::ssl_socket server = accepting.get();
  REQUIRE(SSL_shutdown(static_cast<SSL*>(server.native_handle())) == 0);
  REQUIRE(send_raw(server.fileno(), "in clear text"));
  CHECK(client->read().empty());
  client.reset();
  CHECK(plain.first.recv(100) == "in clear text");
}

TEST_CASE("after a local shutdown receiving ends as on a plain socket", "[ssl]") {
  const std::string reason = why_shutdown_wakes_nobody();
  if (!reason.empty()) SKIP_TEST(reason);
  const int how = GENERATE(as<int>(), SHUT_RD, SHUT_RDWR);
  session_pair both = secured();
  sk::file file = both.client.makefile("r");
  both.client.shutdown(how);
  CHECK(both.client.recv(10).empty());
  CHECK(file.readline().empty());
}

TEST_CASE("the error_code overloads of close, unwrap and shutdown report failures", "[ssl]") {
  session_pair both = secured();
  std::error_code ec;
  both.client.shutdown(99, ec);
  CHECK(ec.value() == native(EINVAL));
  both.client.settimeout(0.05);
  CHECK_FALSE(both.client.unwrap(ec));
  CHECK(ec == sk::errc::timed_out);
  CHECK(both.client);
  background<sk::socket> other([&] { return both.server.unwrap(); });
  both.client.settimeout(patience);
  sk::socket plain = both.client.unwrap(ec);
  CHECK_FALSE(ec);
  CHECK(plain);
  (void)other.get();
  both.client.shutdown(SHUT_RDWR, ec);
  CHECK((ec == std::errc::bad_file_descriptor || ec == std::errc::not_a_socket));
  CHECK_FALSE(both.client.unwrap(ec));
  CHECK((ec == std::errc::bad_file_descriptor || ec == std::errc::not_a_socket));
  both.client.close(ec);
  CHECK_FALSE(ec);
}
