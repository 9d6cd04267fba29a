// SPDX-License-Identifier: MIT
// getaddrinfo with a timeout. The fake runs the worker at once, or when the test asks for it.
#include <pysock/resolver.hpp>

#include <cerrno>
#include <future>
#include <thread>

#include "support/catch.hpp"
#include "support/failure.hpp"
#include "support/fake_sys.hpp"

using namespace std::chrono_literals;
using namespace test_support;
using fake::called;
using fake::fails;
using fake::lines;
using pysock::getaddrinfo;

namespace {

std::size_t look_up(pysock::timeout_value timeout, const std::string& host = "host") {
  return getaddrinfo(host, 80, 0, SOCK_STREAM, 0, 0, timeout).size();
}

// The fake becomes a process that has no workers.
void become_new_process() {
  static std::int64_t last = 1;
  fake::set_process_id(++last);
}

}  // namespace

TEST_CASE("a name is looked up by a worker within the time", "[getaddrinfo]") {
  const fake::session session;
  fake::on_getaddrinfo({fake::resolves({fake::inet({1, 2, 3, 4}, 0)})});
  const auto found = getaddrinfo("host", 80, 0, SOCK_STREAM, 0, 0, 1);
  CHECK(found.size() == 1);
  CHECK(found.front().sockaddr == pysock::address("1.2.3.4", 80));
  CHECK(fake::log() == lines{called("getaddrinfo", "host", "80", 0, SOCK_STREAM, 0, AI_NUMERICHOST),
                             called("open_wake"), called("run_detached"),
                             called("getaddrinfo", "host", "80", 0, SOCK_STREAM, 0, 0),
                             called("poll", 1000, fake::event::read, 1000)});
  CHECK(fake::problems() == lines{});
}

TEST_CASE("numeric hosts, no host and no timeout start no thread", "[getaddrinfo]") {
  const fake::session session;
  CHECK(look_up(1, "127.0.0.1") == 1);
  CHECK(look_up(0, "::1") == 1);
  CHECK(look_up(1, "10.1") == 1);  // only the system takes it for numeric
  CHECK(getaddrinfo(std::nullopt, "http", 0, SOCK_STREAM, 0, 0, 1).size() == 1);
  CHECK(getaddrinfo("127.0.0.1", "http", 0, SOCK_STREAM, 0, 0, 1).size() == 1);
  CHECK(look_up(std::nullopt) == 1);
  CHECK(failure_of([] { (void)getaddrinfo("name", 80, 0, SOCK_STREAM, 0, AI_NUMERICHOST, 1); }) ==
        failure("gaierror", EAI_NONAME));
  CHECK(fake::count("run_detached") == 0);
  CHECK(fake::problems() == lines{});
}

TEST_CASE("a late answer is freed by its worker", "[getaddrinfo]") {
  const fake::session session;
  fake::on_run_detached({fake::returns(0)});
  fake::on_poll({fake::times_out()});
  CHECK(failure_of([] { (void)look_up(100ms); }) == "timeout");
  CHECK(fake::elapsed() == 100ms);
  CHECK(fake::addrinfo_count() == 0);
  fake::run_held_thread();
  // The worker has looked the name up and freed the result, which no caller waits for.
  CHECK(fake::count("getaddrinfo") == 1);
  CHECK(fake::problems() == lines{});
}

TEST_CASE("an interrupter ends a lookup", "[getaddrinfo][interrupter]") {
  const fake::session session;
  {
    pysock::interrupter stop;
    stop.interrupt();
    const auto failing = [&stop] { (void)getaddrinfo("host", 80, 0, 0, 0, 0, std::nullopt, stop); };
    CHECK(failure_of(failing) == failure("interrupted_error", EINTR));
    CHECK(fake::count("run_detached") == 0);
    stop.reset();
    fake::on_run_detached({fake::returns(0)});
    fake::on_poll({fake::wakes()});
    CHECK(failure_of(failing) == failure("interrupted_error", EINTR));
    fake::run_held_thread();
  }
  CHECK(fake::problems() == lines{});
}

TEST_CASE("failures of the resolver, of threads and of descriptors are reported", "[getaddrinfo]") {
  const fake::session session;
  fake::on_getaddrinfo({fails(EAI_AGAIN)});
  CHECK(failure_of([] { (void)look_up(1); }) == failure("gaierror", EAI_AGAIN));
  fake::on_run_detached({fails(EAGAIN)});
  CHECK(failure_of([] { (void)look_up(1); }) == failure("blocking_io_error", EAGAIN));
  fake::on_open_wake({fails(EMFILE)});
  CHECK(failure_of([] { (void)look_up(1); }) == failure("error", EMFILE));
}

TEST_CASE("a lookup leaks nothing, whichever call fails", "[getaddrinfo]") {
  const int calls = fake::fail_each_call(EIO, [] {
    (void)failure_of([] { (void)look_up(1); });
    CHECK(fake::problems() == lines{});
  });
  CHECK(calls == 5);
}

TEST_CASE("a worker looks up a host without a port", "[getaddrinfo]") {
  const fake::session session;
  CHECK(getaddrinfo("host", std::nullopt, 0, SOCK_STREAM, 0, 0, 1).size() == 1);
  CHECK(fake::log("getaddrinfo").back() ==
        called("getaddrinfo", "host", "null", 0, SOCK_STREAM, 0, 0));
  CHECK(fake::problems() == lines{});
}

TEST_CASE("a lookup waits again if its result is reported too early", "[getaddrinfo]") {
  const fake::session session;
  fake::on_run_detached({fake::returns(0)});
  fake::on_poll({fake::ready_after(10)});
  fake::direct([](const std::string& call) {
    if (call.find("poll") == 0) fake::run_held_thread();
    return fake::succeeds();
  });
  CHECK(look_up(100ms) == 1);
  CHECK(fake::log("poll") == lines{called("poll", 1000, fake::event::read, 100),
                                   called("poll", 1000, fake::event::read, 90)});
  CHECK(fake::problems() == lines{});
}

TEST_CASE("another worker does the lookup if no thread can be started", "[getaddrinfo]") {
  const fake::session session;
  fake::on_run_detached({fake::returns(0), fails(EAGAIN), fails(EAGAIN)});
  fake::on_poll({fake::times_out()});
  CHECK(failure_of([] { (void)look_up(100ms); }) == "timeout");
  fake::direct([](const std::string& call) {
    if (call.find("poll") == 0) fake::run_held_thread();
    return fake::succeeds();
  });
  CHECK(look_up(100ms) == 1);
  // Now there is none.
  CHECK(failure_of([] { (void)look_up(100ms); }) == failure("blocking_io_error", EAGAIN));
  CHECK(fake::problems() == lines{});
}

TEST_CASE("a lookup beyond the largest number of workers is done by one of them", "[getaddrinfo]") {
  const fake::session session;
  become_new_process();
  bool workers_run = false;
  fake::direct([&workers_run](const std::string& call) {
    if (call.find("run_detached") == 0) return fake::returns(0);
    if (call.find("poll") == 0) {
      if (!workers_run) return fake::times_out();
      fake::run_held_thread();
    }
    return fake::succeeds();
  });
  for (int i = 0; i < 40; ++i) CHECK(failure_of([] { (void)look_up(100ms); }) == "timeout");
  CHECK(fake::count("run_detached") == 32);
  CHECK(fake::count("getaddrinfo") == 40);  // each has asked whether the host is numeric

  workers_run = true;
  CHECK(look_up(100ms) == 1);
  CHECK(fake::count("run_detached") == 32);
  CHECK(fake::count("getaddrinfo") == 42);  // the worker has dropped those that nobody waits for
  CHECK(look_up(100ms) == 1);
  CHECK(fake::count("run_detached") == 33);  // that worker has ended
  CHECK(fake::problems() == lines{});
}

TEST_CASE("a child of fork does not wait for the workers of its parent", "[getaddrinfo][fork]") {
  const fake::session session;
  become_new_process();
  fake::on_run_detached({fake::returns(0), fails(EAGAIN)});
  fake::on_poll({fake::times_out()});
  CHECK(failure_of([] { (void)look_up(100ms); }) == "timeout");
  become_new_process();
  CHECK(failure_of([] { (void)look_up(100ms); }) == failure("blocking_io_error", EAGAIN));
  CHECK(fake::count("poll") == 1);
  CHECK(look_up(100ms) == 1);
  CHECK(fake::problems() == lines{});
}

TEST_CASE("threads whose lookups are the first of a process use the same workers",
          "[getaddrinfo][threads]") {
  const fake::session session;
  CHECK(look_up(1) == 1);
  fake::clear_log();
  become_new_process();
  fake::on_run_detached({fake::returns(0), fails(EAGAIN)});
  fake::on_poll({fake::times_out()});
  int nested = 0;
  // The first lookup has found no workers. Before it makes them, another thread's lookup does so.
  fake::at_process_id([&nested] {
    fake::at_process_id([&nested] {
      ++nested;
      CHECK(failure_of([] { (void)look_up(100ms); }) == "timeout");
    });
  });
  fake::direct([](const std::string& call) {
    if (call.find("poll") == 0) fake::run_held_thread();
    return fake::succeeds();
  });
  CHECK(look_up(100ms) == 1);
  CHECK(nested == 1);
  CHECK(fake::count("run_detached") == 2);
  CHECK(fake::problems() == lines{});
}

TEST_CASE("a lookup whose caller has given up is freed by the worker that does it",
          "[getaddrinfo][threads]") {
  const fake::session session;
  fake::on_run_detached({fake::returns(0)});
  std::promise<void> running;
  std::promise<void> abandoned;
  const std::thread::id caller = std::this_thread::get_id();
  std::thread worker;
  // The two threads use the fake in turn: the worker waits within getaddrinfo until the caller has
  // timed out.
  fake::direct([&](const std::string& call) {
    if (call.find("poll") == 0) {
      worker = std::thread(fake::run_held_thread);
      running.get_future().wait();
      return fake::times_out();
    }
    if (std::this_thread::get_id() != caller) {
      running.set_value();
      abandoned.get_future().wait();
    }
    return fake::succeeds();
  });
  CHECK(failure_of([] { (void)look_up(100ms); }) == "timeout");
  CHECK(fake::count("getaddrinfo") == 2);
  CHECK(fake::open_count() == 1);
  abandoned.set_value();
  worker.join();
  CHECK(fake::problems() == lines{});
}
