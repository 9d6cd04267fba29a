// SPDX-License-Identifier: MIT
// Signals: calls continue with the same deadline, the hook may end them, connect is not called
// again, and sending never raises SIGPIPE.
#include <signal.h>
#include <unistd.h>

#include <climits>
#include <pysock/selectors.hpp>
#include <pysock/socket.hpp>
#include <vector>

#include "support/background.hpp"
#include "support/catch.hpp"
#include "support/failure.hpp"
#include "support/process.hpp"
#include "support/sockets.hpp"

namespace sk = pysock;
using namespace test_support;

namespace {

// Lets SIGUSR1 interrupt system calls during its lifetime.
class interrupting_signal {
 public:
  interrupting_signal() {
    struct sigaction action {};
    action.sa_handler = [](int) {};
    ::sigaction(SIGUSR1, &action, &before_);
  }
  interrupting_signal(const interrupting_signal&) = delete;
  interrupting_signal& operator=(const interrupting_signal&) = delete;
  ~interrupting_signal() { ::sigaction(SIGUSR1, &before_, nullptr); }

 private:
  struct sigaction before_ {};
};

// An interrupt hook that counts interruptions and ends the call after `allowed` of them.
struct counting_hook {
  explicit counting_hook(int patience_for = INT_MAX) : allowed(patience_for) {}
  static bool ask(void* self) noexcept {
    auto* hook = static_cast<counting_hook*>(self);
    return ++hook->asked <= hook->allowed;
  }
  void set_on(sk::socket& s) { s.set_interrupt_hook(&counting_hook::ask, this); }

  std::atomic<int> asked{0};
  int allowed;
};

void nap() { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }

// Signals the thread until its call has been interrupted `times` times, or has ended.
template <class T>
void interrupt(background<T>& thread, const counting_hook& hook, int times) {
  thread.wait_until_asleep();
  const stopwatch watch;
  for (const int target = hook.asked + times;
       hook.asked < target && !thread.done() && watch.seconds() < 20;) {
    ::pthread_kill(thread.native_handle(), SIGUSR1);
    nap();
  }
}

// Signals the thread until its call has ended, or for 20 seconds.
template <class T>
void interrupt_to_the_end(background<T>& thread) {
  for (const stopwatch watch; !thread.done() && watch.seconds() < 20; nap())
    ::pthread_kill(thread.native_handle(), SIGUSR1);
}

const auto both_modes = {sk::timeout_value(std::nullopt), sk::timeout_value(patience)};

}  // namespace

TEST_CASE("calls that receive continue after signals", "[signals]") {
  const interrupting_signal signal;
  char buffer[10];
  sk::endpoint from;
  auto [client, server] = connected();
  counting_hook hook;
  hook.set_on(client);
  const std::vector<std::function<std::string()>> calls = {
      [&client = client] { return client.recv(10); },
      [&client = client, &buffer] { return std::string(buffer, client.recv_into(buffer)); },
      [&client = client] { return client.recvfrom(10).data; },
      [&client = client, &buffer] {
        return std::string(buffer, client.recvfrom_into(buffer).nbytes);
      },
      [&client = client, &buffer, &from] {
        return std::string(buffer, client.recvfrom_into(buffer, from));
      },
      [&client = client, &buffer] {
        std::error_code ec;
        const std::size_t count = client.recv_into(buffer, ec);
        return ec ? ec.message() : std::string(buffer, count);
      },
  };
  for (const sk::timeout_value& mode : both_modes) {
    client.settimeout(mode);
    for (const auto& call : calls) {
      background<std::string> receiving(call);
      interrupt(receiving, hook, 3);
      CHECK_FALSE(receiving.done());
      server.sendall("after");
      CHECK(receiving.get() == "after");
    }
  }
  CHECK(hook.asked >= 3 * 12);
}

TEST_CASE("calls without a hook continue after signals", "[signals]") {
  const interrupting_signal signal;
  auto [client, server] = connected();
  client.settimeout(std::nullopt);
  background<std::string> receiving([&client = client] { return client.recv(10); });
  receiving.wait_until_asleep();
  for (int i = 0; i < 20; ++i) {
    ::pthread_kill(receiving.native_handle(), SIGUSR1);
    receiving.wait_until_asleep();
  }
  CHECK_FALSE(receiving.done());
  server.sendall("after");
  CHECK(receiving.get() == "after");
}

TEST_CASE("accept continues after signals, and its sockets inherit the hook", "[signals]") {
  const interrupting_signal signal;
  for (const sk::timeout_value& mode : both_modes) {
    sk::socket listener = listening();
    counting_hook hook;
    hook.set_on(listener);
    listener.settimeout(mode);
    background<int> accepting([&] {
      sk::socket conn = listener.accept().conn;
      (void)conn.recv(1);  // interrupted as well
      return hook.asked.load();
    });
    interrupt(accepting, hook, 3);
    CHECK_FALSE(accepting.done());
    sk::socket client;
    client.connect(listener.getsockname());
    accepting.wait_until_asleep();
    interrupt(accepting, hook, 3);
    CHECK_FALSE(accepting.done());
    client.sendall("x");
    CHECK(accepting.get() >= 6);
  }
}

TEST_CASE("calls that send continue after signals", "[signals]") {
  const interrupting_signal signal;
  full_connection connection;
  sk::socket& client = connection.client;
  counting_hook hook;
  hook.set_on(client);
  const std::vector<std::function<std::size_t()>> calls = {
      [&client] { return client.send("x"); },
      [&client] { return client.sendall("xy"); },
      [&client] {
        return client.sendto("xyz", {"127.0.0.1", 9});
      },
  };
  std::size_t total = connection.under_way;
  for (const sk::timeout_value& mode : both_modes) {
    for (const auto& call : calls) {
      client.setblocking(false);
      std::error_code ec;
      while (!ec) total += client.send(std::string(1000, 'x'), ec);  // fills the buffer again
      client.settimeout(mode);
      background<std::size_t> sending(call);
      interrupt(sending, hook, 3);
      CHECK_FALSE(sending.done());
      std::size_t drained = 0;
      while (!sending.done())
        drained += wait_for(connection.server.fileno(), POLLIN, 10)
                       ? connection.server.recv(4096).size()
                       : 0;
      total -= drained;
      total += sending.get();
    }
  }
  client.shutdown(SHUT_WR);
  CHECK(drain(connection.server) == total);
}

TEST_CASE("signals do not extend the deadline", "[signals]") {
  const interrupting_signal signal;
  full_connection connection;
  sk::socket& client = connection.client;
  client.settimeout(0.2);
  char buffer[4];
  sk::socket listener = listening();
  listener.settimeout(0.2);
  const std::vector<std::function<void()>> calls = {
      [&] { (void)client.recv(10); },   [&] { client.recvfrom_into(buffer); },
      [&] { (void)client.send("x"); },  [&] { client.sendall("x"); },
      [&] { (void)listener.accept(); },
  };
  for (const auto& call : calls) {
    const stopwatch watch;
    background<std::string> waiting([&] { return failure_of([&] { return call(), 0; }); });
    interrupt_to_the_end(waiting);
    REQUIRE(waiting.done());
    CHECK(waiting.get() == "timeout");
    CHECK(watch.seconds() >= 0.2);
  }
}

TEST_CASE("the hook can end a call", "[signals]") {
  const interrupting_signal signal;
  auto [client, server] = connected();
  for (const sk::timeout_value& mode : both_modes) {
    counting_hook hook(2);
    hook.set_on(client);
    client.settimeout(mode);
    background<std::string> receiving(
        [&client = client] { return failure_of([&] { return client.recv(10); }); });
    interrupt(receiving, hook, 3);
    CHECK(receiving.get() == failure("interrupted_error", EINTR));
    CHECK(hook.asked == 3);
  }
  client.set_interrupt_hook(nullptr, nullptr);
  server.sendall("still usable");
  CHECK(client.recv(100) == "still usable");
}

TEST_CASE("sendall that the hook ends reports the bytes sent", "[signals]") {
  const interrupting_signal signal;
  auto [client, server] = connected();
  counting_hook hook(0);
  hook.set_on(client);
  const std::string data(std::size_t{64} << 20, 'x');
  background<std::size_t> sending([&client = client, &data] {
    try {
      return client.sendall(data);
    } catch (const sk::interrupted_error& e) {
      return e.transferred();
    }
  });
  interrupt(sending, hook, 1);
  const std::size_t gone = sending.get();
  CHECK(gone > 0);
  CHECK(gone < data.size());
  client.shutdown(SHUT_WR);
  CHECK(drain(server) == gone);
}

TEST_CASE("dup copies the hook", "[signals]") {
  const interrupting_signal signal;
  auto [client, server] = connected();
  counting_hook hook(0);
  hook.set_on(client);
  sk::socket copy = client.dup();
  background<std::string> receiving([&] { return failure_of([&] { return copy.recv(10); }); });
  interrupt(receiving, hook, 1);
  CHECK(receiving.get() == failure("interrupted_error", EINTR));
}

TEST_CASE("an interrupted connect waits and is not called again", "[signals]") {
  const interrupting_signal signal;
  for (const sk::timeout_value& mode : both_modes) {
    full_listener full;
    sk::socket s;
    counting_hook hook;
    hook.set_on(s);
    s.settimeout(mode);
    background<std::string> connecting(
        [&] { return failure_of([&] { return s.connect(full.address()), 0; }); });
    interrupt(connecting, hook, 3);
    CHECK_FALSE(connecting.done());
    for (std::size_t i = 0; i < full.queued.size(); ++i) (void)full.listener.accept();
    CHECK(connecting.get() == "none");  // a second call would have failed with EALREADY
    CHECK(s.getpeername() == full.address());
  }
}

TEST_CASE("an interrupted connect ends at its deadline, or by the hook", "[signals]") {
  const interrupting_signal signal;
  const full_listener full;
  sk::socket limited;
  limited.settimeout(0.2);
  const stopwatch watch;
  background<int> connecting([&] { return limited.connect_ex(full.address()); });
  interrupt_to_the_end(connecting);
  CHECK(connecting.get() == EWOULDBLOCK);
  CHECK(watch.seconds() >= 0.2);
  CHECK(watch.seconds() < 20);

  counting_hook hook(0);
  sk::socket ended;
  hook.set_on(ended);
  background<std::string> blocking(
      [&] { return failure_of([&] { return ended.connect(full.address()), 0; }); });
  interrupt(blocking, hook, 1);
  CHECK(blocking.get() == failure("interrupted_error", EINTR));
}

TEST_CASE("an AF_UNIX connect that a signal cancelled is called again, unless the hook ends it",
          "[signals][connect]") {
  const interrupting_signal signal;
  sk::socket listener(AF_UNIX);
  listener.bind("");
  listener.listen(0);
  sk::socket first(AF_UNIX);
  first.connect(listener.getsockname());

  counting_hook hook(0);
  sk::socket ended(AF_UNIX);
  hook.set_on(ended);
  background<std::string> ending(
      [&] { return failure_of([&] { return ended.connect(listener.getsockname()), 0; }); });
  interrupt(ending, hook, 1);
  CHECK(ending.get() == failure("interrupted_error", EINTR));

  counting_hook going_on(1000);
  sk::socket second(AF_UNIX);
  going_on.set_on(second);
  background<sk::address> connecting([&] {
    second.connect(listener.getsockname());
    return second.getpeername();
  });
  interrupt(connecting, going_on, 3);
  CHECK_FALSE(connecting.done());
  (void)listener.accept();
  CHECK(connecting.get() == listener.getsockname());
}

TEST_CASE("sending to a closed peer never raises SIGPIPE", "[signals]") {
  const auto by_default = [](const std::function<int()>& body) {
    return in_child([&] {
      ::signal(SIGPIPE, SIG_DFL);
      return body();
    });
  };
  const auto broken = [](const auto& call) {
    return failure_of(call) == failure("broken_pipe_error", EPIPE);
  };

  // Without the library, write() does raise the signal here.
  CHECK(by_default([] {
          auto [a, b] = sk::socketpair();
          b.close();
          return ::write(a.fileno(), "x", 1) < 0 ? 0 : 1;
        }) == 128 + SIGPIPE);

  CHECK(by_default([&] {
          auto [a, b] = sk::socketpair();
          b.close();
          std::error_code ec;
          const bool told = broken([&a = a] { return a.send("x"); }) &&
                            broken([&a = a] { return a.sendall("x"); }) &&
                            broken([&a = a] { return a.sendto("x", sk::endpoint()); }) &&
                            a.send("x", ec) == 0 && ec == std::errc::broken_pipe &&
                            a.sendall("x", ec) == 0 && ec == std::errc::broken_pipe;
          return told ? 0 : 1;
        }) == 0);
  CHECK(by_default([&] {
          auto [client, server] = connected();
          client.shutdown(SHUT_WR);
          client.settimeout(1);
          return broken([&client = client] { return client.send("x"); }) ? 0 : 1;
        }) == 0);
  CHECK(by_default([&] {
          sk::socket unconnected;
          return broken([&] { return unconnected.send("x"); }) && broken([&] {
                   return unconnected.sendto("x", {"127.0.0.1", 9});
                 })
                     ? 0
                     : 1;
        }) == 0);
  CHECK(by_default([&] {
          auto [client, server] = connected();
          server.close();
          wait_for(client.fileno(), POLLIN);
          (void)client.send("x");
          wait_for(client.fileno(), POLLERR);
          const std::string outcome = failure_of([&client = client] { return client.send("x"); });
          return outcome == failure("broken_pipe_error", EPIPE) ||
                         outcome == failure("connection_reset_error", ECONNRESET)
                     ? 0
                     : 1;
        }) == 0);
}

TEST_CASE("a hook ends the select of a selector", "[signals]") {
  const interrupting_signal signal;
  auto [client, server] = connected();
  sk::selector<> s;
  s.register_(client, sk::EVENT_READ);
  counting_hook hook(0);
  s.set_interrupt_hook(&counting_hook::ask, &hook);
  background<std::error_code> selecting([&s] {
    std::error_code ec;
    (void)s.select(patience, ec);
    return ec;
  });
  interrupt_to_the_end(selecting);
  CHECK(selecting.get() == std::errc::interrupted);
  CHECK(hook.asked == 1);
}
