// SPDX-License-Identifier: MIT
// An interrupter of the socket ends every call of the session.
#include <pysock/file.hpp>
#include <pysock/ssl.hpp>

#include <functional>
#include <thread>

#include "ssl/tls.hpp"
#include "support/catch.hpp"

namespace sk = pysock;
using namespace test_support;

namespace {

// Checks that `stop` ends `call` while it waits and when it starts.
void check_interrupted(sk::interrupter& stop, const std::function<void()>& call) {
  const auto failure = [&call] { return failure_of(call).substr(0, 17); };
  {
    background<std::string> waiting(failure);
    waiting.wait_until_asleep();
    stop.interrupt();
    CHECK(waiting.get() == "interrupted_error");
  }
  CHECK(failure() == "interrupted_error");
  stop.reset();
}

}  // namespace

TEST_CASE("an interrupter ends handshakes, reads and writes", "[ssl][interrupter]") {
  sk::interrupter stop;
  const sk::ssl_context client = client_context();
  {
    auto plain = connected();
    plain.first.set_interrupter(stop);
    plain.first.settimeout(std::nullopt);
    sk::ssl_socket silent = client.wrap_socket(std::move(plain.first), "localhost",
                                               sk::wrap_options().do_handshake_on_connect(false));
    check_interrupted(stop, [&silent] { silent.do_handshake(); });
  }
  const sk::ssl_context server = server_context();
  const auto session = [&] {
    auto plain = connected();
    plain.first.set_interrupter(stop);
    plain.first.settimeout(std::nullopt);
    background<sk::ssl_socket> accepting(
        [&] { return server.wrap_server(std::move(plain.second)); });
    session_pair both;
    both.client = client.wrap_socket(std::move(plain.first), "localhost");
    both.server = accepting.get();
    return both;
  };
  {
    auto [c, s] = session();
    check_interrupted(stop, [&c = c] { (void)c.recv(1); });
    check_interrupted(stop, [&c = c] { (void)c.recv_exactly(1); });
    check_interrupted(stop, [&c = c] { (void)c.wait_readable(std::nullopt); });
    sk::file f = c.makefile("r");
    check_interrupted(stop, [&f] { (void)f.read(1); });
    s.sendall("x");
    CHECK(f.read(1) == "x");
    // OpenSSL requires the same bytes again after an interrupted record.
    static const std::string data(16384, 'x');
    check_interrupted(stop, [&c = c] {
      for (;;) c.sendall(data);
    });
    check_interrupted(stop, [&c = c] {
      // The system's buffers may grow after they were full.
      while (c.wait_writable(std::nullopt)) c.sendall(data);
    });
  }
  auto [c, s] = session();
  check_interrupted(stop, [&c = c] { (void)c.unwrap(); });  // waits for the peer's alert
}
