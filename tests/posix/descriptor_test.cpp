// SPDX-License-Identifier: MIT
// New descriptors where the C library or the kernel lacks a call, or cannot set a flag.
#include <sys/ioctl.h>

#include <cerrno>
#include <pysock/socket.hpp>

#include "support/c_library.hpp"
#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/failure.hpp"
#include "support/sockets.hpp"

namespace sk = pysock;
using namespace test_support;

namespace {

// A connection that waits in the queue of a listener.
struct queued_connection {
  queued_connection() {
    client.settimeout(patience);
    client.connect(listener.getsockname());
  }
  sk::socket listener = listening();
  sk::socket client;
};

// How `make` fails if a new descriptor cannot be made non-inheritable, or cannot get its mode.
// Adds a text if it leaves a descriptor open.
template <class Make>
std::string failure_without(bool inheritance, const Make& make) {
  const auto before = open_descriptors();
  std::string failed;
  if (inheritance) {
    const replaced<c_library::fcntl> broken(EINVAL);
    failed = failure_of(make);
  } else {
    const replaced<c_library::ioctl> broken(EINVAL);
    failed = failure_of(make);
  }
  return failed + (open_descriptors() == before ? "" : ", and a descriptor is open");
}

}  // namespace

TEST_CASE("accept without accept4 returns a socket with the same flags", "[accept]") {
  for (const bool has_timeout : {false, true}) {
    queued_connection queued;
    const default_timeout_scope limit(has_timeout ? sk::timeout_value(patience) : std::nullopt);
    const replaced<c_library::accept4> missing(ENOSYS);
    sk::socket server = queued.listener.accept().conn;
    CHECK(is_close_on_exec(server.fileno()));
    CHECK(is_nonblocking(server.fileno()) == has_timeout);
    server.sendall("data");
    CHECK(receive(queued.client, 4) == "data");
  }
}

TEST_CASE("accept without accept4 reports the error of accept", "[accept]") {
  queued_connection queued;
  const replaced<c_library::accept4> missing(ENOSYS);
  {
    const replaced<c_library::accept> failing(EMFILE);
    CHECK(failure_of([&] { return queued.listener.accept(); }) == failure("error", EMFILE));
  }
  CHECK(queued.listener.accept().address == queued.client.getsockname());
}

TEST_CASE("accept closes a new socket whose flags it cannot set", "[accept]") {
  for (const bool inheritance : {true, false}) {
    CAPTURE(inheritance);
    queued_connection queued;
    const replaced<c_library::accept4> missing(ENOSYS);
    CHECK(failure_without(inheritance, [&] { return queued.listener.accept(); }) ==
          failure("error", EINVAL));
    CHECK(queued.client.recv(1).empty());
  }
}

// Systems without accept4 have no flags in the type of a socket either.
TEST_CASE("no new socket stays open if its flags cannot be set", "[.plain]") {
  for (const bool inheritance : {true, false}) {
    CAPTURE(inheritance);
    CHECK(failure_without(inheritance, [] { return sk::socket(); }) == failure("error", EINVAL));
    CHECK(failure_without(inheritance, [] { return sk::socketpair(); }) ==
          failure("error", EINVAL));
  }
}

TEST_CASE("socketpair closes both sockets if it cannot set the flags of the second", "[.plain]") {
  int calls = 0;
  const auto before = open_descriptors();
  {
    const replaced<c_library::ioctl> broken([&calls](int s, unsigned long, void* value) {
      if (++calls == 1) return ::ioctl(s, FIONBIO, value);
      errno = EINVAL;
      return -1;
    });
    CHECK(failure_of([] { return sk::socketpair(); }) == failure("error", EINVAL));
  }
  CHECK(calls == 2);
  CHECK(open_descriptors() == before);
}

TEST_CASE("dup closes a duplicate that it cannot make non-inheritable", "[.plain]") {
  const sk::socket s;
  CHECK(failure_without(true, [&s] { return s.dup(); }) == failure("error", EINVAL));
}

namespace {

// Has no option for the family of a socket.
int getsockopt_without_domain(int s, int level, int name, void* value, socklen_t* size) {
  if (level != SOL_SOCKET || name != SO_DOMAIN) return ::getsockopt(s, level, name, value, size);
  errno = ENOPROTOOPT;
  return -1;
}

}  // namespace

TEST_CASE("from_fileno takes the family from the socket's name if there is no option for it",
          "[socket]") {
  const replaced<c_library::getsockopt> old_kernel(getsockopt_without_domain);
  for (const int family : {AF_INET, AF_UNIX}) {
    const sk::socket seen = sk::from_fileno(sk::socket(family, SOCK_DGRAM).detach());
    CHECK(seen.family() == family);
    CHECK(seen.type() == SOCK_DGRAM);
  }
}

TEST_CASE("a socket of unknown family has AF_UNSPEC", "[socket]") {
  const replaced<c_library::getsockopt> old_kernel(getsockopt_without_domain);
  const replaced<c_library::getsockname> unnamed(ENOBUFS);
  const sk::socket seen = sk::from_fileno(sk::socket(AF_INET, SOCK_DGRAM).detach());
  CHECK(seen.family() == AF_UNSPEC);
  CHECK(seen.type() == SOCK_DGRAM);
}
