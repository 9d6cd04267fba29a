// SPDX-License-Identifier: MIT
// A call ends at its timeout although poll() reports readiness where the call would block, and
// although another holder has changed the descriptor's mode.
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <functional>
#include <pysock/fdpass.hpp>
#include <pysock/file.hpp>
#include <pysock/socket.hpp>
#include <sstream>
#include <thread>
#include <vector>

#include "support/background.hpp"
#include "support/catch.hpp"
#include "support/failure.hpp"
#include "support/files.hpp"
#include "support/raw.hpp"
#include "support/sockets.hpp"

#ifdef __linux__
#include <linux/errqueue.h>
#endif

namespace sk = pysock;
using namespace test_support;
using namespace std::chrono_literals;

namespace {

constexpr double limit = 0.2;  // seconds, the timeout of the calls here

double seconds_of(const timeval& t) {
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
}

#ifdef RUSAGE_THREAD
constexpr int whose_time = RUSAGE_THREAD;
#else
constexpr int whose_time = RUSAGE_SELF;
#endif

// How a call ended, and the processor time that it used if that is much: a call that polls in a
// busy loop uses as much as its timeout.
std::string outcome(const std::function<void()>& call) {
  rusage before{};
  rusage after{};
  ::getrusage(whose_time, &before);
  const std::string result = failure_of([&] { return call(), 0; });
  ::getrusage(whose_time, &after);
  const double used = seconds_of(after.ru_utime) + seconds_of(after.ru_stime) -
                      seconds_of(before.ru_utime) - seconds_of(before.ru_stime);
  return used < limit / 4 ? result : result + " after " + std::to_string(used) + " s of processor";
}

// Puts the open socket into blocking mode through a duplicate, unknown to `s`.
sk::socket blocking_duplicate(const sk::socket& s) {
  sk::socket copy = s.dup();
  copy.setblocking(true);
  return copy;
}

void ignore_signal(int) {}

// Lets SIGUSR1 interrupt the calls of this process during its lifetime.
struct interrupting_signal {
  interrupting_signal() {
    struct sigaction action {};
    action.sa_handler = ignore_signal;
    ::sigaction(SIGUSR1, &action, &before);
  }
  interrupting_signal(const interrupting_signal&) = delete;
  interrupting_signal& operator=(const interrupting_signal&) = delete;
  ~interrupting_signal() { ::sigaction(SIGUSR1, &before, nullptr); }
  struct sigaction before {};
};

template <class T>
void interrupt(background<T>& thread) {
  thread.wait_until_asleep();
  for (int i = 0; i < 3 && !thread.done(); ++i) {
    ::pthread_kill(thread.native_handle(), SIGUSR1);
    std::this_thread::sleep_for(1ms);
  }
}

}  // namespace

// ---- false readiness ----

#ifdef __linux__
TEST_CASE("sendto a full AF_UNIX datagram receiver times out", "[readiness][sendto]") {
  sk::socket receiver(AF_UNIX, SOCK_DGRAM);
  receiver.bind("");
  sk::socket sender(AF_UNIX, SOCK_DGRAM);
  sender.settimeout(limit);
  CHECK(outcome([&] {
          for (;;) (void)sender.sendto("x", receiver.getsockname());
        }) == "timeout");
}

TEST_CASE("recv on an AF_UNIX datagram socket after shutdown(SHUT_RD) times out",
          "[readiness][recv]") {
  auto [a, b] = sk::socketpair(AF_UNIX, SOCK_DGRAM);
  a.settimeout(limit);
  a.shutdown(SHUT_RD);
  char buffer[10];
  CHECK(outcome([&a = a] { (void)a.recv(10); }) == "timeout");
  CHECK(outcome([&a = a, &buffer] { (void)a.recv_into(buffer); }) == "timeout");
  CHECK(outcome([&a = a] { (void)a.recvmsg(10); }) == "timeout");
}

TEST_CASE("recvmsg with MSG_ERRQUEUE times out while ordinary data wait", "[readiness][recvmsg]") {
  auto [client, server] = connected();
  client.sendall("ordinary");
  REQUIRE(wait_for(server.fileno(), POLLIN));
  server.settimeout(limit);
  CHECK(outcome([&server = server] { (void)server.recvmsg(100, 100, MSG_ERRQUEUE); }) == "timeout");
  server.settimeout(std::nullopt);
  CHECK(outcome([&server = server] { (void)server.recvmsg(100, 100, MSG_ERRQUEUE); }) ==
        failure("blocking_io_error", EAGAIN));
}

TEST_CASE("receives after an ICMP error with IP_RECVERR time out", "[readiness][recv]") {
  int closed_port = 0;
  {
    const sk::socket gone = bound_udp();
    closed_port = gone.getsockname().port();
  }
  sk::socket s(AF_INET, SOCK_DGRAM);
  s.setsockopt(IPPROTO_IP, IP_RECVERR, 1);
  s.connect({"127.0.0.1", closed_port});
  s.settimeout(limit);
  (void)s.send("x");
  CHECK(failure_of([&] { return s.recv(10); }) ==
        failure("connection_refused_error", ECONNREFUSED));
  CHECK(outcome([&] { (void)s.recv(10); }) == "timeout");
  CHECK(outcome([&] { (void)s.recvfrom(10); }) == "timeout");
  CHECK(outcome([&] { (void)s.recvmsg(10); }) == "timeout");
}

TEST_CASE("calls on TCP with unread MSG_ZEROCOPY completions time out",
          "[readiness][recv][sendall][makefile]") {
#ifdef MSG_ZEROCOPY
  auto [client, server] = connected();
  const int on = 1;
  if (::setsockopt(client.fileno(), SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on) != 0)
    SKIP_TEST("::setsockopt of SO_ZEROCOPY fails with " + std::to_string(errno));
  client.settimeout(limit);
  (void)client.send("completion", MSG_ZEROCOPY);
  REQUIRE(wait_for(client.fileno(), POLLERR));
  CHECK(outcome([&client = client] { (void)client.recv(10); }) == "timeout");
  sk::file file = client.makefile();
  CHECK(outcome([&] { (void)file.readline(); }) == "timeout");
  const std::string much(20'000'000, 'x');
  CHECK(outcome([&client = client, &much] { client.sendall(much); }) == "timeout");
#else
  SKIP_TEST("this system has no MSG_ZEROCOPY");
#endif
}

TEST_CASE("recvfrom on an unconnected UDP socket after a shutdown times out",
          "[readiness][recvfrom]") {
  sk::socket s = bound_udp();
  s.settimeout(limit);
  background<std::string> receiving([&] { return outcome([&] { (void)s.recvfrom(10); }); });
  receiving.wait_until_asleep();
  std::error_code ignored;
  CHECK(failure_of([&] { return s.shutdown(SHUT_RDWR), 0; }) == failure("error", ENOTCONN));
  CHECK(receiving.get() == "timeout");
  CHECK(outcome([&] { (void)s.recvfrom(10); }) == "timeout");
}
#endif

TEST_CASE("recv with SO_RCVLOWAT returns the data that have arrived when the time ends",
          "[readiness][recv]") {
  auto [client, server] = connected();
  server.setsockopt(SOL_SOCKET, SO_RCVLOWAT, 10);
  server.settimeout(limit);
  // The first recv tries before it polls, those after a wait poll first.
  for (int i = 0; i < 4; ++i) {
    client.sendall("fiver");
    REQUIRE(wait_for(client.fileno(), POLLOUT));
    std::string got;
    while (got.size() < 5) got += server.recv(5 - got.size());
    CHECK(got == "fiver");
    CHECK(failure_of([&server = server] { return server.recv(10); }) == "timeout");
  }
}

// ---- modes that another holder has changed ----

TEST_CASE("a timeout holds although another holder makes the descriptor blocking",
          "[readiness][settimeout]") {
  for (const sk::timeout_value& mode : {sk::timeout_value(limit), sk::timeout_value(0)}) {
    const std::string expected =
        pysock::detail::timeout_word(mode) == 0 ? failure("blocking_io_error", EAGAIN) : "timeout";
    full_connection full;
    sk::socket& s = full.client;
    s.settimeout(mode);
    const sk::socket copy = blocking_duplicate(s);
    char buffer[10];
    sk::endpoint from;
    CHECK(outcome([&] { (void)s.recv(1); }) == expected);
    CHECK(outcome([&] { (void)s.recv_into(buffer); }) == expected);
    CHECK(outcome([&] { (void)s.recvfrom(1); }) == expected);
    CHECK(outcome([&] { (void)s.recvfrom_into(buffer, from); }) == expected);
    CHECK(outcome([&] { (void)s.recvmsg(1); }) == expected);
    CHECK(outcome([&] { (void)s.recvmsg_into({sk::mutable_bytes(buffer)}); }) == expected);
    CHECK(outcome([&] { (void)s.send("x"); }) == expected);
    CHECK(outcome([&] { s.sendall("x"); }) == expected);
    CHECK(outcome([&] { (void)s.sendto("x", sk::endpoint()); }) == expected);
    CHECK(outcome([&] { (void)s.sendmsg({"x"}); }) == expected);
  }
}

TEST_CASE("accept and sendfile keep their timeout on a descriptor made blocking",
          "[readiness][accept][sendfile]") {
  sk::socket listener = listening();
  listener.settimeout(limit);
  const sk::socket listener_copy = blocking_duplicate(listener);
  CHECK(outcome([&] { (void)listener.accept(); }) == "timeout");

  full_connection full;
  full.client.settimeout(limit);
  const sk::socket copy = blocking_duplicate(full.client);
  const file_with file("content");
  CHECK(outcome([&] { (void)full.client.sendfile(file.path); }) == "timeout");
}

TEST_CASE("blocking calls wait although another holder makes the descriptor non-blocking",
          "[readiness][settimeout]") {
  auto [client, server] = connected();
  client.settimeout(std::nullopt);
  sk::socket copy = client.dup();
  copy.setblocking(false);
  background<std::string> receiving([&client = client] { return client.recv(10); });
  receiving.wait_until_asleep();
  server.sendall("late");
  CHECK(receiving.get() == "late");
}

TEST_CASE("settimeout in another thread does not disturb a blocked receive",
          "[readiness][settimeout]") {
  const interrupting_signal signal;
  auto [client, server] = connected();
  client.settimeout(std::nullopt);
  background<std::string> receiving([&client = client] { return client.recv(10); });
  interrupt(receiving);
  client.settimeout(5);
  interrupt(receiving);
  CHECK_FALSE(receiving.done());
  server.sendall("late");
  CHECK(receiving.get() == "late");
}

TEST_CASE("after settimeout calls that interleave the socket works in the mode it reports",
          "[readiness][settimeout]") {
  auto [client, server] = connected();
  for (int round = 0; round < 200; ++round) {
    std::atomic<int> ready{0};
    const auto set = [&client = client, &ready](sk::timeout_value value) {
      ++ready;
      while (ready < 2) {
      }
      client.settimeout(value);
    };
    std::thread other(set, sk::timeout_value(patience));
    set(std::nullopt);
    other.join();
    const int flags = ::fcntl(client.fileno(), F_GETFL);
    REQUIRE(((flags & O_NONBLOCK) != 0) == client.gettimeout().has_value());
  }
  client.sendall("x");
  CHECK(server.recv(1) == "x");
}

TEST_CASE("from_fileno and fromfd take on the mode of a non-blocking descriptor",
          "[readiness][fromfd]") {
  auto [a, b] = sk::socketpair();
  a.setblocking(false);
  sk::socket copy = sk::fromfd(a.fileno(), AF_UNIX, SOCK_STREAM);
  CHECK(copy.gettimeout() == sk::seconds(0));
  CHECK(failure_of([&] { return copy.recv(1); }) == failure("blocking_io_error", EAGAIN));
  CHECK(sk::from_fileno(copy.detach()).gettimeout() == sk::seconds(0));
  a.setblocking(true);
  CHECK_FALSE(sk::fromfd(a.fileno(), AF_UNIX, SOCK_STREAM).gettimeout().has_value());
  const default_timeout_scope five(5);
  CHECK(sk::fromfd(a.fileno(), AF_UNIX, SOCK_STREAM).gettimeout() == sk::seconds(5));
}

TEST_CASE("a blocking call reports the end of the system's own timeout, as Python does",
          "[readiness][setsockopt]") {
  full_connection full;
  sk::socket& s = full.client;
  s.settimeout(std::nullopt);
  s.setsockopt(SOL_SOCKET, SO_RCVTIMEO, timeval{0, 50000});
  s.setsockopt(SOL_SOCKET, SO_SNDTIMEO, timeval{0, 50000});
  const std::string expected = failure("blocking_io_error", EAGAIN);
  CHECK(failure_of([&] { return s.recv(1); }) == expected);
  CHECK(failure_of([&] { return s.recvmsg(1); }) == expected);
  CHECK(failure_of([&] { return s.send("x"); }) == expected);
  CHECK(failure_of([&] { return s.sendall("x"); }) == expected);
  sk::socket listener = listening();
  listener.settimeout(std::nullopt);
  listener.setsockopt(SOL_SOCKET, SO_RCVTIMEO, timeval{0, 50000});
  CHECK(failure_of([&] { return listener.accept(); }) == expected);
}

// ---- flags ----

TEST_CASE("MSG_DONTWAIT returns at once in every mode", "[readiness][recv][send]") {
  full_connection full;
  sk::socket& s = full.client;
  const std::string expected = failure("blocking_io_error", EAGAIN);
  for (const sk::timeout_value& mode :
       {sk::timeout_value(std::nullopt), sk::timeout_value(patience), sk::timeout_value(0)}) {
    s.settimeout(mode);
    CHECK(failure_of([&] { return s.recv(1, MSG_DONTWAIT); }) == expected);
    CHECK(failure_of([&] { return s.recvmsg(1, 0, MSG_DONTWAIT); }) == expected);
    CHECK(failure_of([&] { return s.send("x", MSG_DONTWAIT); }) == expected);
    CHECK(failure_of([&] { return s.sendall("x", MSG_DONTWAIT); }) == expected);
  }
}

TEST_CASE("sendto with MSG_FASTOPEN and a timeout connects and sends", "[readiness][sendto]") {
#ifdef MSG_FASTOPEN
  sk::socket listener = listening();
  for (const bool message : {false, true}) {
    sk::socket client;
    client.settimeout(patience);
    const std::size_t sent =
        message ? client.sendmsg({"first"}, {}, MSG_FASTOPEN, listener.getsockname())
                : client.sendto("first", MSG_FASTOPEN, listener.getsockname());
    CHECK(sent == 5);
    sk::socket server = listener.accept().conn;
    CHECK(receive(server, 5) == "first");
  }
  const sk::address closed = [] {
    sk::socket s;
    s.bind({"127.0.0.1", 0});
    return s.getsockname();
  }();
  sk::socket refused;
  refused.settimeout(patience);
  CHECK(failure_of([&] { return refused.sendto("first", MSG_FASTOPEN, closed); }) ==
        failure("connection_refused_error", ECONNREFUSED));
#else
  SKIP_TEST("this system has no MSG_FASTOPEN");
#endif
}

TEST_CASE("MSG_PEEK with MSG_TRUNC returns the length of a datagram", "[readiness][recv_into]") {
#ifdef __linux__
  sk::socket receiver = bound_udp();
  sk::socket sender = bound_udp();
  (void)sender.sendto(std::string(1000, 'x'), receiver.getsockname());
  char buffer[1];
  sk::endpoint from;
  const int flags = MSG_PEEK | MSG_TRUNC;
  CHECK(receiver.recv_into(buffer, 0, flags) == 1000);
  CHECK(receiver.recvfrom_into(buffer, from, flags) == 1000);
  CHECK(receiver.recvfrom_into(buffer, 0, flags).nbytes == 1000);
  CHECK(receiver.recvmsg_into({sk::mutable_bytes(buffer)}, 0, flags).nbytes == 1000);
  CHECK(receiver.recv(1, flags) == "x");
  CHECK(receiver.recvfrom(1, flags).data == "x");
  CHECK(receiver.recvmsg(1, 0, flags).data == "x");
#else
  SKIP_TEST("only Linux has MSG_TRUNC for receives");
#endif
}

// ---- connect ----

#ifdef __linux__
TEST_CASE("an AF_UNIX connect to a full queue waits for its timeout", "[readiness][connect]") {
  sk::socket listener(AF_UNIX);
  listener.bind("");
  listener.listen(0);
  sk::socket first(AF_UNIX);
  first.connect(listener.getsockname());
  sk::socket second(AF_UNIX);
  second.settimeout(limit);
  CHECK(outcome([&] { second.connect(listener.getsockname()); }) == "timeout");
  second.settimeout(patience);
  background<int> connecting([&] { return second.connect(listener.getsockname()), 0; });
  connecting.wait_until_asleep();
  (void)listener.accept();
  connecting.get();
  CHECK(second.getpeername() == listener.getsockname());
}
#endif

// ---- files ----

TEST_CASE("a signal while sendfile opens a FIFO does not end it", "[readiness][sendfile]") {
  const interrupting_signal signal;
  const temporary_directory directory;
  const std::string path = directory / "fifo";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  auto [client, server] = connected();
  background<std::string> sending([&client = client, &path] {
    return failure_of([&client, &path] { return client.sendfile(path); });
  });
  interrupt(sending);
  CHECK_FALSE(sending.done());
  const std::ofstream writer(path);
  CHECK(sending.get() == failure("error", ESPIPE));  // a FIFO has no offsets
}

// ---- small stacks ----

namespace {

// Runs `body` in a thread whose stack is too small for a buffer of 64 KiB.
template <class Body>
void on_a_small_stack(Body body) {
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  REQUIRE(::pthread_attr_setstacksize(&attributes, 65536) == 0);
  pthread_t thread;
  const auto run = [](void* data) -> void* {
    (*static_cast<Body*>(data))();
    return nullptr;
  };
  REQUIRE(::pthread_create(&thread, &attributes, run, &body) == 0);
  ::pthread_join(thread, nullptr);
  ::pthread_attr_destroy(&attributes);
}

}  // namespace

TEST_CASE("large receives and sendfile run on a stack of 64 KiB", "[readiness][recv][sendfile]") {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  SKIP_TEST("sanitizers need larger stacks");
#endif
  auto [client, server] = connected();
  const file_with file(std::string(100, 'x'));
  std::vector<std::string> got;
  on_a_small_stack([&, &client = client, &server = server] {
    for (const std::size_t size : {std::size_t{5000}, std::size_t{65536}}) {
      client.sendall("one");
      got.push_back(server.recv(size));
      client.sendall("two");
      got.push_back(server.recvfrom(size).data);
      client.sendall("three");
      got.push_back(server.recvmsg(size, size).data);
      std::istringstream in("four");
      (void)client.sendfile(in);
      got.push_back(server.recv(size));
      (void)client.sendfile(file.path);
      got.push_back(receive(server, 100));
    }
  });
  REQUIRE(got.size() == 10);
  CHECK(got[1] == "two");
  CHECK(got[5] == "one");
  CHECK(got[8] == "four");
  CHECK(got[9] == file.content);
}
