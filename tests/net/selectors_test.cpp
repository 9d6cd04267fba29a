// SPDX-License-Identifier: MIT
// Waiting for several sockets with epoll, kqueue or poll.
#include <pysock/descriptor.hpp>
#include <pysock/file.hpp>
#include <pysock/selectors.hpp>
#include <pysock/socket.hpp>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "support/background.hpp"
#include "support/catch.hpp"
#include "support/failure.hpp"
#include "support/files.hpp"
#include "support/process.hpp"
#include "support/raw.hpp"
#include "support/sockets.hpp"

namespace sk = pysock;
using namespace std::chrono_literals;
using namespace test_support;

namespace {

constexpr int both = sk::EVENT_READ | sk::EVENT_WRITE;

// The descriptors that are ready, with their events.
template <class Data>
std::set<std::pair<sk::native_handle_type, int>> found(const sk::selector_events<Data>& events) {
  std::set<std::pair<sk::native_handle_type, int>> all;
  for (const auto& [key, which] : events) all.insert({key.fd(), which});
  return all;
}

// The same as `found`, for one descriptor.
std::set<std::pair<sk::native_handle_type, int>> only(sk::native_handle_type fd, int events) {
  return {{fd, events}};
}

using nothing = std::set<std::pair<sk::native_handle_type, int>>;

}  // namespace

TEST_CASE("select reports readable and writable, if they were asked for", "[selectors]") {
  sk::selector<int> s;
  auto [a, b] = sk::socketpair();
  CHECK(s.register_(a, both, 7).data() == 7);
  CHECK(s.get_key(a).events() == both);
  CHECK(found(s.select(patience)) == only(a.fileno(), sk::EVENT_WRITE));
  b.sendall("x");
  REQUIRE(wait_for(a.fileno(), POLLIN));
  CHECK(found(s.select(patience)) == only(a.fileno(), both));
  s.modify(a, sk::EVENT_READ);
  CHECK(s.get_key(a).data() == 7);
  CHECK(found(s.select(patience)) == only(a.fileno(), sk::EVENT_READ));
  CHECK(a.recv(10) == "x");
  CHECK(s.select(0).empty());
  s.modify(a.fileno(), sk::EVENT_WRITE, 8);
  for (const auto& [key, events] : s.select(patience)) {
    CHECK(key.data() == 8);
    CHECK(events == sk::EVENT_WRITE);
  }
  CHECK(s.unregister(a).data() == 8);
  CHECK(s.select(0).empty());
  CHECK(s.get_map().size() == 0);
}

TEST_CASE("select waits at most its timeout", "[selectors]") {
  sk::selector<> s;
  auto [a, b] = sk::socketpair();
  s.register_(a, sk::EVENT_READ);
  const stopwatch watch;
  CHECK(s.select(50ms).empty());
  CHECK(s.select(std::chrono::steady_clock::now() + 50ms).empty());
  CHECK(watch.seconds() >= 0.1);
  CHECK(s.select(std::chrono::steady_clock::now() - 1s).empty());
  CHECK_THROWS_AS(s.select(-1), std::invalid_argument);
  background<std::size_t> waiting([&s] { return s.select().size(); });
  waiting.wait_until_asleep();
  b.sendall("x");
  CHECK(waiting.get() == 1);
}

TEST_CASE("a selector rejects invalid arguments", "[selectors]") {
  sk::selector<> s;
  const sk::socket a(AF_INET, SOCK_DGRAM);
  CHECK_THROWS_AS(s.register_(a, 0), std::invalid_argument);
  CHECK_THROWS_AS(s.register_(a, 4), std::invalid_argument);
  CHECK_THROWS_AS(s.register_(-1, sk::EVENT_READ), std::invalid_argument);
  CHECK_THROWS_AS(s.register_(sk::socket(nullptr), sk::EVENT_READ), std::invalid_argument);
  CHECK_THROWS_AS(s.modify(a, sk::EVENT_READ), std::out_of_range);
  CHECK_THROWS_AS(s.modify(a, sk::EVENT_READ, nullptr), std::out_of_range);
  CHECK_THROWS_AS(s.unregister(a), std::out_of_range);
  CHECK_THROWS_AS(s.get_key(a), std::out_of_range);
  CHECK((s.get_map().find(a.fileno()) == s.get_map().end()));
  s.register_(a, sk::EVENT_READ);
  CHECK_THROWS_AS(s.register_(a, sk::EVENT_WRITE), std::invalid_argument);
  CHECK_THROWS_AS(s.modify(a, 0), std::invalid_argument);
  CHECK(s.get_key(a).events() == sk::EVENT_READ);
  sk::socket gone;
  const sk::native_handle_type number = gone.fileno();
  gone.close();
  CHECK_THROWS_AS(s.register_(number, sk::EVENT_READ), sk::error);
  CHECK(s.get_map().size() == 1);
}

TEST_CASE("a closed selector reports EBADF and has no keys", "[selectors]") {
  const auto before = open_descriptors();
  sk::selector<std::shared_ptr<int>> s;
  auto data = std::make_shared<int>(1);
  {
    const sk::socket a;
    s.register_(a, sk::EVENT_READ, data);
    s.close();
    CHECK(data.use_count() == 1);
    s.close();
    CHECK(s.fileno() == -1);
    CHECK(s.get_map().size() == 0);
    CHECK(failure_of([&] { s.register_(a, sk::EVENT_READ, nullptr); }).substr(0, 5) == "error");
    CHECK(failure_of([&] { s.select(0); }).substr(0, 5) == "error");
    std::error_code ec;
    CHECK(s.select(0, ec).empty());
    CHECK(ec);
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("the map has every key", "[selectors]") {
  sk::selector<int> s;
  std::vector<sk::socket> sockets;
  std::set<int> expected;
  for (int i = 0; i < 5; ++i) {
    sockets.emplace_back(AF_INET, SOCK_DGRAM);
    s.register_(sockets.back(), sk::EVENT_READ, i);
    expected.insert(i);
  }
  s.unregister(sockets[1]);
  s.unregister(sockets[4]);
  expected.erase(1);
  expected.erase(4);
  std::set<int> seen;
  for (const sk::selector_key<int>& key : s.get_map()) seen.insert(key.data());
  CHECK(seen == expected);
  CHECK(s.get_map().find(sockets[2].fileno())->data() == 2);
}

TEST_CASE("a descriptor closed while registered is not reported, and its number can be removed",
          "[selectors]") {
  sk::selector<int> s;
  auto [a, b] = sk::socketpair();
  const sk::native_handle_type number = a.fileno();
  s.register_(a, sk::EVENT_READ, 1);
  b.sendall("x");
  a.close();
  CHECK(s.select(20ms).empty());
  s.unregister(number);
  CHECK_THROWS_AS(s.unregister(number), std::out_of_range);
}

TEST_CASE("a new descriptor with a closed one's number does not get its events", "[selectors]") {
  sk::selector<int> s;
  auto [a, b] = sk::socketpair();
  const sk::native_handle_type number = a.fileno();
  s.register_(a, sk::EVENT_READ, 1);
  const sk::socket duplicate = a.dup();  // keeps the old socket in the system's set
  b.sendall("x");
  REQUIRE(wait_for(duplicate.fileno(), POLLIN));
  a.close();
  s.unregister(number);
  // The new socket has no events, although it may have the old number.
  sk::socket fresh(AF_INET, SOCK_DGRAM);
  const bool reused = fresh.fileno() == number;
  s.register_(fresh, sk::EVENT_READ, 2);
  CHECK(s.select(20ms).empty());
  fresh.bind({"127.0.0.1", 0});
  CHECK(sk::socket(AF_INET, SOCK_DGRAM).sendto("y", fresh.getsockname()) == 1);
  CHECK(found(s.select(patience)) == only(fresh.fileno(), sk::EVENT_READ));
  for (const auto& [key, events] : s.select(0)) CHECK(key.data() == 2);
  if (!reused) WARN("the system did not use the number again");
}

TEST_CASE("a listener and a stream at its end are readable, and a reset stream is writable",
          "[selectors]") {
  sk::selector<> s;
  sk::socket listener = listening();
  s.register_(listener, sk::EVENT_READ);
  CHECK(s.select(0).empty());
  sk::socket client;
  client.settimeout(patience);
  client.connect(listener.getsockname());
  CHECK(found(s.select(patience)) == only(listener.fileno(), sk::EVENT_READ));
  sk::socket server = listener.accept().conn;
  s.unregister(listener);

  s.register_(server, sk::EVENT_READ);
  client.shutdown(SHUT_WR);
  CHECK(found(s.select(patience)) == only(server.fileno(), sk::EVENT_READ));
  const linger reset{1, 0};
  client.setsockopt(SOL_SOCKET, SO_LINGER, reset);
  client.close();
  s.modify(server, sk::EVENT_WRITE);
  CHECK(found(s.select(patience)) == only(server.fileno(), sk::EVENT_WRITE));
}

TEST_CASE("a refused connect is writable", "[selectors]") {
  sk::selector<> s;
  sk::socket listener = listening();
  const sk::address nobody = listener.getsockname();
  listener.close();
  sk::socket client;
  client.settimeout(0);
  std::error_code ec;
  client.connect(nobody, ec);
  s.register_(client, sk::EVENT_WRITE);
  CHECK(found(s.select(patience)) == only(client.fileno(), sk::EVENT_WRITE));
}

TEST_CASE("everything that is ready is reported at once, also beyond Windows' FD_SETSIZE",
          "[selectors]") {
  constexpr std::size_t count = 100;
#if PYSOCK_WINDOWS
  static_assert(count > FD_SETSIZE);
#endif
  sk::selector<std::size_t> s;
  std::vector<std::pair<sk::socket, sk::socket>> pairs;
  for (std::size_t i = 0; i < count; ++i) {
    pairs.push_back(sk::socketpair());
    s.register_(pairs.back().first, both, i);
  }
  CHECK(s.select(patience).size() == count);  // writable
  for (auto& [a, b] : pairs) b.sendall("x");
  for (auto& [a, b] : pairs) REQUIRE(wait_for(a.fileno(), POLLIN));
  std::set<std::size_t> seen;
  for (const auto& [key, events] : s.select(patience)) {
    CHECK(events == both);
    seen.insert(key.data());
  }
  CHECK(seen.size() == count);
}

TEST_CASE("a handler may unregister and destroy every other ready socket", "[selectors]") {
  struct session {
    sk::socket s{nullptr};
    int* handled = nullptr;
  };
  sk::selector<std::unique_ptr<session>> s;
  std::vector<sk::socket> peers;
  int handled = 0;
  std::vector<sk::native_handle_type> all;
  for (int i = 0; i < 10; ++i) {
    auto [a, b] = sk::socketpair();
    b.sendall("x");
    peers.push_back(std::move(b));
    const sk::native_handle_type fd = a.fileno();
    REQUIRE(wait_for(fd, POLLIN));
    all.push_back(fd);
    s.register_(fd, sk::EVENT_READ, std::make_unique<session>(session{std::move(a), &handled}));
  }
  const auto ready = s.select(patience);
  CHECK(ready.size() == 10);
  for (const auto& [key, events] : ready) {
    if (!key.data()) continue;  // a handler has unregistered it
    ++*key.data()->handled;
    CHECK(key.data()->s.recv(1) == "x");
    for (const sk::native_handle_type fd : all) {
      if (fd == key.fd() || s.get_map().find(fd) == s.get_map().end()) continue;
      s.unregister(fd).data().reset();
    }
  }
  CHECK(handled == 1);
  CHECK(s.get_map().size() == 1);
  CHECK(s.select(0).empty());
}

TEST_CASE("a handler may replace its own data while it uses them", "[selectors]") {
  sk::selector<std::shared_ptr<std::string>> s;
  auto [a, b] = sk::socketpair();
  b.sendall("x");
  s.register_(a, sk::EVENT_READ, std::make_shared<std::string>("first"));
  for (const auto& [key, events] : s.select(patience)) {
    s.modify(a, sk::EVENT_READ, std::make_shared<std::string>("second"));
    CHECK(*key.data() == "first");
    CHECK(*s.get_key(a).data() == "second");
  }
  for (const auto& [key, events] : s.select(patience)) CHECK(*key.data() == "second");
}

TEST_CASE("other threads register and unregister while one selects", "[selectors][threads]") {
  sk::selector<int> s;
  auto [wake, waker] = sk::socketpair();
  s.register_(wake, sk::EVENT_READ, -1);
  std::atomic<int> handled{0};
  background<bool> selecting([&s, &handled] {
    for (;;) {
      for (const auto& [key, events] : s.select(patience)) {
        if (key.data() < 0) return true;
        ++handled;
      }
    }
  });
  constexpr int threads = 4;
  constexpr int rounds = 20;
  {
    std::vector<std::unique_ptr<background<bool>>> others;
    for (int t = 0; t < threads; ++t) {
      others.push_back(std::make_unique<background<bool>>([&s, &handled, t] {
        for (int i = 0; i < rounds; ++i) {
          auto [a, b] = sk::socketpair();
          s.register_(a, sk::EVENT_READ, t);
          b.sendall("x");
          const int before = handled;
          for (const stopwatch watch; handled == before && watch.seconds() < 20;)
            std::this_thread::yield();
          s.modify(a, sk::EVENT_READ | sk::EVENT_WRITE);
          s.modify(a, sk::EVENT_WRITE, t + 100);
          s.unregister(a);
        }
        return true;
      }));
    }
    for (auto& other : others) CHECK(other->get());
  }
  waker.sendall("x");
  CHECK(selecting.get());
  CHECK(s.get_map().size() == 1);
}

TEST_CASE("an interrupter ends select, before and while it waits", "[selectors][interrupter]") {
  sk::selector<> s;
  sk::interrupter stop;
  sk::interrupter other;
  s.set_interrupter(stop);
  s.set_interrupter(stop);
  s.set_interrupter(other);
  s.set_interrupter(stop);
  auto [a, b] = sk::socketpair();
  s.register_(a, sk::EVENT_READ);
  other.interrupt();
  CHECK(s.select(0).empty());
  stop.interrupt();
  CHECK(failure_of([&] { s.select(patience); }).substr(0, 17) == "interrupted_error");
  stop.reset();
  CHECK(s.select(0).empty());
  background<std::string> waiting([&s] { return failure_of([&s] { s.select(patience); }); });
  waiting.wait_until_asleep();
  stop.interrupt();
  CHECK(waiting.get().substr(0, 17) == "interrupted_error");
  s.set_interrupter(nullptr);
  CHECK(s.select(0).empty());
  b.sendall("x");
  CHECK(s.select(patience).size() == 1);
}

TEST_CASE("a failure without data is readable", "[selectors]") {
  sk::selector<> s;
  auto [client, server] = connected();
  s.register_(client, sk::EVENT_READ);
  CHECK(s.select(0).empty());
  const linger reset{1, 0};
  server.setsockopt(SOL_SOCKET, SO_LINGER, reset);
  server.close();
  CHECK(found(s.select(patience)) == only(client.fileno(), sk::EVENT_READ));
  std::error_code ec;
  char byte = 0;
  CHECK(client.recv_into({&byte, 1}, ec) == 0);
  if (const std::string why = why_waiting_hides_resets(); !why.empty()) SKIP_TEST(why);
  CHECK(ec == std::errc::connection_reset);
}

#if __has_include(<sys/wait.h>)
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

TEST_CASE("the hang-up of a pipe is readable, and writable at its other end", "[selectors]") {
  int ends[2] = {-1, -1};
  REQUIRE(::pipe(ends) == 0);
  sk::descriptor reading(ends[0]);
  sk::descriptor writing(ends[1]);
  sk::selector<> s;
  s.register_(reading.get(), sk::EVENT_READ);
  CHECK(s.select(0).empty());
  writing = sk::descriptor();
  CHECK(found(s.select(patience)) == only(reading.get(), sk::EVENT_READ));
  s.unregister(reading.get());

  REQUIRE(::pipe(ends) == 0);
  reading = sk::descriptor(ends[0]);
  writing = sk::descriptor(ends[1]);
  s.register_(writing.get(), sk::EVENT_WRITE);
  reading = sk::descriptor();
  CHECK(found(s.select(patience)) == only(writing.get(), sk::EVENT_WRITE));
}

TEST_CASE("select continues after a signal with the same deadline unless the hook ends it",
          "[selectors][signals]") {
  struct sigaction action {};
  struct sigaction before {};
  action.sa_handler = [](int) {};
  REQUIRE(::sigaction(SIGUSR1, &action, &before) == 0);
  sk::selector<> s;
  auto [a, b] = sk::socketpair();
  s.register_(a, sk::EVENT_READ);
  struct asked {
    std::atomic<int> calls{0};
    std::atomic<bool> go_on{true};
  } hook;
  s.set_interrupt_hook(
      [](void* data) noexcept {
        ++static_cast<asked*>(data)->calls;
        return static_cast<asked*>(data)->go_on.load();
      },
      &hook);
  // Signals the thread until it has called the hook once more.
  const auto interrupt = [&hook](auto& waiting) {
    waiting.wait_until_asleep();
    const int already = hook.calls;
    for (const stopwatch watch; hook.calls == already && watch.seconds() < 20;) {
      ::pthread_kill(waiting.native_handle(), SIGUSR1);
      std::this_thread::sleep_for(1ms);
    }
    CHECK(hook.calls > already);
  };
  {
    background<std::size_t> waiting([&s] { return s.select().size(); });
    for (int i = 0; i < 3; ++i) interrupt(waiting);
    CHECK_FALSE(waiting.done());
    b.sendall("x");
    CHECK(waiting.get() == 1);
    CHECK(a.recv(1) == "x");
  }
  {
    const stopwatch watch;
    background<bool> waiting([&s] { return s.select(1s).empty(); });
    interrupt(waiting);
    CHECK(waiting.get());
    CHECK(watch.seconds() >= 1);
  }
  hook.go_on = false;
  background<std::string> waiting([&s] { return failure_of([&s] { s.select(); }); });
  interrupt(waiting);
  CHECK(waiting.get() == failure("interrupted_error", EINTR));
  ::sigaction(SIGUSR1, &before, nullptr);
}

TEST_CASE("a child's own selector works, and closing the inherited one does not affect the parent",
          "[selectors][fork]") {
  sk::selector<int> s;
  auto [a, b] = sk::socketpair();
  s.register_(a, sk::EVENT_READ, 1);
  const int status = in_child([&s, &a = a, &b = b] {
    s.close();
    sk::selector<int> own;
    own.register_(a, sk::EVENT_READ, 2);
    if (!own.select(0).empty()) return 1;
    b.sendall("x");
    const auto ready = own.select(patience);
    return ready.size() == 1 && (*ready.begin()).key.data() == 2 ? 0 : 2;
  });
  CHECK(status == 0);
  CHECK(found(s.select(patience)) == only(a.fileno(), sk::EVENT_READ));
  CHECK(a.recv(1) == "x");
  CHECK(s.select(0).empty());
  b.sendall("y");
  CHECK(s.select(patience).size() == 1);
}

TEST_CASE("a regular file is refused by epoll, and always ready elsewhere", "[selectors]") {
  sk::selector<> s;
  std::FILE* file = std::tmpfile();
  REQUIRE(file != nullptr);
  const int fd = ::fileno(file);
  const std::string failure = failure_of([&] { s.register_(fd, sk::EVENT_READ); });
  if (failure == "none")
    CHECK(found(s.select(patience)) == only(fd, sk::EVENT_READ));
  else
    CHECK(failure == test_support::failure("permission_error", EPERM));
  std::fclose(file);
}
#endif

#if !PYSOCK_WINDOWS
TEST_CASE("a selector's descriptor is readable when a descriptor of it is ready", "[selectors]") {
  sk::selector<> s;
  auto [a, b] = sk::socketpair();
  s.register_(a, sk::EVENT_READ);
  if (s.fileno() < 0) return;  // this system's selector has no descriptor
  (void)b.send("x");
  CHECK(wait_for(s.fileno(), POLLIN));
}
#endif
