// SPDX-License-Identifier: MIT
// Signals during calls of a session, and SIGPIPE, which sessions never raise.
#include <signal.h>
#include <sys/socket.h>

#include <functional>
#include <pysock/ssl.hpp>

#include "ssl/tls.hpp"
#include "support/catch.hpp"

namespace sk = pysock;
using namespace test_support;

TEST_CASE("a signal is ignored, or ends the call if the hook returns false", "[ssl]") {
  struct sigaction quiet {};
  struct sigaction before {};
  quiet.sa_handler = [](int) {};
  REQUIRE(::sigaction(SIGUSR1, &quiet, &before) == 0);
  const sk::ssl_context client = client_context();
  const sk::ssl_context server = server_context();
  auto plain = connected();
  bool go_on = true;
  int asked = 0;
  struct state {
    bool& go_on;
    int& asked;
  } data{go_on, asked};
  plain.first.set_interrupt_hook(
      [](void* given) noexcept {
        ++static_cast<state*>(given)->asked;
        return static_cast<state*>(given)->go_on;
      },
      &data);
  background<sk::ssl_socket> accepting([&] { return server.wrap_server(std::move(plain.second)); });
  sk::ssl_socket c = client.wrap_socket(std::move(plain.first), "localhost");
  sk::ssl_socket s = accepting.get();
  {
    background<std::string> receiving([&] { return c.recv(10); });
    receiving.wait_until_asleep();
    ::pthread_kill(receiving.native_handle(), SIGUSR1);
    receiving.wait_until_asleep();
    s.sendall("in spite");
    CHECK(receiving.get() == "in spite");
  }
  CHECK(asked > 0);
  go_on = false;
  background<std::string> receiving([&] { return failure_of([&] { return c.recv(10); }); });
  receiving.wait_until_asleep();
  ::pthread_kill(receiving.native_handle(), SIGUSR1);
  CHECK(receiving.get() == failure("interrupted_error", EINTR));
  REQUIRE(::sigaction(SIGUSR1, &before, nullptr) == 0);
}

TEST_CASE("no call of a session raises SIGPIPE", "[ssl]") {
  CHECK(in_child([] {
          ::signal(SIGPIPE, SIG_DFL);
          const auto without_peer = [](const std::function<void(sk::ssl_socket&)>& call) {
            session_pair both = secured();
            ::shutdown(both.client.fileno(), SHUT_WR);  // every later send fails with EPIPE
            try {
              call(both.client);
            } catch (const sk::broken_pipe_error&) {
              return 0;
            }
            return 1;
          };
          int wrong = 0;
          wrong += without_peer([](sk::ssl_socket& s) { (void)s.send("x"); });
          wrong += without_peer([](sk::ssl_socket& s) { s.sendall(std::string(100000, 'x')); });
          wrong += without_peer([](sk::ssl_socket& s) { s.sendfile("/proc/self/exe"); });
          wrong += without_peer([](sk::ssl_socket& s) { (void)s.unwrap(); });
          wrong += without_peer([](sk::ssl_socket& s) {
            sk::file f = s.makefile("w");
            f.write("x");
            f.flush();
          });
          // close, the destructor and the handshake raise no signal either.
          wrong += 1 - without_peer([](sk::ssl_socket& s) { s.close(); });
          wrong += 1 - without_peer([](sk::ssl_socket& s) { sk::ssl_socket(std::move(s)); });
          auto plain = connected();
          ::shutdown(plain.first.fileno(), SHUT_WR);
          const std::string said = failure_of(
              [&] { return client_context().wrap_socket(std::move(plain.first), "localhost"); });
          return wrong + (said == failure("broken_pipe_error", EPIPE) ? 0 : 10);
        }) == 0);
}
