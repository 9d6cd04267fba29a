// SPDX-License-Identifier: MIT
// Descriptors with high numbers, and descriptors that child processes must not see.
#if __has_include(<sys/resource.h>)
#include <fcntl.h>
#include <sys/resource.h>
#endif

#include <pysock/socket.hpp>
#include <set>
#include <sstream>
#include <vector>

#include "support/background.hpp"
#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/failure.hpp"
#include "support/process.hpp"
#include "support/sockets.hpp"

namespace sk = pysock;
using namespace test_support;

namespace {

// Raises the limit of open descriptors to 4096, or to the hard limit if that is lower.
class raised_limit {
#ifdef RLIMIT_NOFILE
 public:
  raised_limit() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit wanted = before_;
    wanted.rlim_cur = wanted.rlim_max < 4096 ? wanted.rlim_max : 4096;
    if (wanted.rlim_cur > before_.rlim_cur) ::setrlimit(RLIMIT_NOFILE, &wanted);
  }
  raised_limit(const raised_limit&) = delete;
  raised_limit& operator=(const raised_limit&) = delete;
  ~raised_limit() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
#endif
};

// Opens more sockets than an fd_set of select() holds, so that every new descriptor is above 1024.
class high_numbers {
 public:
  high_numbers() {
    try {
      while (taken_.size() < enough) taken_.emplace_back(AF_INET, SOCK_DGRAM);
    } catch (const sk::error&) {
      if (taken_.size() > 100) taken_.resize(taken_.size() - 100);  // the report needs descriptors
    }
  }
  [[nodiscard]] bool reached() const { return taken_.size() == enough; }

 private:
  static constexpr std::size_t enough = 1100;
  raised_limit limit_;
  std::vector<sk::socket> taken_;
};

#ifdef PYSOCK_SYSCALL_PROBE
// The descriptors that a program started by this process finds open.
std::set<int> seen_by_a_child() {
  process child({PYSOCK_SYSCALL_PROBE, "descriptors"});
  std::istringstream numbers(child.rest());
  std::set<int> all;
  for (int fd = 0; numbers >> fd;) all.insert(fd);
  return all;
}
#endif

}  // namespace

TEST_CASE("descriptors above 1024 work in every mode", "[descriptors]") {
  const high_numbers high;
  if (!high.reached()) SKIP_TEST("this process may not have so many descriptors");
  sk::socket listener = listening();
  REQUIRE(listener.fileno() > 1024);

  for (const sk::timeout_value& mode :
       {sk::timeout_value(std::nullopt), sk::timeout_value(patience)}) {
    listener.settimeout(mode);
    background<sk::socket> accepting([&] { return listener.accept().conn; });
    accepting.wait_until_asleep();
    sk::socket client;
    client.settimeout(mode);
    client.connect(listener.getsockname());
    sk::socket server = accepting.get();
    REQUIRE(client.fileno() > 1024);
    REQUIRE(server.fileno() > 1024);

    background<std::string> receiving([&] { return client.recv(100); });
    receiving.wait_until_asleep();
    server.sendall("high up");
    CHECK(receiving.get() == "high up");

    const std::string data(std::size_t{16} << 20, 'x');
    background<std::size_t> sending([&] { return client.sendall(data); });
    sending.wait_until_asleep();
    CHECK(receive(server, data.size()).size() == data.size());
    CHECK(sending.get() == data.size());

    client.settimeout(0.01);
    CHECK(failure_of([&] { return client.recv(1); }) == "timeout");
    client.setblocking(false);
    CHECK(failure_of([&] { return client.recv(1); }) == failure("blocking_io_error", EAGAIN));
  }

  const full_listener full;
  sk::socket hanging;
  REQUIRE(hanging.fileno() > 1024);
  hanging.settimeout(0.01);
  CHECK(failure_of([&] { hanging.connect(full.address()); }) == "timeout");

  const auto [a, b] = sk::socketpair();
  CHECK(a.fileno() > 1024);
  CHECK(a.dup().fileno() > 1024);
}

#ifdef F_DUPFD_CLOEXEC
TEST_CASE("from_fileno takes a descriptor that F_DUPFD_CLOEXEC made above 1150", "[descriptors]") {
  const high_numbers high;
  if (!high.reached()) SKIP_TEST("this process may not have so many descriptors");
  auto [client, server] = connected();
  sk::socket moved = sk::from_fileno(::fcntl(client.fileno(), F_DUPFD_CLOEXEC, 1150));
  REQUIRE(moved.fileno() >= 1150);
  moved.settimeout(patience);
  server.sendall("up there");
  CHECK(moved.recv(100) == "up there");
}
#endif

#ifdef PYSOCK_SYSCALL_PROBE
TEST_CASE("a program started by this process inherits none of the library's descriptors",
          "[descriptors]") {
  if (process({PYSOCK_SYSCALL_PROBE, "nothing"}).wait() != 0)
    SKIP_TEST("no program can start one of this platform's");
  sk::socket listener = listening();
  sk::socket client;
  client.connect(listener.getsockname());
  const sk::socket server = listener.accept().conn;
  const sk::socket udp(AF_INET, SOCK_DGRAM);
  const auto pair = sk::socketpair();
  const sk::socket copy = client.dup();
  const sk::socket wrapped = sk::fromfd(client.fileno(), AF_INET, SOCK_STREAM);
  const sk::descriptor plain = sk::dup(client.fileno());
  std::set<int> ours = {plain.get()};
  for (const sk::socket& s :
       {std::cref(listener), std::cref<sk::socket>(client), std::cref(server), std::cref(udp),
        std::cref(pair.first), std::cref(pair.second), std::cref(copy), std::cref(wrapped)}) {
    ours.insert(s.fileno());
  }
  REQUIRE(ours.size() == 9);

  std::set<int> seen = seen_by_a_child();
  CHECK(seen.count(1) == 1);  // its standard output
  for (const int fd : ours) CHECK(seen.count(fd) == 0);

  client.set_inheritable(true);
  seen = seen_by_a_child();
  CHECK(seen.count(client.fileno()) == 1);
  CHECK(seen.count(copy.fileno()) == 0);
}
#endif
