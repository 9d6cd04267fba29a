// SPDX-License-Identifier: MIT
// Sockets on POSIX systems: descriptors of all kinds, flags in the type, pairs, inheritance, other
// families.
#include <unistd.h>

#include <initializer_list>
#include <pysock/families.hpp>  // NETLINK_ROUTE
#include <pysock/socket.hpp>

#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/failure.hpp"
#include "support/sockets.hpp"
#include "support/temporary_directory.hpp"

namespace sk = pysock;
using namespace test_support;

TEST_CASE("families, types and protocols that the system lacks fail with its error number",
          "[socket]") {
  CHECK(failure_of([] { return sk::socket(12345); }) == failure("error", EAFNOSUPPORT));
  CHECK(failure_of([] { return sk::socket(AF_INET, 15); }) == failure("error", EINVAL));
  CHECK(failure_of([] { return sk::socket(AF_INET, SOCK_STREAM, IPPROTO_UDP); }) ==
        failure("error", EPROTONOSUPPORT));
  CHECK(failure_of([] { return sk::socket(AF_UNIX, SOCK_STREAM, 99); }) ==
        failure("error", EPROTONOSUPPORT));
}

#ifdef SOCK_NONBLOCK
TEST_CASE("type() omits SOCK_NONBLOCK and SOCK_CLOEXEC", "[socket]") {
  const sk::socket nonblocking(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
  CHECK(nonblocking.type() == SOCK_STREAM);
  CHECK(nonblocking.gettimeout() == sk::seconds(0));
  CHECK(is_nonblocking(nonblocking.fileno()).value_or(true));

  const sk::socket blocking(AF_INET, SOCK_STREAM | SOCK_CLOEXEC);
  CHECK(blocking.type() == SOCK_STREAM);
  CHECK(blocking.gettimeout() == std::nullopt);
  CHECK_FALSE(is_nonblocking(blocking.fileno()).value_or(false));

  const default_timeout_scope five(5);
  CHECK(sk::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK).gettimeout() == sk::seconds(0));
}
#endif

#if defined(IPPROTO_MPTCP) && defined(IPPROTO_UDPLITE) && defined(SO_PROTOCOL)
TEST_CASE("multipath TCP and UDP-Lite sockets open if the kernel has them", "[socket]") {
  int opened = 0;
  for (const auto& [type, proto] :
       {std::pair{SOCK_STREAM, IPPROTO_MPTCP}, std::pair{SOCK_DGRAM, IPPROTO_UDPLITE}}) {
    const std::string outcome =
        failure_of([type = type, proto = proto] { return sk::socket(AF_INET, type, proto); });
    if (outcome != "none") {
      CHECK(outcome == failure("error", EPROTONOSUPPORT));
      continue;
    }
    ++opened;
    const sk::socket s(AF_INET, type, proto);
    CHECK(s.proto() == proto);
    CHECK(s.getsockopt(SOL_SOCKET, SO_PROTOCOL) == proto);
  }
  if (opened == 0) SKIP_TEST("this kernel has neither");
}
#endif

TEST_CASE("from_fileno rejects a descriptor that is not a socket, and leaves it open", "[socket]") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const sk::descriptor reader(ends[0]);
  const sk::descriptor writer(ends[1]);
  CHECK(failure_of([&] { return sk::from_fileno(reader.get()); }) == failure("error", ENOTSOCK));
  CHECK(failure_of([&] { return sk::from_fileno(reader.get(), AF_INET, SOCK_STREAM, 0); }) ==
        failure("error", ENOTSOCK));
  CHECK(is_open(reader.get()));
  CHECK(failure_of([] { return sk::from_fileno(-1); }) == "invalid_argument");
  CHECK(failure_of([] { return sk::from_fileno(65000); }) == failure("error", EBADF));
}

TEST_CASE("from_fileno and fromfd leave the descriptor's mode alone without a default timeout",
          "[socket][fromfd]") {
  auto [a, b] = sk::socketpair();
  a.setblocking(false);
  sk::socket copy = sk::fromfd(a.fileno(), AF_UNIX, SOCK_STREAM);
  CHECK(copy.gettimeout() == sk::seconds(0));
  CHECK(is_nonblocking(copy.fileno()).value_or(true));
  CHECK(failure_of([&] { return copy.recv(1); }) == failure("blocking_io_error", EAGAIN));

  CHECK_FALSE(is_nonblocking(b.fileno()).value_or(false));
  const default_timeout_scope limit(4);
  const sk::socket limited = sk::fromfd(b.fileno(), AF_UNIX, SOCK_STREAM);
  CHECK(limited.gettimeout() == sk::seconds(4));
  CHECK(is_nonblocking(b.fileno()).value_or(true));  // both share the mode
}

TEST_CASE("socketpair gives two connected sockets", "[socket]") {
  auto [a, b] = sk::socketpair();
  CHECK(a.family() == AF_UNIX);
  CHECK(b.type() == SOCK_STREAM);
  a.sendall("there");
  CHECK(b.recv(100) == "there");
  b.sendall("back");
  CHECK(a.recv(100) == "back");
  CHECK(a.getsockname().is_unnamed());
  CHECK(b.getpeername().is_unnamed());

  auto [c, d] = sk::socketpair(AF_UNIX, SOCK_DGRAM, 1);
  CHECK(c.type() == SOCK_DGRAM);
  CHECK(d.proto() == 1);
  (void)c.send("one");
  (void)c.send("two");
  CHECK(d.recv(100) == "one");

#ifdef SOCK_NONBLOCK
  auto [e, f] = sk::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK);
  CHECK(e.type() == SOCK_STREAM);
  CHECK(f.gettimeout() == sk::seconds(0));
  CHECK(is_nonblocking(e.fileno()).value_or(true));
#endif

  const default_timeout_scope limit(4);
  CHECK(sk::socketpair().first.gettimeout() == sk::seconds(4));
  const auto limited = sk::socketpair();
  CHECK(limited.second.gettimeout() == sk::seconds(4));
  CHECK(is_nonblocking(limited.second.fileno()).value_or(true));

  CHECK(failure_of([] { return sk::socketpair(AF_INET); }) == failure("error", EOPNOTSUPP));
  CHECK(failure_of([] { return sk::socketpair(AF_UNIX, 15); }) == failure("error", EINVAL));
  CHECK(failure_of([] { return sk::socketpair(AF_UNIX, SOCK_STREAM, 99); }) ==
        failure("error", EPROTONOSUPPORT));
}

TEST_CASE("the module's dup and close work on plain descriptors", "[socket]") {
  const sk::socket s;
  sk::descriptor copy = sk::dup(s.fileno());
  CHECK(copy.get() != s.fileno());
  CHECK(is_open(copy.get()));
  CHECK(is_close_on_exec(copy.get()));
  const int fd = copy.release();
  sk::close(fd);
  CHECK_FALSE(is_open(fd));
  CHECK(failure_of([fd] { sk::close(fd); }) == failure("error", EBADF));
  CHECK(failure_of([] { sk::close(-1); }) == failure("error", EBADF));
  CHECK(failure_of([] { return sk::dup(-1); }) == failure("error", EBADF));
  CHECK(failure_of([] { return sk::dup(65000); }) == failure("error", EBADF));
}

TEST_CASE("descriptors are close-on-exec at creation, and set_inheritable changes it", "[socket]") {
  sk::socket listener = listening();
  sk::socket client;
  client.connect(listener.getsockname());
  const sk::socket server = listener.accept().conn;
  const auto pair = sk::socketpair();
  const sk::socket copy = client.dup();
  const sk::socket wrapped = sk::fromfd(client.fileno(), AF_INET, SOCK_STREAM);
  const std::initializer_list<const sk::socket*> all = {&listener,    &client, &server, &pair.first,
                                                        &pair.second, &copy,   &wrapped};
  for (const sk::socket* s : all) {
    CHECK_FALSE(s->get_inheritable());
    CHECK(is_close_on_exec(s->fileno()));
  }
  client.set_inheritable(true);
  CHECK(client.get_inheritable());
  CHECK_FALSE(is_close_on_exec(client.fileno()));
  CHECK_FALSE(copy.get_inheritable());
  client.set_inheritable(false);
  CHECK(is_close_on_exec(client.fileno()));
}

TEST_CASE("setsockopt passes a null pointer with its length", "[socket]") {
  sk::socket s;
  CHECK(failure_of([&] { s.setsockopt(SOL_SOCKET, SO_REUSEADDR, nullptr, 4); }) ==
        failure("error", EFAULT));
  CHECK(failure_of([&] { s.setsockopt(SOL_SOCKET, SO_REUSEADDR, nullptr, 0); }) ==
        failure("error", EINVAL));
}

#ifdef NETLINK_ROUTE
TEST_CASE("a netlink socket takes and returns an endpoint", "[socket]") {
  sk::socket s(AF_NETLINK, SOCK_RAW, 0);
  sockaddr_nl any{};
  any.nl_family = AF_NETLINK;
  s.bind(sk::endpoint(reinterpret_cast<const sockaddr*>(&any), sizeof any));
  const sk::address own = s.getsockname();
  CHECK(own.family() == AF_NETLINK);
  REQUIRE(own.get_if<sk::endpoint>() != nullptr);
  CHECK(own.get_if<sk::endpoint>()->size() == sizeof any);
  CHECK(reinterpret_cast<const sockaddr_nl*>(own.get_if<sk::endpoint>()->data())->nl_pid != 0);
  CHECK(failure_of([&] { s.bind({"127.0.0.1", 0}); }) == "error: bad family");
}
#endif

TEST_CASE("fromfd rejects a descriptor that is not a socket, and leaks no descriptor", "[socket]") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const sk::descriptor reader(ends[0]);
  const sk::descriptor writer(ends[1]);
  const auto before = open_descriptors();
  CHECK(failure_of([&] { return sk::fromfd(reader.get(), AF_INET, SOCK_STREAM); }) ==
        failure("error", ENOTSOCK));
  CHECK(failure_of([] { return sk::fromfd(-1, AF_INET, SOCK_STREAM); }) == failure("error", EBADF));
  CHECK(failure_of([] { return sk::fromfd(65000, AF_INET, SOCK_STREAM); }) ==
        failure("error", EBADF));
  CHECK(open_descriptors() == before);
}

TEST_CASE(
    "AF_UNIX sockets print paths without quotes, abstract names as bytes, and unnamed ends not at "
    "all",
    "[socket]") {
  const auto [a, b] = sk::socketpair();
  CHECK(a.to_string() == "<socket.socket fd=" + std::to_string(a.fileno()) +
                             ", family=AF_UNIX, type=SOCK_STREAM, proto=0>");

  const temporary_directory folder;
  sk::socket bound(AF_UNIX, SOCK_DGRAM);
  bound.bind(folder / "it's");
  sk::socket chosen(AF_UNIX, SOCK_DGRAM);
  chosen.bind("");
  chosen.connect(folder / "it's");
  CHECK(chosen.to_string() == "<socket.socket fd=" + std::to_string(chosen.fileno()) +
                                  ", family=AF_UNIX, type=SOCK_DGRAM, proto=0, laddr=b'\\x00" +
                                  chosen.getsockname().path().substr(1) +
                                  "', raddr=" + (folder / "it's") + ">");
}
