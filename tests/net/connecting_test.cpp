// SPDX-License-Identifier: MIT
// create_connection to hosts with several addresses, and lookups that no name server answers.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <pysock/create.hpp>
#include <pysock/resolver.hpp>
#include <set>
#include <thread>
#include <vector>

#include "support/background.hpp"
#include "support/catch.hpp"
#include "support/failure.hpp"
#include "support/private_etc.hpp"
#include "support/sockets.hpp"

namespace sk = pysock;
using namespace std::chrono_literals;
using namespace test_support;

namespace {

const std::map<std::string, std::string> two_addresses = {
    {"nsswitch.conf", "hosts: files\n"},
    {"host.conf", "multi on\n"},
    {"hosts", "127.0.0.1 both first\n127.0.0.2 both second\n"},
    // Names that are in no file are asked from a name server.
    {"resolv.conf", "nameserver 127.0.0.1\noptions timeout:30 attempts:5\n"}};

// The addresses in the order of the resolver.
std::vector<std::string> order_of(const char* host) {
  std::vector<std::string> all;
  for (const auto& one : sk::getaddrinfo(host, 1, 0, SOCK_STREAM)) {
    all.push_back(one.sockaddr.host());
  }
  return all;
}

sk::socket listening_on(const std::string& host, int port) {
  sk::socket s;
  s.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
  s.bind({host, port});
  s.listen(0);
  return s;
}

// Fills the queue of a listener, so that further attempts to connect to it hang.
std::vector<sk::socket> fill(const sk::socket& listener) {
  std::vector<sk::socket> queued;
  for (;;) {
    sk::socket s;
    s.settimeout(0.1);
    if (s.connect_ex(listener.getsockname()) != 0) return queued;
    queued.push_back(std::move(s));
  }
}

#define REQUIRE_ALLOWED(result)                                   \
  if ((result).substr(0, 11) == "not allowed") SKIP_TEST(result); \
  CHECK((result) == "passed")

int threads_of_this_process() {
  int count = 0;
  for (const auto& line : {std::string("/proc/self/task")}) {
    std::error_code ec;
    for (auto it = std::filesystem::directory_iterator(line, ec);
         it != std::filesystem::directory_iterator(); it.increment(ec))
      ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("parallel attempts skip addresses that do not answer or refuse", "[create_connection]") {
  const std::string result = in_private_etc(two_addresses, [] {
    // No other program uses ports there.
    return in_private_network(20000, 60000, [] {
      const std::vector<std::string> order = order_of("both");
      if (order.size() != 2) return std::string("the host has no two addresses");
      const auto racing = sk::connection_options().happy_eyeballs_delay(0.1);
      sk::socket good = listening_on(order[1], 0);
      const int port = good.getsockname().port();
      {
        // The first address refuses: the next attempt begins at once.
        const stopwatch watch;
        sk::socket s = sk::create_connection({"both", port}, 30, racing);
        if (s.getpeername().host() != order[1]) return std::string("refused: wrong winner");
        if (watch.seconds() > 5) return std::string("refused: too late");
        (void)good.accept();
      }
      {
        // The first address does not answer: the next attempt begins after the delay.
        const sk::socket dead = listening_on(order[0], port);
        const auto queued = fill(dead);
        const stopwatch watch;
        sk::socket s = sk::create_connection({"both", port}, std::nullopt, racing);
        if (s.getpeername().host() != order[1]) return std::string("dead: wrong winner");
        if (watch.seconds() < 0.1 || watch.seconds() > 5) return std::string("dead: not in time");
        if (is_nonblocking(s.fileno()).value_or(true)) return std::string("dead: wrong mode");
        sk::socket other = good.accept().conn;
        s.sendall("x");
        if (other.recv(1) != "x") return std::string("dead: no connection");

        // No address answers: the deadline ends the call, which reports both failures.
        const auto queued_too = fill(good);
        const auto before = open_descriptors();
        try {
          (void)sk::create_connection({"both", port}, std::chrono::steady_clock::now() + 300ms,
                                      sk::connection_options(racing).all_errors(true));
          return std::string("both dead: connected");
        } catch (const sk::error_group& e) {
          if (e.exceptions().size() != 2) return std::string("both dead: not all failures");
        }
        if (open_descriptors() != before) return std::string("both dead: leaked");

        // An interrupter ends the call, too.
        sk::interrupter stop;
        auto stoppable = racing;
        stoppable.interrupter(stop);
        background<std::string> connecting([&stoppable, port] {
          return failure_of([&] {
            (void)sk::create_connection({"both", port}, std::nullopt, stoppable);
          });
        });
        std::this_thread::sleep_for(150ms);  // for both attempts to begin
        connecting.wait_until_asleep();
        stop.interrupt();
        if (connecting.get().substr(0, 17) != "interrupted_error")
          return std::string("not interrupted");
      }
      return std::string("passed");
    });
  });
  REQUIRE_ALLOWED(result);
}

namespace {

// The times of one kind of race, in milliseconds.
class race_times {
 public:
  explicit race_times(const char* name) : name_(name) {}
  race_times(const race_times&) = delete;
  race_times& operator=(const race_times&) = delete;
  ~race_times() {
    if (all_.empty()) return;
    std::sort(all_.begin(), all_.end());
    std::printf(
        "counted: %zu races, %s: %.0f ms at least, %.0f ms in the middle, %.0f ms at most\n",
        all_.size(), name_, all_.front(), all_[all_.size() / 2], all_.back());
    std::fflush(stdout);
  }

  // Runs a race. Returns "" if `race` returned `outcome` and took at least `least` milliseconds.
  std::string run(const std::string& outcome, double least,
                  const std::function<std::string()>& race) {
    const stopwatch watch;
    const std::string found = race();
    all_.push_back(watch.seconds() * 1000);
    if (found != outcome) return std::string(name_) + ": " + found + ", not " + outcome;
    return all_.back() < least ? std::string(name_) + ": too early" : std::string();
  }

 private:
  const char* name_;
  std::vector<double> all_;
};

}  // namespace

// PYSOCK_RACE_ROUNDS is the number of rounds; a full run has 1000.
TEST_CASE("races end with the right winner or all failures, and leave no descriptor open",
          "[create_connection]") {
  const char* asked = std::getenv("PYSOCK_RACE_ROUNDS");
  const int rounds = asked == nullptr ? 10 : std::atoi(asked);
  const std::string result = in_private_etc(two_addresses, [rounds] {
    return in_private_network(20000, 60000, [rounds] {
      const std::vector<std::string> order = order_of("both");
      if (order.size() != 2) return std::string("the host has no two addresses");
      const auto racing = sk::connection_options().happy_eyeballs_delay(0.02).all_errors(true);
      // Returns the host of the winner, or the errors of all attempts.
      const auto race = [&racing](int port, auto limit) {
        try {
          return sk::create_connection({"both", port}, limit, racing).getpeername().host();
        } catch (const sk::timeout&) {
          return std::string("timeout");  // on a busy machine the time may end within the lookup
        } catch (const sk::error_group& e) {
          // On a busy machine the deadline may pass before the second attempt begins.
          std::set<std::string> all;
          for (const auto& one : e.exceptions())
            all.insert(one.code() == sk::errc::timed_out ? "timeout" : one.what());
          return all.size() == 1 ? *all.begin() : std::to_string(all.size()) + " kinds of failure";
        }
      };
      // Listeners on both addresses, or on one, with the same port.
      sk::socket good = listening_on(order[1], 0);
      const int refused_first = good.getsockname().port();
      sk::socket other = listening_on(order[1], 0);
      const int dead_first = other.getsockname().port();
      sk::socket full = listening_on(order[0], dead_first);
      const auto queued = fill(full);
      sk::socket slow = listening_on(order[0], 0);
      const int slow_first = slow.getsockname().port();
      const auto queued_at_slow = fill(slow);
      std::vector<sk::socket> dead;
      dead.push_back(listening_on(order[0], 0));
      const int all_dead = dead.front().getsockname().port();
      dead.push_back(listening_on(order[1], all_dead));
      const auto queued_at_first = fill(dead[0]);
      const auto queued_at_second = fill(dead[1]);

      race_times refused("the first address refuses");
      race_times dropped("the first address is dead");
      race_times both_dead("both are dead, limit 200 ms");
      race_times late("the first is slow, the second refuses");
      const auto before = open_descriptors();
      for (int i = 0; i < rounds; ++i) {
        std::string wrong = refused.run(order[1], 0, [&] { return race(refused_first, 30); });
        (void)good.accept();
        if (wrong.empty()) wrong = dropped.run(order[1], 20, [&] { return race(dead_first, 30); });
        (void)other.accept();
        if (wrong.empty()) {
          wrong = both_dead.run("timeout", 200, [&] {
            return race(all_dead, std::chrono::steady_clock::now() + 200ms);
          });
        }
        if (wrong.empty() && i % 20 == 0) {
          // The client's system sends its SYN again after a second.
          background<int> accepting([&slow] {
            std::this_thread::sleep_for(50ms);
            (void)slow.accept();
            return 0;
          });
          wrong = late.run(order[0], 500, [&] { return race(slow_first, 30); });
        }
        if (wrong.empty() && open_descriptors() != before) wrong = "something is still open";
        if (!wrong.empty()) return "round " + std::to_string(i) + ": " + wrong;
      }
      return std::string("passed");
    });
  });
  REQUIRE_ALLOWED(result);
}

TEST_CASE("a name server that never answers does not delay a bounded lookup", "[getaddrinfo]") {
  auto files = two_addresses;
  files["nsswitch.conf"] = "hosts: files dns\n";
  const std::string result = in_private_etc(files, [] {
    return in_private_network(20000, 60000, [] {
      sk::socket silent(AF_INET, SOCK_DGRAM);
      silent.bind({"127.0.0.1", 53});
      std::thread([] {}).join();  // a sanitizer starts its own thread with the first one
      const int before = threads_of_this_process();
      const stopwatch watch;
      const auto look_up = [](auto limit) {
        return failure_of([&] { (void)sk::create_connection({"nobody.example", 80}, limit); });
      };
      if (look_up(std::chrono::steady_clock::now() + 300ms) != "timeout")
        return std::string("no timeout");
      if (watch.seconds() < 0.3 || watch.seconds() > 10) return std::string("not in time");

      // For 100 lookups the library starts at most 32 threads.
      {
        std::vector<std::unique_ptr<background<std::string>>> all;
        for (int i = 0; i < 100; ++i) {
          all.push_back(std::make_unique<background<std::string>>(
              [&look_up] { return look_up(std::chrono::steady_clock::now() + 500ms); }));
        }
        for (auto& one : all) {
          if (one->get() != "timeout") return std::string("one of 100: no timeout");
        }
      }
      int threads = threads_of_this_process() - before;
      // Threads that have been joined may still be listed for a moment.
      for (const stopwatch joined; threads > 32 && joined.seconds() < 10;)
        threads = threads_of_this_process() - before;
      if (threads < 1 || threads > 32)
        return "there are " + std::to_string(threads) + " threads more";

      // All threads hang, so a lookup waits for one until its deadline. Numeric hosts need no
      // thread.
      if (look_up(std::chrono::steady_clock::now() + 100ms) != "timeout")
        return std::string("no timeout when all are busy");
      if (sk::getaddrinfo("127.0.0.1", "80", 0, SOCK_STREAM, 0, 0, 0).size() != 1)
        return std::string("a numeric host waits");

      sk::interrupter stop;
      background<std::string> looking([&stop] {
        return failure_of([&stop] {
          (void)sk::getaddrinfo("nobody.example", 80, 0, 0, 0, 0, std::nullopt, stop);
        });
      });
      looking.wait_until_asleep();
      stop.interrupt();
      if (looking.get().substr(0, 17) != "interrupted_error") return std::string("not interrupted");

#ifndef __SANITIZE_THREAD__  // TSan: the child of a process with threads cannot start one
      // A forked child has none of these threads and starts its own.
      const auto works_in_child = [](bool (*works)()) {
        const pid_t child = ::fork();
        if (child == 0) ::_exit(works() ? 0 : 1);
        int status = -1;
        return ::waitpid(child, &status, 0) == child && status == 0;
      };
      const auto start_thread = [] {
        std::thread([] {}).join();
        return true;
      };
      if (!works_in_child(start_thread))  // qemu 7.2
        return std::string("not allowed: a thread in the child of a process with threads");
      if (!works_in_child(
              [] { return sk::getaddrinfo("first", 80, 0, SOCK_STREAM, 0, 0, 20).size() == 1; }))
        return std::string("the child cannot look up");
#endif
      return std::string("passed");
    });
  });
  REQUIRE_ALLOWED(result);
}
