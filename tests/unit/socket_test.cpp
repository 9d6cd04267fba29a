// SPDX-License-Identifier: MIT
#include <pysock/socket.hpp>

#include <array>
#include <cerrno>
#include <climits>
#include <functional>
#include <sstream>

#include "support/catch.hpp"
#include "support/failure.hpp"
#include "support/fake_sys.hpp"
#include "support/native.hpp"

using namespace std::chrono_literals;
using fake::called;
using fake::event;
using fake::fails;
using fake::lines;
using pysock::address;
using pysock::endpoint;

using test_support::errno_text;
using test_support::failure;
using test_support::failure_of;
using test_support::gai_text;

namespace {

// Sets the process's default timeout for one scope.
struct default_timeout {
  explicit default_timeout(pysock::timeout_value value) { pysock::setdefaulttimeout(value); }
  ~default_timeout() { pysock::setdefaulttimeout(std::nullopt); }
  default_timeout(const default_timeout&) = delete;
  default_timeout& operator=(const default_timeout&) = delete;
};

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const std::exception& e) {
    return e.what();
  }
  return "nothing was thrown";
}

bool stop(void*) noexcept { return false; }

}  // namespace

// ---- construction and closing ----

TEST_CASE("a socket opens and closes with one system call each") {
  const fake::session session;
  {
    const pysock::socket s;
    CHECK(s.family() == AF_INET);
    CHECK(s.type() == SOCK_STREAM);
    CHECK(s.proto() == 0);
    CHECK(fake::log() == lines{called("socket", AF_INET, SOCK_STREAM, 0, false)});
  }
  CHECK(fake::log().size() == 2);
  CHECK(fake::problems() == lines{});
}

TEST_CASE("a failed socket call names family and type") {
  const fake::session session;
  fake::on_socket({fails(EMFILE)});
  CHECK(message_of([] { pysock::socket s(AF_INET6, SOCK_DGRAM); }) ==
        "socket (AF_INET6, SOCK_DGRAM): " + errno_text(EMFILE));
}

TEST_CASE("sockets move, and the source is then closed") {
  const fake::session session;
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<pysock::socket>);
  STATIC_REQUIRE(std::is_nothrow_move_constructible_v<pysock::socket>);
  STATIC_REQUIRE(std::is_nothrow_move_assignable_v<pysock::socket>);
  pysock::socket a(AF_INET6, SOCK_DGRAM, 17);
  a.settimeout(2);
  const auto handle = a.fileno();
  pysock::socket b(std::move(a));
  CHECK(b.fileno() == handle);
  CHECK(b.family() == AF_INET6);
  CHECK(b.type() == SOCK_DGRAM);
  CHECK(b.proto() == 17);
  CHECK(b.gettimeout() == pysock::seconds(2));
  CHECK_FALSE(a);  // NOLINT(bugprone-use-after-move): tests the moved-from object
  CHECK(a.fileno() == -1);
  CHECK(message_of([&] { (void)a.send("x"); }) == "send: " + errno_text(EBADF));

  pysock::socket c;
  const auto replaced = c.fileno();
  c = std::move(b);
  CHECK(fake::closed() == std::vector<fake::handle>{replaced});
  CHECK(c.fileno() == handle);
  auto& same = c;
  c = std::move(same);
  CHECK(c.fileno() == handle);
}

TEST_CASE("close reports errors, does nothing the second time, and is never repeated") {
  const fake::session session;
  pysock::socket s;
  fake::on_close({fails(EINTR)});
  CHECK(message_of([&] { s.close(); }) == "close: " + errno_text(EINTR));
  CHECK(fake::count("close") == 1);
  CHECK_NOTHROW(s.close());
  CHECK(fake::count("close") == 1);
  CHECK(s.fileno() == -1);
}

TEST_CASE("after close attributes can be read and every other call is EBADF") {
  const fake::session session;
  pysock::socket s;
  s.settimeout(3);
  s.close();
  CHECK(s.fileno() == -1);
  CHECK(s.detach() == -1);
  CHECK(s.gettimeout() == pysock::seconds(3));
  CHECK(s.getblocking());
  CHECK(s.family() == AF_INET);
  CHECK(s.recv(0).empty());
  CHECK(s.connect_ex({"127.0.0.1", 1}) == EBADF);
  char buffer[8];
  endpoint from;
  const std::vector<std::function<void()>> calls = {
      [&] { (void)s.accept(); },
      [&] {
        s.bind({"127.0.0.1", 0});
      },
      [&] {
        s.connect({"127.0.0.1", 1});
      },
      [&] { (void)s.dup(); },
      [&] { (void)s.get_inheritable(); },
      [&] { s.set_inheritable(true); },
      [&] { (void)s.getpeername(); },
      [&] { (void)s.getsockname(); },
      [&] { (void)s.getsockopt(SOL_SOCKET, SO_REUSEADDR); },
      [&] { (void)s.getsockopt(SOL_SOCKET, SO_REUSEADDR, 4); },
      [&] { s.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1); },
      [&] { s.listen(); },
      [&] { (void)s.recv(1); },
      [&] { (void)s.recvfrom(1); },
      [&] { (void)s.recv_into(buffer); },
      [&] { (void)s.recvfrom_into(buffer); },
      [&] { (void)s.recvfrom_into(buffer, from); },
      [&] { (void)s.send("x"); },
      [&] { s.sendall("x"); },
      [&] { s.sendall(""); },
      [&] {
        (void)s.sendto("x", {"127.0.0.1", 1});
      },
      [&] { s.shutdown(SHUT_RDWR); },
      [&] { s.settimeout(9); },
      [&] { s.setblocking(false); },
  };
  for (const auto& call : calls) {
    const std::string message = message_of(call);
    CAPTURE(message);
    CHECK(message.find(errno_text(EBADF)) != std::string::npos);
  }
  CHECK(s.gettimeout() == pysock::seconds(3));
  CHECK(fake::elapsed() == 0ns);
}

TEST_CASE("detach releases the descriptor") {
  const fake::session session;
  fake::handle kept = -1;
  {
    pysock::socket s;
    kept = s.detach();
    CHECK_FALSE(s);
    CHECK(s.detach() == -1);
    CHECK_NOTHROW(s.close());
  }
  CHECK(fake::is_open(kept));
  CHECK(fake::closed().empty());
}

TEST_CASE("dup copies the timeout and the hook, not the default") {
  const fake::session session;
  pysock::socket s(AF_INET6, SOCK_DGRAM, 17);
  s.settimeout(5);
  s.set_interrupt_hook(stop, nullptr);
  const default_timeout other(9);
  pysock::socket copy = s.dup();
  CHECK(copy.fileno() != s.fileno());
  CHECK(copy.gettimeout() == pysock::seconds(5));
  CHECK(copy.family() == AF_INET6);
  CHECK(copy.type() == SOCK_DGRAM);
  CHECK(copy.proto() == 17);
  fake::on_recv({fails(EINTR)});
  CHECK_THROWS_AS(copy.recv(1), pysock::interrupted_error);
}

TEST_CASE("fromfd works on a duplicate, from_fileno on the descriptor itself") {
  const fake::session session;
  const fake::handle fd = fake::adopt(AF_INET6, SOCK_DGRAM, 17);
  {
    const pysock::socket s = pysock::fromfd(fd, AF_INET6, SOCK_DGRAM);
    CHECK(s.fileno() != fd);
    CHECK(s.proto() == 0);
    CHECK_FALSE(s.gettimeout().has_value());
    CHECK(fake::count("set_nonblocking") == 0);
  }
  CHECK(fake::is_open(fd));
  {
    const pysock::socket s = pysock::from_fileno(fd);
    CHECK(s.fileno() == fd);
    CHECK(s.family() == AF_INET6);
    CHECK(s.type() == SOCK_DGRAM);
    CHECK(s.proto() == 17);
  }
  CHECK_FALSE(fake::is_open(fd));
  CHECK(fake::problems() == lines{});
}

TEST_CASE("from_fileno uses its arguments unchecked, and checks that it is a socket") {
  const fake::session session;
  const fake::handle fd = fake::adopt(AF_INET, SOCK_STREAM, 6);
  pysock::socket s = pysock::from_fileno(fd, AF_UNIX, SOCK_DGRAM, 3);
  CHECK(s.family() == AF_UNIX);
  CHECK(s.type() == SOCK_DGRAM);
  CHECK(s.proto() == 3);
  CHECK_THROWS_AS(pysock::from_fileno(-1), std::invalid_argument);
  CHECK(message_of([] { (void)pysock::from_fileno(-5); }) ==
        "from_fileno: negative file descriptor");
  fake::on_describe({fails(ENOTSOCK), fails(ENOTSOCK)});
  CHECK(message_of([&] {
          (void)pysock::from_fileno(s.fileno(), AF_INET, SOCK_STREAM, 0);
        }).find(errno_text(ENOTSOCK)) != std::string::npos);
  CHECK(fake::is_open(fd));
  CHECK(message_of([&] {
          (void)pysock::fromfd(s.fileno(), AF_INET, SOCK_STREAM, 0);
        }).find(errno_text(ENOTSOCK)) != std::string::npos);
  CHECK(fake::open_count() == 1);
}

// ---- leaks ----

TEST_CASE("no descriptor stays open, whichever call fails") {
  const auto scenarios = std::vector<std::function<void()>>{
      [] { const pysock::socket s; },
      [] {
        const default_timeout some(1);
        const pysock::socket s;
      },
      [] { (void)pysock::socketpair(); },
      [] {
        const default_timeout some(0);
        (void)pysock::socketpair();
      },
      [] {
        const pysock::socket s;
        (void)s.dup();
      },
      [] {
        pysock::socket s;
        s.bind({"", 0});
        s.listen();
        (void)s.accept();
      },
      [] {
        const default_timeout some(1);
        pysock::socket s;
        (void)s.accept();
      },
      [] {
        const pysock::socket s;
        (void)pysock::fromfd(s.fileno(), AF_INET, SOCK_STREAM);
      },
      [] {
        const pysock::socket s;
        const default_timeout some(1);
        (void)pysock::fromfd(s.fileno(), AF_INET, SOCK_STREAM);
      },
      [] { const pysock::descriptor d = pysock::dup(pysock::socket().fileno()); },
  };
  for (const auto& scenario : scenarios) {
    for (const int number : {EMFILE, EINTR, ECONNABORTED}) {
      const int failures = fake::fail_each_call(number, [&] {
        try {
          scenario();
        } catch (const pysock::error&) {
        }
        CHECK(fake::opened().size() == fake::closed().size());
        CHECK(fake::problems() == lines{});
      });
      CHECK(failures > 0);
    }
  }
}

TEST_CASE("from_fileno leaves the descriptor to its owner when it fails") {
  fake::fail_each_call(ENOTSOCK, [] {
    const fake::handle fd = fake::adopt();
    const default_timeout some(1);
    try {
      pysock::socket s = pysock::from_fileno(fd);
      (void)s.detach();
    } catch (const pysock::error&) {
    }
    CHECK(fake::is_open(fd));
  });
}

// ---- default timeouts and modes ----

TEST_CASE("new sockets take the default timeout, and its mode at creation") {
  const fake::session session;
  {
    const default_timeout some(2.5);
    CHECK(pysock::socket().gettimeout() == pysock::seconds(2.5));
    auto [a, b] = pysock::socketpair();
    CHECK(a.gettimeout() == pysock::seconds(2.5));
    CHECK(b.gettimeout() == pysock::seconds(2.5));
    CHECK(fake::is_nonblocking(a.fileno()));
    CHECK(fake::log("socket") == lines{called("socket", AF_INET, SOCK_STREAM, 0, true)});
    CHECK(fake::count("set_nonblocking") == 0);
    const pysock::socket c = pysock::fromfd(a.fileno(), AF_UNIX, SOCK_STREAM);
    CHECK(c.gettimeout() == pysock::seconds(2.5));
    CHECK(fake::count("set_nonblocking") == 1);
  }
  {
    const default_timeout none(0);
    const pysock::socket s;
    CHECK(s.gettimeout() == pysock::seconds(0));
    CHECK_FALSE(s.getblocking());
  }
  CHECK_FALSE(pysock::socket().gettimeout().has_value());
}

TEST_CASE("flags in the type are stripped, and SOCK_NONBLOCK means a timeout of 0") {
  const fake::session session;
#ifdef SOCK_NONBLOCK
  const default_timeout some(2);
  const pysock::socket s(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
  CHECK(s.type() == SOCK_STREAM);
  CHECK(s.gettimeout() == pysock::seconds(0));
  CHECK(fake::is_nonblocking(s.fileno()));
#endif
}

#ifdef SOCK_NONBLOCK
TEST_CASE("from_fileno and fromfd strip flags in the type, and SOCK_NONBLOCK means a timeout of 0",
          "[from_fileno]") {
  const fake::session session;
  const default_timeout some(2);
  const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  const fake::handle fd = fake::adopt(AF_UNIX, SOCK_STREAM, 0);
  const pysock::socket copy = pysock::fromfd(fd, AF_UNIX, type);
  const pysock::socket s = pysock::from_fileno(fd, AF_UNIX, type);
  for (const pysock::socket* one : {&copy, &s}) {
    CHECK(one->type() == SOCK_STREAM);
    CHECK(one->gettimeout() == pysock::seconds(0));
    CHECK(fake::is_nonblocking(one->fileno()));
  }
  CHECK(pysock::from_fileno(fake::adopt(AF_UNIX, SOCK_STREAM, 0)).gettimeout() ==
        pysock::seconds(2));
}
#endif

TEST_CASE("settimeout and setblocking set the mode with one call") {
  const fake::session session;
  pysock::socket s;
  const struct {
    std::function<void()> set;
    std::optional<pysock::seconds> timeout;
    bool blocking;
    bool nonblocking_descriptor;
  } rows[] = {
      {[&] { s.settimeout(1.5); }, pysock::seconds(1.5), true, true},
      {[&] { s.settimeout(std::nullopt); }, std::nullopt, true, false},
      {[&] { s.settimeout(0); }, pysock::seconds(0), false, true},
      {[&] { s.setblocking(true); }, std::nullopt, true, false},
      {[&] { s.setblocking(false); }, pysock::seconds(0), false, true},
      {[&] { s.settimeout(20ms); }, pysock::seconds(0.02), true, true},
      {[&] { s.settimeout(s.gettimeout()); }, pysock::seconds(0.02), true, true},
  };
  for (const auto& row : rows) {
    fake::clear_log();
    row.set();
    CHECK(s.gettimeout() == row.timeout);
    CHECK(s.getblocking() == row.blocking);
    CHECK(fake::is_nonblocking(s.fileno()) == row.nonblocking_descriptor);
    CHECK(fake::log() == lines{called("set_nonblocking", s.fileno(), row.nonblocking_descriptor)});
  }
}

TEST_CASE("an accepted socket has the default timeout, not the listener's") {
  const fake::session session;
  pysock::socket listener(AF_INET6);
  for (const pysock::timeout_value own :
       {pysock::timeout_value(std::nullopt), pysock::timeout_value(5), pysock::timeout_value(0)}) {
    listener.settimeout(own);
    fake::clear_log();
    fake::on_accept({fake::gives(fake::inet6({0x20, 1}, 4000, 0, 3))});
    const auto [conn, peer] = listener.accept();
    CHECK_FALSE(conn.gettimeout().has_value());
    CHECK_FALSE(fake::is_nonblocking(conn.fileno()));
    CHECK(conn.family() == AF_INET6);
    CHECK(peer == address("2001::", 4000, 0, 3));
    const std::string call = called("accept", listener.fileno(), false);
    const std::string poll = called("poll", listener.fileno(), event::read, 5000);
    CHECK(fake::log() ==
          (listener.gettimeout() > pysock::seconds(0) ? lines{poll, call} : lines{call}));
  }
  const default_timeout some(3);
  CHECK(listener.accept().conn.gettimeout() == pysock::seconds(3));
  CHECK(fake::log().back().find("close") == 0);
}

TEST_CASE("accept from an unnamed AF_UNIX peer returns the unnamed address") {
  const fake::session session;
  pysock::socket listener(AF_UNIX);
  fake::on_accept({fake::gives(fake::unix_path("")), fake::gives(fake::socket_address{})});
  CHECK(listener.accept().address.is_unnamed());
  CHECK(listener.accept().address.is_unnamed());
}

TEST_CASE("a peer for which the system returns no address has none", "[accept][getpeername]") {
  const fake::session session;
  pysock::socket listener;
  fake::on_accept({fake::gives(fake::socket_address{})});
  fake::on_getpeername({fake::gives(fake::socket_address{})});
  const auto accepted = listener.accept();
  CHECK(accepted.conn);
  CHECK(accepted.address == address());
  CHECK(accepted.conn.getpeername() == address());
}

TEST_CASE("accept waits, is interrupted and fails, and its error_code overload throws nothing") {
  const fake::session session;
  pysock::socket listener;
  listener.settimeout(1);
  fake::on_accept({fails(EAGAIN), fails(EINTR), fake::succeeds()});
  fake::on_poll({fake::ready_after(10)});
  CHECK(listener.accept().conn);
  fake::on_accept({fails(ECONNABORTED), fails(EINVAL), fails(EAGAIN)});
  CHECK_THROWS_AS(listener.accept(), pysock::connection_aborted_error);
  std::error_code ec;
  CHECK_FALSE(listener.accept(ec).conn);
  CHECK(ec.value() == EINVAL);
  fake::on_poll({fake::times_out()});
  CHECK(message_of([&] { (void)listener.accept(); }) == "accept: timed out");
  STATIC_REQUIRE(noexcept(listener.accept(ec)));
}

TEST_CASE("accepted and duplicated sockets inherit the hook") {
  const fake::session session;
  pysock::socket listener;
  listener.set_interrupt_hook(stop, nullptr);
  auto accepted = listener.accept();
  fake::on_send({fails(EINTR)});
  CHECK_THROWS_AS(accepted.conn.send("x"), pysock::interrupted_error);
  pysock::socket moved(std::move(accepted.conn));
  fake::on_send({fails(EINTR)});
  CHECK_THROWS_AS(moved.send("x"), pysock::interrupted_error);
}

// ---- EINTR at every call ----

TEST_CASE("calls that can be repeated do not report EINTR") {
  const fake::session session;
  pysock::socket s(AF_INET, SOCK_DGRAM);
  for (const bool timed : {false, true}) {
    if (timed) s.settimeout(1);
    char buffer[8];
    endpoint from;
    const address to("127.0.0.1", 9);
    const endpoint raw(to.data(), to.size());
    for (const char* call : {"send", "sendto", "recv", "recvfrom"}) fake::on(call, {});
    const auto interrupted = [](const char* call) {
      fake::on(call, {fails(EINTR), fails(EINTR)});
      if (call[0] == 'r') fake::on(call, {fake::gives("abc")});
    };
    interrupted("send");
    CHECK(s.send("abc") == 3);
    interrupted("send");
    CHECK(s.sendall("abc") == 3);
    interrupted("sendto");
    CHECK(s.sendto("abc", to) == 3);
    interrupted("sendto");
    CHECK(s.sendto("abc", raw) == 3);
    interrupted("recv");
    CHECK(s.recv(10) == "abc");
    interrupted("recv");
    CHECK(s.recv_into(buffer) == 3);
    interrupted("recvfrom");
    CHECK(s.recvfrom(10).data == "abc");
    interrupted("recvfrom");
    CHECK(s.recvfrom_into(buffer).nbytes == 3);
    interrupted("recvfrom");
    CHECK(s.recvfrom_into(buffer, from) == 3);
  }
  CHECK(fake::all_consumed());
}

// ---- sending ----

TEST_CASE("send passes bytes and flags to the system once") {
  const fake::session session;
  pysock::socket s;
  fake::clear_log();
  CHECK(s.send("a\0b", 64) == 3);
  CHECK(fake::log() == lines{called("send", s.fileno(), 3, 64)});
  fake::on_send({fake::takes(2)});
  CHECK(s.send("abc") == 2);
  CHECK(fake::sent() == std::string("a\0bab", 5));
  std::error_code ec = pysock::errc::timed_out;
  CHECK(s.send("xyz", ec) == 3);
  CHECK_FALSE(ec);
  STATIC_REQUIRE(noexcept(s.send(pysock::const_bytes(), 0, ec)));
}

TEST_CASE("a send of 0 bytes makes the system call") {
  const fake::session session;
  pysock::socket s;
  fake::clear_log();
  CHECK(s.send("") == 0);
  CHECK(s.sendall("") == 0);
  CHECK(fake::log() == lines{called("send", s.fileno(), 0, 0), called("send", s.fileno(), 0, 0)});
}

TEST_CASE("both overloads report the same failures") {
  const fake::session session;
  pysock::socket s;
  s.setblocking(false);
  char buffer[4];
  std::error_code ec;
  fake::on_send({fails(EAGAIN), fails(EAGAIN), fails(EPIPE), fails(EPIPE)});
  CHECK_THROWS_AS(s.send("x"), pysock::blocking_io_error);
  CHECK(s.send("x", ec) == 0);
  CHECK(ec.value() == EAGAIN);
  CHECK_THROWS_AS(s.send("x"), pysock::broken_pipe_error);
  CHECK(s.send("x", ec) == 0);
  CHECK(ec.value() == EPIPE);
  fake::on_recv({fails(EAGAIN), fails(EAGAIN)});
  CHECK_THROWS_AS(s.recv_into(buffer), pysock::blocking_io_error);
  CHECK(s.recv_into(buffer, ec) == 0);
  CHECK(ec == std::errc::resource_unavailable_try_again);
}

TEST_CASE("a failed sendall reports the bytes sent") {
  const fake::session session;
  pysock::socket s;
  fake::on_send({fake::takes(4), fake::takes(3), fails(ECONNRESET)});
  try {
    s.sendall("0123456789");
    FAIL("not thrown");
  } catch (const pysock::connection_reset_error& e) {
    CHECK(e.transferred() == 7);
    CHECK(std::string(e.what()) == "sendall: " + errno_text(ECONNRESET));
  }
  CHECK(fake::sent() == "0123456");
  std::error_code ec;
  fake::on_send({fake::takes(4), fails(EPIPE)});
  CHECK(s.sendall("0123456789", ec) == 4);
  CHECK(ec.value() == EPIPE);
}

namespace {

// Whether send, sendall and sendto take `Flags` after the data.
template <class Flags, class = void>
struct sends : std::false_type {};
template <class Flags>
struct sends<
    Flags, std::void_t<decltype(std::declval<pysock::socket&>().send("x", std::declval<Flags>()))>>
    : std::true_type {};
template <class Flags, class = void>
struct sends_by_code : std::false_type {};
template <class Flags>
struct sends_by_code<Flags, std::void_t<decltype(std::declval<pysock::socket&>().send(
                                "x", std::declval<Flags>(), std::declval<std::error_code&>()))>>
    : std::true_type {};
template <class Flags, class = void>
struct sends_all : std::false_type {};
template <class Flags>
struct sends_all<Flags, std::void_t<decltype(std::declval<pysock::socket&>().sendall(
                            "x", std::declval<Flags>()))>> : std::true_type {};
template <class Flags, class = void>
struct sends_all_by_code : std::false_type {};
template <class Flags>
struct sends_all_by_code<Flags, std::void_t<decltype(std::declval<pysock::socket&>().sendall(
                                    "x", std::declval<Flags>(), std::declval<std::error_code&>()))>>
    : std::true_type {};
template <class Flags, class To, class = void>
struct sends_to : std::false_type {};
template <class Flags, class To>
struct sends_to<Flags, To,
                std::void_t<decltype(std::declval<pysock::socket&>().sendto(
                    "x", std::declval<Flags>(), std::declval<To>()))>> : std::true_type {};
template <class Flags, class To, class = void>
struct sends_to_by_code : std::false_type {};
template <class Flags, class To>
struct sends_to_by_code<
    Flags, To,
    std::void_t<decltype(std::declval<pysock::socket&>().sendto(
        "x", std::declval<Flags>(), std::declval<To>(), std::declval<std::error_code&>()))>>
    : std::true_type {};

template <class Flags>
constexpr int ways_to_send =
    sends<Flags>::value + sends_by_code<Flags>::value + sends_all<Flags>::value +
    sends_all_by_code<Flags>::value + sends_to<Flags, const address&>::value +
    sends_to<Flags, const endpoint&>::value + sends_to_by_code<Flags, const address&>::value +
    sends_to_by_code<Flags, const endpoint&>::value;

enum small_flags : unsigned char { small_flag = 1 };
enum class scoped_flags { flag = 1 };

}  // namespace

TEST_CASE("a length in place of flags does not compile", "[send]") {
  STATIC_REQUIRE(ways_to_send<int> == 8);
  STATIC_REQUIRE(ways_to_send<const int&> == 8);
  STATIC_REQUIRE(ways_to_send<decltype(MSG_PEEK)> == 8);  // glibc's are enumerators
  STATIC_REQUIRE(ways_to_send<decltype(MSG_PEEK | MSG_OOB)> == 8);
  STATIC_REQUIRE(ways_to_send<small_flags> == 8);
  STATIC_REQUIRE(ways_to_send<scoped_flags> == 0);
  STATIC_REQUIRE(ways_to_send<std::size_t> == 0);
  STATIC_REQUIRE(ways_to_send<const std::size_t&> == 0);
  STATIC_REQUIRE(ways_to_send<std::ptrdiff_t> == (std::is_same_v<std::ptrdiff_t, int> ? 8 : 0));
  STATIC_REQUIRE(ways_to_send<socklen_t> == (std::is_same_v<socklen_t, int> ? 8 : 0));
  STATIC_REQUIRE(ways_to_send<unsigned> == 0);
  STATIC_REQUIRE(ways_to_send<long> == 0);
  STATIC_REQUIRE(ways_to_send<unsigned long> == 0);
  STATIC_REQUIRE(ways_to_send<long long> == 0);
  STATIC_REQUIRE(ways_to_send<unsigned long long> == 0);
  STATIC_REQUIRE(ways_to_send<short> == 0);
  STATIC_REQUIRE(ways_to_send<unsigned short> == 0);
  STATIC_REQUIRE(ways_to_send<signed char> == 0);
  STATIC_REQUIRE(ways_to_send<unsigned char> == 0);
  STATIC_REQUIRE(ways_to_send<char> == 0);
  STATIC_REQUIRE(ways_to_send<wchar_t> == 0);
  STATIC_REQUIRE(ways_to_send<bool> == 0);
  STATIC_REQUIRE(ways_to_send<double> == 0);
}

TEST_CASE("sendto takes its flags between data and address") {
  const fake::session session;
  pysock::socket s(AF_INET, SOCK_DGRAM);
  fake::clear_log();
  const auto target = fake::inet({127, 0, 0, 1}, 9);
  (void)s.sendto("abc", {"127.0.0.1", 9});
  (void)s.sendto("abc", 64, {"127.0.0.1", 9});
  const address a("127.0.0.1", 9);
  (void)s.sendto("abc", 64, endpoint(a.data(), a.size()));
  CHECK(fake::log() == lines{called("sendto", s.fileno(), 3, 0, target),
                             called("sendto", s.fileno(), 3, 64, target),
                             called("sendto", s.fileno(), 3, 64, target)});
}

TEST_CASE("sendto with MSG_FASTOPEN waits only for a connect that goes on", "[sendto]") {
#ifdef MSG_FASTOPEN
  const fake::session session;
  pysock::socket s;
  const auto failing = [&s] { return s.sendto("x", MSG_FASTOPEN, {"10.0.0.1", 80}); };
  s.settimeout(0.5);
  fake::on_sendto({fails(EAGAIN), fails(ECONNREFUSED), fails(EINPROGRESS), fails(EINPROGRESS)});
  fake::on_poll({fake::times_out()});
  CHECK(failure_of(failing) == "timeout");
  CHECK(failure_of(failing) == failure("connection_refused_error", ECONNREFUSED));
  CHECK(fake::count("poll") == 1);
  CHECK(failing() == 1);
  CHECK(fake::log().back() == called("send", s.fileno(), 1, pysock::detail::sys::dont_wait));
  CHECK(fake::count("poll") == 2);
  s.setblocking(false);
  CHECK(failure_of(failing) == failure("blocking_io_error", EINPROGRESS));
  CHECK(fake::count("poll") == 2);
#else
  SKIP_TEST("this system has no MSG_FASTOPEN");
#endif
}

TEST_CASE("error messages name the operation and the address") {
  const fake::session session;
  pysock::socket s(AF_INET, SOCK_DGRAM);
  const address a("127.0.0.1", 9);
  const endpoint raw(a.data(), a.size());
  fake::on_sendto({fails(EMSGSIZE), fails(EMSGSIZE)});
  CHECK(message_of([&] { (void)s.sendto("x", a); }) ==
        "sendto ('127.0.0.1', 9): " + errno_text(EMSGSIZE));
  CHECK(message_of([&] { (void)s.sendto("x", raw); }) ==
        "sendto ('127.0.0.1', 9): " + errno_text(EMSGSIZE));
  fake::on_connect({fails(ECONNREFUSED)});
  CHECK(message_of([&] { s.connect(a); }) ==
        "connect ('127.0.0.1', 9): " + errno_text(ECONNREFUSED));
  fake::on_bind({fails(EADDRINUSE)});
  CHECK(message_of([&] { s.bind(a); }) == "bind ('127.0.0.1', 9): " + errno_text(EADDRINUSE));
  fake::on_getaddrinfo({fails(EAI_NONAME)});
  CHECK(message_of([&] {
          s.connect({"nosuch.invalid", 9});
        }) == "connect ('nosuch.invalid', 9): " + gai_text(EAI_NONAME));
  pysock::socket u(AF_UNIX);
  fake::on_connect({fails(ENOENT)});
  CHECK(message_of([&] { u.connect("/tmp/none"); }) ==
        "connect '/tmp/none': " + errno_text(ENOENT));
}

// ---- receiving ----

TEST_CASE("recv returns at most bufsize bytes") {
  const fake::session session;
  pysock::socket s;
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{100}, std::size_t{4096}, std::size_t{4097}, std::size_t{65536},
        std::size_t{65537}, std::size_t{1} << 20U}) {
    CAPTURE(size);
    fake::clear_log();
    const std::string sent(size < 5000 ? size : 5000, 'y');
    fake::on_recv({fake::gives(sent)});
    CHECK(s.recv(size) == sent);
    CHECK(fake::log() == lines{called("recv", s.fileno(), size, 0)});
  }
  fake::on_recv({fake::gives("")});
  CHECK(s.recv(10, MSG_PEEK).empty());
  CHECK(fake::log().back() == called("recv", s.fileno(), 10, MSG_PEEK));
}

TEST_CASE("a receive of 0 bytes makes no system call, except for datagrams") {
  const fake::session session;
  pysock::socket s;
  fake::clear_log();
  CHECK(s.recv(0).empty());
  CHECK(s.recv_into(pysock::mutable_bytes()) == 0);
  CHECK(fake::log().empty());
  fake::on_recvfrom({fake::gives("abc"), fake::gives("abc")});
  CHECK(s.recvfrom(0).data.empty());
  CHECK(s.recvfrom_into(pysock::mutable_bytes()).nbytes == 0);
  CHECK(fake::count("recvfrom") == 2);
}

TEST_CASE("invalid sizes are refused before any system call") {
  const fake::session session;
  pysock::socket s;
  fake::clear_log();
  char buffer[8];
  std::error_code ec;
  CHECK_THROWS_AS(s.recv(static_cast<std::size_t>(-1)), std::invalid_argument);
  CHECK_THROWS_AS(s.recvfrom(static_cast<std::size_t>(-1)), std::invalid_argument);
  CHECK_THROWS_AS(s.recv_into(buffer, 9), std::invalid_argument);
  CHECK_THROWS_AS(s.recvfrom_into(buffer, 9), std::invalid_argument);
  CHECK(s.recv_into(buffer, 9, 0, ec) == 0);
  CHECK(ec == pysock::bad_argument::buffer_too_small);
  CHECK(s.recvfrom_into(buffer, 9, 0, ec).nbytes == 0);
  CHECK(ec == pysock::bad_argument::buffer_too_small);
  CHECK(fake::log().empty());
}

TEST_CASE("recv_into fills at most nbytes of the caller's buffer") {
  const fake::session session;
  pysock::socket s;
  std::array<char, 8> buffer{};
  fake::on_recv({fake::gives("abcdefghij")});
  CHECK(s.recv_into(buffer, 3) == 3);
  CHECK(fake::log().back() == called("recv", s.fileno(), 3, 0));
  CHECK(std::string_view(buffer.data(), 4) == std::string_view("abc\0", 4));
  CHECK(s.recv_into(buffer) == 7);
  CHECK(std::string_view(buffer.data(), 7) == "defghij");
}

TEST_CASE("with MSG_TRUNC the calls with a buffer return the length of the datagram",
          "[recv_into][recvfrom_into]") {
  const fake::session session;
  pysock::socket s(AF_INET, SOCK_DGRAM);
  char buffer[2];
  endpoint from;
  fake::on_recv({fake::gives("ab").returning(6), fake::gives("ab").returning(6)});
  CHECK(s.recv(2, MSG_TRUNC) == "ab");
  CHECK(s.recv_into(buffer, 0, MSG_TRUNC) == 6);
  fake::on_recvfrom({fake::gives("ab").returning(6), fake::gives("ab").returning(6)});
  CHECK(s.recvfrom(2, MSG_TRUNC).data == "ab");
  CHECK(s.recvfrom_into(buffer, from, MSG_TRUNC) == 6);
}

TEST_CASE("recvfrom returns the sender's address, or none if it is unnamed") {
  const fake::session session;
  pysock::socket s(AF_INET, SOCK_DGRAM);
  char buffer[16];
  endpoint from;
  const auto peer = fake::inet({10, 1, 2, 3}, 77);
  fake::on_recvfrom({fake::gives("one").from(peer), fake::gives("two"),
                     fake::gives("three").from(peer), fake::gives("four").from(peer)});
  auto first = s.recvfrom(100);
  CHECK(first.data == "one");
  CHECK(first.from == address("10.1.2.3", 77));
  CHECK_FALSE(s.recvfrom(100).from);
  auto third = s.recvfrom_into(buffer);
  CHECK(third.nbytes == 5);
  CHECK(third.from == address("10.1.2.3", 77));
  CHECK(s.recvfrom_into(buffer, from) == 4);
  CHECK(address(from) == address("10.1.2.3", 77));
}

// ---- interruptions ----

TEST_CASE("a blocking call that a signal interrupted is repeated as it was") {
  const fake::session session;
  pysock::socket s;
  char buffer[3];
  const auto repeats = [](const std::function<void()>& call) {
    fake::clear_log();
    call();
    const lines log = fake::log();
    REQUIRE(log.size() == 2);
    CHECK(log[0] == log[1]);
  };
  fake::on_send({fails(EINTR), fake::takes(3), fails(EINTR), fake::takes(3)});
  repeats([&] { CHECK(s.send("abc") == 3); });
  repeats([&] { s.sendall("abc"); });
  fake::on_sendto({fails(EINTR), fake::takes(3)});
  repeats([&] { CHECK(s.sendto("abc", {"10.0.0.1", 80}) == 3); });
  fake::on_sendmsg({fails(EINTR), fake::takes(3)});
  repeats([&] { CHECK(s.sendmsg({"abc"}) == 3); });
  fake::on_recv({fails(EINTR), fake::gives("abc")});
  repeats([&] { CHECK(s.recv_into(buffer) == 3); });
  fake::on_recvfrom({fails(EINTR), fake::gives("abc")});
  repeats([&] { CHECK(s.recvfrom_into(buffer).nbytes == 3); });
  fake::on_recvmsg({fails(EINTR), fake::gives("abc")});
  repeats([&] { CHECK(s.recvmsg(3).data == "abc"); });
}

// ---- prediction: whether to poll first ----

TEST_CASE("two receives that had to wait make the next one poll first", "[recv]") {
  const fake::session session;
  pysock::socket s;
  s.settimeout(1);
  fake::on_recv({fails(EAGAIN), fake::gives("a"), fails(EAGAIN), fake::gives("b"), fake::gives("c"),
                 fake::gives("d")});
  fake::on_poll({fake::ready_after(10), fake::ready_after(10), fake::ready()});
  fake::clear_log();
  CHECK(s.recv(1) == "a");  // recv, poll, recv
  CHECK(fake::log().size() == 3);
  CHECK(s.recv(1) == "b");  // recv, poll, recv: only one receive had to wait before
  CHECK(fake::log().size() == 6);
  CHECK(s.recv(1) == "c");  // polled first
  CHECK(fake::log("poll").size() == 3);
  CHECK(fake::log().size() == 8);
  s.settimeout(1);
  fake::clear_log();
  CHECK(s.recv(1) == "d");  // settimeout resets the prediction
  CHECK(fake::log().size() == 1);
}

TEST_CASE("receives that a signal interrupted do not make the next one poll first", "[recv]") {
  const fake::session session;
  pysock::socket s;
  s.settimeout(1);
  fake::on_recv({fails(EINTR), fake::gives("a"), fails(EINTR), fake::gives("b"), fake::gives("c")});
  CHECK(s.recv(1) == "a");
  CHECK(s.recv(1) == "b");
  CHECK(s.recv(1) == "c");
  CHECK(fake::count("poll") == 0);
}

TEST_CASE("a socket that expects to wait still times out, and fails once closed") {
  const fake::session session;
  pysock::socket s;
  s.settimeout(1);
  fake::on_recv({fails(EAGAIN), fake::gives("a"), fails(EAGAIN), fake::gives("b"), fails(EAGAIN)});
  fake::on_poll({fake::ready_after(5), fake::ready_after(5), fake::times_out()});
  CHECK(s.recv(1) == "a");
  CHECK(s.recv(1) == "b");
  CHECK_THROWS_AS(s.recv(1), pysock::timeout);
  CHECK(fake::elapsed() == 1010ms);
  s.close();
  CHECK(message_of([&] { (void)s.recv(1); }) == "recv: " + errno_text(EBADF));
  CHECK(fake::elapsed() == 1010ms);
}

TEST_CASE("a receive that polls first makes one attempt after the timeout", "[recv]") {
  const fake::session session;
  pysock::socket s;
  s.settimeout(1);
  fake::on_recv({fails(EAGAIN), fake::gives("a"), fails(EAGAIN), fake::gives("b"),
                 fake::gives("fewer than SO_RCVLOWAT")});
  fake::on_poll({fake::ready(), fake::ready(), fake::times_out()});
  CHECK(s.recv(1) == "a");
  CHECK(s.recv(1) == "b");
  CHECK(s.recv(100) == "fewer than SO_RCVLOWAT");
}

// ---- connecting ----

TEST_CASE("connect_ex returns what connect throws") {
  const fake::session session;
  pysock::socket s;
  const address to("127.0.0.1", 9);
  fake::on_connect({fake::succeeds(), fails(ECONNREFUSED), fails(EINPROGRESS)});
  CHECK(s.connect_ex(to) == 0);
  CHECK(s.connect_ex(to) == ECONNREFUSED);
  s.setblocking(false);
  CHECK(s.connect_ex(to) == EINPROGRESS);
  s.settimeout(1);
  fake::on_connect({fails(EINPROGRESS)});
  fake::on_poll({fake::times_out()});
  CHECK(s.connect_ex(to) == EWOULDBLOCK);
  fake::on_getaddrinfo({fails(EAI_NONAME)});
  CHECK_THROWS_AS(s.connect_ex({"nosuch.invalid", 9}), pysock::gaierror);
  CHECK_THROWS_AS(s.connect_ex({"::1", 9}), pysock::gaierror);
  CHECK_THROWS_AS(s.connect_ex("/tmp/x"), std::invalid_argument);
}

TEST_CASE("addresses are converted to the family before any call on the socket") {
  const fake::session session;
  pysock::socket v4(AF_INET, SOCK_DGRAM);
  pysock::socket v6(AF_INET6, SOCK_DGRAM);
  pysock::socket un(AF_UNIX, SOCK_DGRAM);
  fake::clear_log();

  v4.bind({"", 7});
  CHECK(fake::log().back() == called("bind", v4.fileno(), fake::inet({0, 0, 0, 0}, 7)));
  v4.bind({"<broadcast>", 7});
  CHECK(fake::log().back() == called("bind", v4.fileno(), fake::inet({255, 255, 255, 255}, 7)));
  v6.bind({"", 7, 8, 9});
  CHECK(fake::log().back() == called("bind", v6.fileno(), fake::inet6({}, 7, 8, 9)));
  un.bind("");
  CHECK(fake::log().back() == called("bind", un.fileno(), fake::unix_path("")));

  fake::clear_log();
  CHECK(message_of([&] {
          v6.bind({"<broadcast>", 7});
        }) == "bind ('<broadcast>', 7): address family mismatched");
  CHECK(message_of([&] {
          v6.bind({"255.255.255.255", 7});
        }) == "bind ('255.255.255.255', 7): address family mismatched");
  CHECK_THROWS_AS(v4.bind({"::1", 7}), pysock::gaierror);
  CHECK_THROWS_AS(v6.bind({"127.0.0.1", 7}), pysock::gaierror);
  CHECK_THROWS_AS(v4.bind({"name", 7, 0, 0}), std::invalid_argument);
  CHECK_THROWS_AS(v4.bind("/tmp/x"), std::invalid_argument);
  CHECK_THROWS_AS(un.bind({"127.0.0.1", 7}), std::invalid_argument);
  CHECK_THROWS_AS(un.bind({"name", 7}), std::invalid_argument);
  CHECK_THROWS_AS(v4.bind(address()), std::invalid_argument);
  CHECK_THROWS_AS(v4.connect(address()), std::invalid_argument);
  CHECK_THROWS_AS(v4.sendto("x", address()), std::invalid_argument);
  std::error_code ec;
  CHECK(v4.sendto("x", 0, address(), ec) == 0);
  CHECK(ec == pysock::bad_argument::address_missing);
  v4.connect({"::1", 1}, ec);
  CHECK(ec.category() == pysock::gai_category());
  CHECK(fake::log().empty());
}

TEST_CASE("a name is looked up for the socket's family, and its port and scope are kept") {
  const fake::session session;
  pysock::socket v6(AF_INET6);
  fake::clear_log();
  fake::on_getaddrinfo(
      {fake::resolves({fake::inet6({0xfe, 0x80, 1}, 0, 0, 4), fake::inet6({0x20}, 0)})});
  v6.connect({"host", 80, 6});
  CHECK(fake::log("getaddrinfo") ==
        lines{called("getaddrinfo", "host", "null", AF_INET6, SOCK_DGRAM, 0, 0)});
  CHECK(fake::log("connect") ==
        lines{called("connect", v6.fileno(), fake::inet6({0xfe, 0x80, 1}, 80, 6, 4))});
  fake::on_getaddrinfo({fake::resolves({fake::inet6({0xfe, 0x80, 1}, 0, 0, 4)})});
  v6.connect({"fe80::%eth0", 80, 0, 9});
  CHECK(fake::log("connect").back() ==
        called("connect", v6.fileno(), fake::inet6({0xfe, 0x80, 1}, 80, 0, 9)));
  CHECK(fake::addrinfo_count() == 0);
}

TEST_CASE("an endpoint is passed to the system unchanged") {
  const fake::session session;
  pysock::socket s(AF_INET);
  sockaddr_storage other{};
  other.ss_family = 99;
  const endpoint raw(reinterpret_cast<const sockaddr*>(&other), 12);
  CHECK_NOTHROW(s.bind(raw));
  CHECK(fake::count("bind") == 1);
}

TEST_CASE("the backlog has a default and is never negative") {
  const fake::session session;
  pysock::socket s;
  fake::clear_log();
  s.listen();
  s.listen(-5);
  s.listen(0);
  s.listen(INT_MAX);
  const int standard = SOMAXCONN < 128 ? SOMAXCONN : 128;
  CHECK(fake::log() == lines{called("listen", s.fileno(), standard),
                             called("listen", s.fileno(), 0), called("listen", s.fileno(), 0),
                             called("listen", s.fileno(), INT_MAX)});
}

// ---- options ----

TEST_CASE("getsockopt reads ints, bytes and structures") {
  const fake::session session;
  const pysock::socket s;
  fake::on_getsockopt(
      {fake::sets(7), fake::gives(std::string("\x01", 1)), fake::gives(std::string(6, 'z'))});
  CHECK(s.getsockopt(SOL_SOCKET, SO_TYPE) == 7);
  CHECK(s.getsockopt(IPPROTO_IPV6, IPV6_V6ONLY) == 1);
  CHECK(s.getsockopt(SOL_SOCKET, SO_TYPE, 16) == "zzzzzz");
  CHECK(message_of([&] { (void)s.getsockopt(SOL_SOCKET, SO_TYPE, 0); }) ==
        "getsockopt buflen out of range");
  CHECK_THROWS_AS(s.getsockopt(SOL_SOCKET, SO_TYPE, -1), pysock::error);
  CHECK_THROWS_AS(s.getsockopt(SOL_SOCKET, SO_TYPE, 1025), pysock::error);
  linger given{};
  given.l_onoff = 1;
  given.l_linger = 5;
  fake::on_getsockopt(
      {fake::gives(std::string(reinterpret_cast<const char*>(&given), sizeof given))});
  CHECK(s.getsockopt<linger>(SOL_SOCKET, SO_LINGER).l_linger == 5);
}

TEST_CASE("setsockopt refuses a value that is longer than the system's length", "[setsockopt]") {
  const fake::session session;
  pysock::socket s;
  const char byte = 0;
  const pysock::const_bytes value(&byte, std::size_t{INT_MAX} + 1);
  CHECK_THROWS_WITH(s.setsockopt(SOL_SOCKET, SO_KEEPALIVE, value),
                    "setsockopt: value out of range");
  CHECK_THROWS_AS(s.setsockopt(SOL_SOCKET, SO_KEEPALIVE, value), std::out_of_range);
  CHECK(fake::count("setsockopt") == 0);
}

TEST_CASE("setsockopt writes ints, bytes, structures and null") {
  const fake::session session;
  pysock::socket s;
  s.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
  const int one = 1;
  CHECK(fake::option(s.fileno(), SOL_SOCKET, SO_REUSEADDR) ==
        std::string(reinterpret_cast<const char*>(&one), sizeof one));
  s.setsockopt(SOL_SOCKET, SO_REUSEADDR, true);
  s.setsockopt(SOL_SOCKET, SO_RCVBUF, std::size_t{4096});
  s.setsockopt(SOL_SOCKET, SO_ERROR, "lo");
  CHECK(fake::option(s.fileno(), SOL_SOCKET, SO_ERROR) == "lo");
  linger given{};
  given.l_linger = 5;
  s.setsockopt(SOL_SOCKET, SO_LINGER, given);
  CHECK(fake::option(s.fileno(), SOL_SOCKET, SO_LINGER) ==
        std::string(reinterpret_cast<const char*>(&given), sizeof given));
  fake::clear_log();
  s.setsockopt(SOL_SOCKET, SO_REUSEADDR, nullptr, 4);
  CHECK(fake::log() == lines{called("setsockopt", s.fileno(), SOL_SOCKET, SO_REUSEADDR, 4)});
  s.setsockopt(SOL_SOCKET, SO_RCVBUF, IPPROTO_TCP);  // glibc's are enumerators
  const int tcp = IPPROTO_TCP;
  CHECK(fake::option(s.fileno(), SOL_SOCKET, SO_RCVBUF) ==
        std::string(reinterpret_cast<const char*>(&tcp), sizeof tcp));
  enum : unsigned char { small = 200 };
  s.setsockopt(SOL_SOCKET, SO_RCVBUF, small);
  const int two_hundred = 200;
  CHECK(fake::option(s.fileno(), SOL_SOCKET, SO_RCVBUF) ==
        std::string(reinterpret_cast<const char*>(&two_hundred), sizeof two_hundred));
  enum : long long { large = 5000000000 };
  CHECK_THROWS_AS(s.setsockopt(SOL_SOCKET, SO_RCVBUF, large), std::out_of_range);
  fake::clear_log();
  CHECK_THROWS_AS(s.setsockopt(SOL_SOCKET, SO_RCVBUF, 5000000000LL), std::out_of_range);
  CHECK_THROWS_AS(s.setsockopt(SOL_SOCKET, SO_RCVBUF, 4294967295U), std::out_of_range);
  CHECK(fake::log().empty());
}

TEST_CASE("shutdown passes its argument to the system") {
  const fake::session session;
  pysock::socket s;
  fake::clear_log();
  s.shutdown(SHUT_RD);
  s.shutdown(SHUT_WR);
  s.shutdown(SHUT_RDWR);
  CHECK(fake::log() == lines{called("shutdown", s.fileno(), 0), called("shutdown", s.fileno(), 1),
                             called("shutdown", s.fileno(), 2)});
  fake::on_shutdown({fails(ENOTCONN)});
  CHECK(message_of([&] { s.shutdown(SHUT_RDWR); }) == "shutdown: " + errno_text(ENOTCONN));
}

TEST_CASE("inheritance can be read and set") {
  const fake::session session;
  pysock::socket s;
  CHECK_FALSE(s.get_inheritable());
  s.set_inheritable(true);
  CHECK(s.get_inheritable());
  CHECK(fake::is_inheritable(s.fileno()));
  CHECK_FALSE(s.dup().get_inheritable());
}

TEST_CASE("a socket prints as in Python, with names") {
  const fake::session session;
  pysock::socket s;
  fake::on_getsockname({fake::gives(fake::inet({127, 0, 0, 1}, 4000))});
  fake::on_getpeername({fails(ENOTCONN)});
  std::ostringstream out;
  out << s;
  CHECK(out.str() == "<socket.socket fd=" + std::to_string(s.fileno()) +
                         ", family=AF_INET, type=SOCK_STREAM, proto=0, laddr=('127.0.0.1', 4000)>");
  s.close();
  CHECK(s.to_string() ==
        "<socket.socket [closed] fd=-1, family=AF_INET, type=SOCK_STREAM, proto=0>");
  const pysock::socket u(AF_UNIX);
  fake::on_getsockname({fake::gives(fake::unix_path(""))});
  fake::on_getpeername({fake::gives(fake::unix_path("/tmp/s"))});
  CHECK(u.to_string() == "<socket.socket fd=" + std::to_string(u.fileno()) +
                             ", family=AF_UNIX, type=SOCK_STREAM, proto=0, raddr=/tmp/s>");
}

TEST_CASE("SocketType is the socket class") {
  STATIC_REQUIRE(std::is_same_v<pysock::SocketType, pysock::socket>);
}

TEST_CASE("has_ipv6 is true") { STATIC_REQUIRE(pysock::has_ipv6); }
