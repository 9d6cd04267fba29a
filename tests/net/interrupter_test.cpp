// SPDX-License-Identifier: MIT
// An interrupter ends every call that waits, before it begins and while it waits. It works from
// another thread and from a signal handler.
#include <pysock/file.hpp>
#include <pysock/interrupter.hpp>
#include <pysock/selectors.hpp>
#include <pysock/socket.hpp>

#include <cerrno>
#include <cstdlib>
#include <functional>
#include <memory>
#include <sstream>
#include <thread>
#include <vector>

#include "support/background.hpp"
#include "support/catch.hpp"
#include "support/failure.hpp"
#include "support/sockets.hpp"

namespace sk = pysock;
using namespace std::chrono_literals;
using namespace test_support;

namespace {

// A call that waits for ever unless it is interrupted.
struct waiter {
  const char* name;
  std::function<void()> wait;
};

// A waiter for each kind of call, with its sockets.
std::vector<waiter> all_waiters(const sk::interrupter& stop, const sk::address& full) {
  const auto quiet = [&stop] {
    auto both = std::make_shared<std::pair<sk::socket, sk::socket>>(connected());
    both->first.set_interrupter(stop);
    both->first.settimeout(std::nullopt);
    return both;
  };
  std::vector<waiter> all;
  all.push_back({"recv", [both = quiet()] { (void)both->first.recv(1); }});
  all.push_back({"recv_into", [both = quiet()] {
                   char buffer[10];
                   (void)both->first.recv_into(buffer);
                 }});
  all.push_back({"recvfrom", [both = quiet()] { (void)both->first.recvfrom(1); }});
  all.push_back({"recvmsg", [both = quiet()] { (void)both->first.recvmsg(1); }});
  all.push_back({"recv_exactly", [both = quiet()] { (void)both->first.recv_exactly(1); }});
  all.push_back(
      {"wait_readable", [both = quiet()] { (void)both->first.wait_readable(std::nullopt); }});
  all.push_back({"recv with a timeout", [both = quiet()] {
                   both->first.settimeout(std::chrono::hours(1));
                   (void)both->first.recv(1);
                 }});
  all.push_back({"accept", [listener = std::make_shared<sk::socket>(listening()), &stop] {
                   listener->settimeout(std::nullopt);
                   listener->set_interrupter(stop);
                   (void)listener->accept();
                 }});
  all.push_back({"connect", [full, &stop] {
                   sk::socket s;
                   s.set_interrupter(stop);
                   s.connect(full);
                 }});
  all.push_back({"sendall", [both = quiet()] {
                   const std::string data(1 << 20, 'x');
                   for (;;) both->first.sendall(data);
                 }});
  all.push_back({"send", [both = quiet()] {
                   const std::string data(1 << 20, 'x');
                   while (both->first.send(data) != 0) {
                   }
                 }});
  all.push_back({"sendfile", [both = quiet()] {
                   std::istringstream data(std::string(1 << 20, 'x'));
                   for (;;) {
                     data.clear();
                     both->first.sendfile(data);
                   }
                 }});
  all.push_back({"file.read", [both = quiet()] { (void)both->first.makefile().read(1); }});
  all.push_back({"file.write", [both = quiet()] {
                   sk::file f = both->first.makefile("w", 0);
                   const std::string data(1 << 20, 'x');
                   for (;;) f.write(data);
                 }});
  all.push_back({"select", [both = quiet(), &stop] {
                   sk::selector<> s;
                   s.set_interrupter(stop);
                   s.register_(both->first, sk::EVENT_READ);
                   s.select();
                 }});
  return all;
}

bool was_interrupted(const std::function<void()>& wait) {
  return failure_of(wait).substr(0, 17) == "interrupted_error";
}

}  // namespace

TEST_CASE("every kind of call ends while it waits and when it starts", "[interrupter]") {
  const full_listener full;
  sk::interrupter stop;
  for (const waiter& one : all_waiters(stop, full.address())) {
    CAPTURE(one.name);
    {
      background<bool> waiting([&one] { return was_interrupted(one.wait); });
      waiting.wait_until_asleep();
      stop.interrupt();
      CHECK(waiting.get());
    }
    CHECK(was_interrupted(one.wait));
    stop.reset();
  }
}

TEST_CASE("after reset the sockets work as before", "[interrupter]") {
  auto [a, b] = connected();
  sk::interrupter stop;
  a.set_interrupter(stop);
  stop.interrupt();
  CHECK(was_interrupted([&a = a] { (void)a.recv(1); }));
  stop.reset();
  b.sendall("x");
  CHECK(a.recv(1) == "x");
  a.sendall("y");
  CHECK(b.recv(1) == "y");
}

TEST_CASE("an interrupted sendall reports the bytes sent", "[interrupter]") {
  auto [a, b] = connected();
  sk::interrupter stop;
  a.set_interrupter(stop);
  a.settimeout(std::nullopt);
  std::size_t sent = 0;
  background<bool> sending([&a = a, &sent] {
    try {
      a.sendall(std::string(50000000, 'x'));
      return false;
    } catch (const sk::interrupted_error& e) {
      sent = e.transferred();
      return true;
    }
  });
  sending.wait_until_asleep();
  stop.interrupt();
  CHECK(sending.get());
  a.close();
  CHECK(drain(b) == sent);
}

#if __has_include(<sys/wait.h>)

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

sk::interrupter* raised_by_signal = nullptr;
std::atomic<int> changed_errno{0};

// Calls `interrupt` in a signal handler, for as long as this lives.
class interrupting_handler {
 public:
  explicit interrupting_handler(sk::interrupter& stop) {
    raised_by_signal = &stop;
    struct sigaction action {};
    action.sa_handler = [](int) {
      errno = 12345;
      raised_by_signal->interrupt();
      if (errno != 12345) ++changed_errno;
    };
    ::sigaction(SIGUSR1, &action, &before_);
  }
  interrupting_handler(const interrupting_handler&) = delete;
  interrupting_handler& operator=(const interrupting_handler&) = delete;
  ~interrupting_handler() { ::sigaction(SIGUSR1, &before_, nullptr); }

 private:
  struct sigaction before_ {};
};

}  // namespace

TEST_CASE("a signal that comes just before the call is not lost", "[interrupter][signals]") {
  auto [a, b] = connected();
  sk::interrupter stop;
  const interrupting_handler handler(stop);
  a.set_interrupter(stop);
  a.settimeout(std::nullopt);
  ::raise(SIGUSR1);
  CHECK(was_interrupted([&a = a] { (void)a.recv(1); }));
  stop.reset();
  for (int i = 0; i < 100; ++i) stop.interrupt();  // any number of times
  CHECK(was_interrupted([&a = a] { (void)a.recv(1); }));
  CHECK(changed_errno == 0);
}

TEST_CASE("parent and child share an interrupter", "[interrupter][fork]") {
  auto [a, b] = connected();
  sk::interrupter stop;
  a.set_interrupter(stop);
  a.settimeout(std::nullopt);
  const pid_t child = ::fork();
  if (child == 0) {
    stop.interrupt();
    ::_exit(0);
  }
  REQUIRE(child > 0);
  CHECK(was_interrupted([&a = a] { (void)a.recv(1); }));
  int status = 0;
  CHECK(::waitpid(child, &status, 0) == child);
  stop.reset();
  b.sendall("x");
  CHECK(a.recv(1) == "x");
}

// PYSOCK_STOP_ROUNDS is the number of rounds; a full run has 1000.
TEST_CASE("one signal ends 200 threads in calls of every kind", "[interrupter][signals]") {
  const char* asked = std::getenv("PYSOCK_STOP_ROUNDS");
  const int rounds = asked == nullptr ? 3 : std::atoi(asked);
  constexpr std::size_t threads = 200;
  const full_listener full;
  sk::interrupter stop;
  const interrupting_handler handler(stop);
  double slowest = 0;
  std::size_t descriptors = 0;
  for (int round = 0; round < rounds; ++round) {
    {
      std::vector<waiter> waiters;
      while (waiters.size() < threads) {
        for (waiter& one : all_waiters(stop, full.address())) waiters.push_back(std::move(one));
      }
      waiters.resize(threads);
      std::vector<std::unique_ptr<background<bool>>> all;
      for (const waiter& one : waiters) {
        all.push_back(
            std::make_unique<background<bool>>([&one] { return was_interrupted(one.wait); }));
      }
      for (const auto& one : all) one->wait_until_asleep();
      const stopwatch watch;
      ::raise(SIGUSR1);
      std::string not_interrupted;
      for (std::size_t i = 0; i < threads; ++i) {
        if (!all[i]->get()) not_interrupted += std::string(waiters[i].name) + " ";
      }
      slowest = std::max(slowest, watch.seconds());
      CHECK(not_interrupted == "");
      CHECK(changed_errno == 0);
    }
    stop.reset();
    if (round == 0) descriptors = open_descriptors().size();
    CHECK(open_descriptors().size() == descriptors);
  }
  std::printf("counted: %d rounds of %zu threads, the slowest ended after %.0f ms\n", rounds,
              threads, slowest * 1000);
}
#endif
