// SPDX-License-Identifier: MIT
// AF_UNIX: paths, abstract names, names the kernel chooses, and no names at all.
#include <pysock/socket.hpp>

#include "support/background.hpp"
#include "support/catch.hpp"
#include "support/failure.hpp"
#include "support/sockets.hpp"
#include "support/temporary_directory.hpp"

namespace sk = pysock;
using namespace test_support;

namespace {

sk::socket unix_socket(int type = SOCK_STREAM) {
  sk::socket made(AF_UNIX, type);
  made.settimeout(patience);
  return made;
}

// A name that no other run of the tests uses at the same time.
std::string unique(const std::string& tail) {
  sk::socket made = unix_socket();
  made.bind("");
  return std::string(1, '\0') + "pysock-test-" + made.getsockname().path().substr(1) + tail;
}

}  // namespace

TEST_CASE("a stream over a path", "[unix][S5][S24][S96][S100][S106][S107]") {
  const temporary_directory folder;
  const std::string path = folder / "stream";
  sk::socket listener = unix_socket();
  CHECK(listener.getsockname().is_unnamed());
  CHECK(listener.getsockname().path().empty());
  listener.bind(path);
  CHECK(std::filesystem::is_socket(path));
  CHECK(listener.getsockname().path() == path);
  listener.listen();

  sk::socket client = unix_socket();
  client.connect(path);
  CHECK(client.getpeername() == sk::address(path));
  auto [conn, peer] = listener.accept();
  CHECK(peer.is_unnamed());
  CHECK(peer.family() == AF_UNIX);
  CHECK(peer.path().empty());
  CHECK(conn.getsockname().path() == path);
  CHECK(conn.getpeername().is_unnamed());
  client.sendall("hello");
  CHECK(conn.recv(100) == "hello");

  listener.close();
  CHECK(std::filesystem::exists(path));  // nothing removes it
  sk::socket second = unix_socket();
  CHECK(failure_of([&] { second.bind(path); }) == failure("error", EADDRINUSE));
}

TEST_CASE("paths that lead nowhere", "[unix][S5][S18]") {
  const temporary_directory folder;
  sk::socket s = unix_socket();
  CHECK(failure_of([&] { s.connect(folder / "missing"); }) == failure("file_not_found_error", ENOENT));
  CHECK(s.connect_ex(folder / "missing") == ENOENT);
  CHECK(failure_of([&] { s.bind(folder / "no folder" + "/s"); }) == failure("file_not_found_error", ENOENT));
  {
    sk::socket bound = unix_socket();
    bound.bind(folder / "abandoned");
  }
  CHECK(failure_of([&] { s.connect(folder / "abandoned"); }) == failure("connection_refused_error", ECONNREFUSED));
  try {
    s.connect(folder / "missing");
  } catch (const sk::error& e) {
    CHECK(std::string(e.what()) == "connect '" + (folder / "missing") + "': [Errno 2] No such file or directory");
  }
}

TEST_CASE("paths have room for 107 bytes and no NUL", "[unix][S5]") {
  const temporary_directory folder;
  const std::string stem = folder / "";
  const std::string longest = stem + std::string(107 - stem.size(), 'x');
  sk::socket s = unix_socket();
  s.bind(longest);
  CHECK(s.getsockname().path() == longest);
  sk::socket other = unix_socket();
  CHECK(failure_of([&] { other.bind(longest + "x"); }) == "error: AF_UNIX path too long");
  CHECK(failure_of([&] { return other.connect_ex(longest + "x"); }) == "error: AF_UNIX path too long");
  CHECK(failure_of([&] { other.bind((folder / "a") + std::string("\0b", 2)); }) == "invalid_argument");
  CHECK_FALSE(std::filesystem::exists(folder / "a"));
}

TEST_CASE("the bytes of a path are nobody's business", "[unix][S5][M65]") {
  const temporary_directory folder;
  const std::string path = folder / "\xFF\xFE not UTF-8";
  sk::socket s = unix_socket();
  s.bind(path);
  CHECK(s.getsockname().path() == path);
  CHECK(std::filesystem::exists(path));
}

TEST_CASE("an abstract name is counted bytes", "[unix][S5][M65]") {
  const std::string inner = unique(std::string("a\0b", 3));
  const std::string tail = unique(std::string("a\0b\0", 4));
  sk::socket first = unix_socket();
  first.bind(inner);
  CHECK(first.getsockname().path() == inner);
  sk::socket second = unix_socket();
  second.bind(tail);
  CHECK(second.getsockname().path() == tail);
  sk::socket third = unix_socket();
  CHECK(failure_of([&] { third.bind(inner); }) == failure("error", EADDRINUSE));

  second.listen();
  sk::socket client = unix_socket();
  CHECK(failure_of([&] { client.connect(inner); }) == failure("connection_refused_error", ECONNREFUSED));
  client.connect(tail);
  CHECK(client.getpeername().path() == tail);
}

TEST_CASE("an abstract name has room for 108 bytes", "[unix][S5][M65]") {
  std::string name = unique("");
  name.resize(108, 'x');
  sk::socket s = unix_socket();
  s.bind(name);
  CHECK(s.getsockname().path() == name);
  CHECK(failure_of([&] { unix_socket().bind(name + "x"); }) == "error: AF_UNIX path too long");
}

TEST_CASE("an empty name lets the kernel choose one", "[unix][S5]") {
  sk::socket s = unix_socket();
  s.bind("");
  const std::string chosen = s.getsockname().path();
  REQUIRE(chosen.size() == 6);
  CHECK(chosen[0] == '\0');
  CHECK(chosen.find_first_not_of("0123456789abcdef", 1) == std::string::npos);
  CHECK_FALSE(s.getsockname().is_unnamed());
  sk::socket other = unix_socket();
  CHECK(failure_of([&] { other.connect(""); }) == failure("error", EINVAL));
}

TEST_CASE("a datagram from an unnamed socket has no sender", "[unix][S5][S118][S121]") {
  const temporary_directory folder;
  sk::socket receiver = unix_socket(SOCK_DGRAM);
  receiver.bind(folder / "receiver");
  sk::socket unnamed = unix_socket(SOCK_DGRAM);
  unnamed.sendto("anonymous", folder / "receiver");
  const auto [data, from] = receiver.recvfrom(100);
  CHECK(data == "anonymous");
  CHECK_FALSE(from);

  sk::socket named = unix_socket(SOCK_DGRAM);
  named.bind(folder / "named");
  named.sendto("signed", folder / "receiver");
  CHECK(receiver.recvfrom(100).from == sk::address(folder / "named"));
  char room[10];
  sk::endpoint raw;
  named.sendto("signed", folder / "receiver");
  CHECK(receiver.recvfrom_into(room, raw) == 6);
  CHECK(sk::address(raw).path() == folder / "named");
  receiver.sendto("back", raw);
  CHECK(named.recv(10) == "back");

  sk::socket chosen = unix_socket(SOCK_DGRAM);
  chosen.bind("");
  chosen.sendto("by number", folder / "receiver");
  CHECK(receiver.recvfrom(100).from == chosen.getsockname());
}

TEST_CASE("a stream from a bound socket names its sender", "[unix][S118]") {
  const temporary_directory folder;
  sk::socket listener = unix_socket();
  listener.bind(folder / "listener");
  listener.listen();
  sk::socket client = unix_socket();
  client.bind(folder / "client");
  client.connect(folder / "listener");
  auto [conn, peer] = listener.accept();
  CHECK(peer.path() == folder / "client");
  client.sendall("x");
  CHECK(conn.recvfrom(10).from.path() == folder / "client");

  auto [a, b] = sk::socketpair();
  a.sendall("x");
  CHECK_FALSE(b.recvfrom(10).from);
}

TEST_CASE("sequential packets keep their bounds and their order", "[unix][S32][S72][S75]") {
  const temporary_directory folder;
  sk::socket listener = unix_socket(SOCK_SEQPACKET);
  listener.bind(folder / "packets");
  listener.listen();
  sk::socket client = unix_socket(SOCK_SEQPACKET);
  client.connect(folder / "packets");
  sk::socket conn = listener.accept().conn;
  CHECK(conn.type() == SOCK_SEQPACKET);
  conn.settimeout(patience);
  client.send("one");
  client.send("two and more");
  client.send("three");
  CHECK(conn.recv(100) == "one");
  CHECK(conn.recv(3) == "two");  // the rest is cut
  CHECK(conn.recv(100) == "three");
  client.close();
  CHECK(conn.recv(100).empty());
}

TEST_CASE("unconnected AF_UNIX sockets", "[unix][S106][S115][S119][S139]") {
  sk::socket stream = unix_socket();
  CHECK(failure_of([&] { stream.send("x"); }) == failure("error", ENOTCONN));
  CHECK(failure_of([&] { return stream.recv(1); }) == failure("error", EINVAL));
  CHECK(failure_of([&] { return stream.getpeername(); }) == failure("error", ENOTCONN));
  CHECK(failure_of([&] { stream.shutdown(SHUT_RDWR); }) == "none");
  sk::socket datagram = unix_socket(SOCK_DGRAM);
  CHECK(failure_of([&] { datagram.send("x"); }) == failure("error", ENOTCONN));
}

TEST_CASE("a connected AF_UNIX stream refuses addresses", "[unix][S121]") {
  auto [a, b] = sk::socketpair();
  CHECK(failure_of([&a = a] { a.sendto("x", "/tmp/elsewhere"); }) == failure("error", EISCONN));
}

TEST_CASE("pairs are no address of AF_UNIX", "[unix][S11]") {
  sk::socket s = unix_socket();
  CHECK(failure_of([&] { s.bind({"127.0.0.1", 80}); }) == "invalid_argument");
  CHECK(failure_of([&] { s.connect({"localhost", 80}); }) == "invalid_argument");
  CHECK(failure_of([&] { return s.connect_ex({"", 80}); }) == "invalid_argument");
}

TEST_CASE("a connect that finds the queue full does not wait in timeout mode", "[unix][S102][S128]") {
  const temporary_directory folder;
  sk::socket listener = unix_socket();
  listener.bind(folder / "full");
  listener.listen(0);
  sk::socket first = unix_socket();
  first.connect(folder / "full");
  sk::socket second = unix_socket();
  CHECK(failure_of([&] { second.connect(folder / "full"); }) == failure("blocking_io_error", EAGAIN));

  sk::socket blocking(AF_UNIX);
  background<std::string> waiting([&] { return failure_of([&] { blocking.connect(folder / "full"); }); });
  waiting.wait_until_asleep();
  CHECK_FALSE(waiting.done());
  (void)listener.accept();
  CHECK(waiting.get() == "none");
}
