// SPDX-License-Identifier: MIT
// AF_UNIX: paths, abstract names, names that the kernel chooses, and unnamed sockets.
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <pysock/names.hpp>
#include <pysock/socket.hpp>

#include "support/background.hpp"
#include "support/catch.hpp"
#include "support/failure.hpp"
#include "support/native.hpp"
#include "support/raw.hpp"
#include "support/sockets.hpp"
#include "support/temporary_directory.hpp"
#if __has_include(<sys/un.h>)
#include <sys/un.h>  // sockaddr_un
#endif

namespace sk = pysock;
using namespace test_support;

namespace {

sk::socket unix_socket(int type = SOCK_STREAM) {
  sk::socket made(AF_UNIX, type);
  made.settimeout(patience);
  return made;
}

// Why the system cannot bind a socket to exactly this name; empty if it can.
std::string why_no_name(const std::string& name, const std::string& kind) {
  if (const std::string missing = why_no_unix(SOCK_STREAM); !missing.empty()) return missing;
  const sk::socket probe(AF_UNIX);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.data(), name.size());
  auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  const std::string call = "::bind to " + kind;
  if (::bind(raw(probe), reinterpret_cast<const sockaddr*>(&address), size) != 0)
    return because(call.c_str());
  size = sizeof address;
  ::getsockname(raw(probe), reinterpret_cast<sockaddr*>(&address), &size);
  return static_cast<std::size_t>(size) > offsetof(sockaddr_un, sun_path) ? ""
                                                                          : call + " gives no name";
}

std::string why_no_abstract_names() {
  return why_no_name(std::string("\0pysock-probe", 13), "an abstract name");
}
std::string why_no_chosen_names() { return why_no_name("", "no name"); }

#define NEEDS(reason) \
  if (const std::string missing = reason; !missing.empty()) SKIP_TEST(missing)

// A connection over a listener at `path`. The client is unnamed.
std::pair<sk::socket, sk::socket> unix_pair(const std::string& path) {
  sk::socket listener = unix_socket();
  listener.bind(path);
  listener.listen();
  sk::socket client = unix_socket();
  client.connect(path);
  return {std::move(client), listener.accept().conn};
}

// An abstract name that no other test run uses at the same time.
std::string unique(const std::string& tail) {
  sk::socket made = unix_socket();
  made.bind("");
  return std::string(1, '\0') + "pysock-test-" + made.getsockname().path().substr(1) + tail;
}

}  // namespace

TEST_CASE("AF_UNIX streams connect over a path", "[unix]") {
  NEEDS(why_no_unix(SOCK_STREAM));
  const temporary_directory folder;
  const std::string path = folder / "stream";
  sk::socket listener = unix_socket();
  listener.bind(path);
  CHECK(std::filesystem::exists(std::filesystem::symlink_status(path)));
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
  CHECK(std::filesystem::exists(std::filesystem::symlink_status(path)));  // not removed
  sk::socket second = unix_socket();
  CHECK(failure_of([&] { second.bind(path); }) == failure("error", EADDRINUSE));
}

TEST_CASE("bind and connect take a std::filesystem::path", "[unix][file_path]") {
  NEEDS(why_no_unix(SOCK_STREAM));
  const temporary_directory folder;
  const std::filesystem::path path = folder / "stream";
  sk::socket listener = unix_socket();
  listener.bind(path);
  CHECK(std::filesystem::exists(std::filesystem::symlink_status(path)));
  CHECK(listener.getsockname().path() == path.string());
  listener.listen();
  sk::socket client = unix_socket();
  client.connect(path.parent_path() / path.filename());
  std::error_code ec;
  unix_socket().connect(path, ec);
  CHECK_FALSE(ec);
}

TEST_CASE("getsockname of an unbound AF_UNIX socket returns an unnamed address, or fails",
          "[unix]") {
  NEEDS(why_no_unix(SOCK_STREAM));
  const sk::socket s = unix_socket();
  sk::address name;
  const std::string outcome = failure_of([&] { name = s.getsockname(); });
  if (outcome == "none") {
    CHECK(name.is_unnamed());
    CHECK(name.path().empty());
  } else {
    CHECK(outcome == failure("error", EINVAL));  // Winsock fails with it
  }
}

TEST_CASE("connecting to missing and invalid paths fails", "[unix]") {
  NEEDS(why_no_unix(SOCK_STREAM));
  const temporary_directory folder;
  const auto by_system = [](const std::string& path, auto call) {
    const sk::address where(path);
    const sk::socket reference = unix_socket();
    const std::string outcome =
        system_says([&] { return call(raw(reference), where.data(), where.size()); });
    CHECK(outcome != "none");
    return outcome;  // ENOENT on Linux
  };
  sk::socket s = unix_socket();
  CHECK(failure_of([&] { s.connect(folder / "missing"); }) ==
        by_system(folder / "missing", ::connect));
  CHECK(failure_of([&] { unix_socket().bind(folder / "no folder" + "/s"); }) ==
        by_system(folder / "no folder" + "/s", ::bind));
  {
    sk::socket bound = unix_socket();
    bound.bind(folder / "abandoned");
  }
  CHECK(failure_of([&] { s.connect(folder / "abandoned"); }) ==
        failure("connection_refused_error", ECONNREFUSED));
  try {
    s.connect(folder / "missing");
    FAIL("not thrown");
  } catch (const sk::error& e) {
    CHECK(s.connect_ex(folder / "missing") == e.errnum());
    CHECK(std::string(e.what()) == "connect '" + (folder / "missing") +
                                       "': " + number_text(e.code().value()) + e.code().message());
  }
}

TEST_CASE("paths have at most 107 bytes and no NUL", "[unix]") {
  NEEDS(why_no_unix(SOCK_STREAM));
  const temporary_directory folder;
  const std::string stem = folder / "";
  const std::string longest = stem + std::string(107 - stem.size(), 'x');
  sk::socket s = unix_socket();
  s.bind(longest);
  CHECK(s.getsockname().path() == longest);
  sk::socket other = unix_socket();
  CHECK(failure_of([&] { other.bind(longest + "x"); }) == "error: AF_UNIX path too long");
  CHECK(failure_of([&] { return other.connect_ex(longest + "x"); }) ==
        "error: AF_UNIX path too long");
  CHECK(failure_of([&] { other.bind((folder / "a") + std::string("\0b", 2)); }) ==
        "invalid_argument");
  CHECK_FALSE(std::filesystem::exists(folder / "a"));
}

TEST_CASE("AF_UNIX paths may contain any byte", "[unix]") {
  const temporary_directory folder;
  const std::string path = folder / "\xFF\xFE not UTF-8";
  NEEDS(why_no_name(folder / "\xFF\xFD not UTF-8", "a path that is not UTF-8"));
  sk::socket s = unix_socket();
  s.bind(path);
  CHECK(s.getsockname().path() == path);
  CHECK(std::filesystem::exists(path));
}

TEST_CASE("an abstract name may contain NULs", "[unix]") {
  NEEDS(why_no_abstract_names());
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
  CHECK(failure_of([&] { client.connect(inner); }) ==
        failure("connection_refused_error", ECONNREFUSED));
  client.connect(tail);
  CHECK(client.getpeername().path() == tail);
}

TEST_CASE("an abstract name has at most 108 bytes", "[unix]") {
  NEEDS(why_no_abstract_names());
  std::string name = unique("");
  name.resize(108, 'x');
  sk::socket s = unix_socket();
  s.bind(name);
  CHECK(s.getsockname().path() == name);
  CHECK(failure_of([&] { unix_socket().bind(name + "x"); }) == "error: AF_UNIX path too long");
}

TEST_CASE("bind to an empty name lets the kernel choose an abstract one", "[unix]") {
  NEEDS(why_no_chosen_names());
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

TEST_CASE("recvfrom returns no sender for a datagram from an unnamed socket", "[unix]") {
  NEEDS(why_no_unix(SOCK_DGRAM));
  const temporary_directory folder;
  sk::socket receiver = unix_socket(SOCK_DGRAM);
  receiver.bind(folder / "receiver");
  sk::socket unnamed = unix_socket(SOCK_DGRAM);
  (void)unnamed.sendto("anonymous", folder / "receiver");
  const auto [data, from] = receiver.recvfrom(100);
  CHECK(data == "anonymous");
  CHECK_FALSE(from);

  sk::socket named = unix_socket(SOCK_DGRAM);
  named.bind(folder / "named");
  (void)named.sendto("signed", folder / "receiver");
  CHECK(receiver.recvfrom(100).from == sk::address(folder / "named"));
  char buffer[10];
  sk::endpoint raw;
  (void)named.sendto("signed", folder / "receiver");
  CHECK(receiver.recvfrom_into(buffer, raw) == 6);
  CHECK(sk::address(raw).path() == folder / "named");
  (void)receiver.sendto("back", raw);
  CHECK(named.recv(10) == "back");

  sk::socket chosen = unix_socket(SOCK_DGRAM);
  chosen.bind("");
  (void)chosen.sendto("by number", folder / "receiver");
  CHECK(receiver.recvfrom(100).from == chosen.getsockname());
}

TEST_CASE("accept and recvfrom return the name of a bound AF_UNIX client", "[unix]") {
  NEEDS(why_no_unix(SOCK_STREAM));
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

  auto [a, b] = unix_pair(folder / "unnamed");
  a.sendall("x");
  CHECK_FALSE(b.recvfrom(10).from);
}

TEST_CASE("SOCK_SEQPACKET keeps the bounds and the order of packets", "[unix]") {
  NEEDS(why_no_unix(SOCK_SEQPACKET));
  const temporary_directory folder;
  sk::socket listener = unix_socket(SOCK_SEQPACKET);
  listener.bind(folder / "packets");
  listener.listen();
  sk::socket client = unix_socket(SOCK_SEQPACKET);
  client.connect(folder / "packets");
  sk::socket conn = listener.accept().conn;
  CHECK(conn.type() == SOCK_SEQPACKET);
  conn.settimeout(patience);
  (void)client.send("one");
  (void)client.send("two and more");
  (void)client.send("three");
  CHECK(conn.recv(100) == "one");
  CHECK(conn.recv(3) == "two");  // the rest is lost
  CHECK(conn.recv(100) == "three");
  client.close();
  CHECK(conn.recv(100).empty());
}

TEST_CASE("calls on an unconnected AF_UNIX stream fail", "[unix]") {
  NEEDS(why_no_unix(SOCK_STREAM));
  char buffer[1];
  const sk::socket reference = unix_socket();
  sk::socket stream = unix_socket();
  CHECK(failure_of([&] { (void)stream.send("x"); }) == failure("error", ENOTCONN));
  const std::string receiving =
      system_says([&] { return ::recv(raw(reference), buffer, sizeof buffer, 0); });
  CHECK(receiving != "none");
  CHECK(failure_of([&] { return stream.recv(1); }) == receiving);  // EINVAL, ENOTCONN
  CHECK(failure_of([&] { return stream.getpeername(); }) == failure("error", ENOTCONN));
  CHECK(failure_of([&] { stream.shutdown(SHUT_RDWR); }) ==
        system_says([&] { return ::shutdown(raw(reference), SHUT_RDWR); }));
}

TEST_CASE("send on an unconnected AF_UNIX datagram socket fails", "[unix]") {
  NEEDS(why_no_unix(SOCK_DGRAM));
  sk::socket datagram = unix_socket(SOCK_DGRAM);
  CHECK(failure_of([&] { (void)datagram.send("x"); }) == failure("error", ENOTCONN));
}

TEST_CASE("sendto on a connected AF_UNIX stream fails as the system's", "[unix]") {
  NEEDS(why_no_unix(SOCK_STREAM));
  const temporary_directory folder;
  auto [a, b] = unix_pair(folder / "pair");
  const sk::address elsewhere(folder / "elsewhere");
  const std::string outcome = system_says(
      [&, &a = a] { return ::sendto(raw(a), "x", 1, 0, elsewhere.data(), elsewhere.size()); });
  CHECK(failure_of([&, &a = a] { (void)a.sendto("x", elsewhere); }) == outcome);  // EISCONN
}

TEST_CASE("host/port pairs are rejected on AF_UNIX", "[unix]") {
  NEEDS(why_no_unix(SOCK_STREAM));
  sk::socket s = unix_socket();
  CHECK(failure_of([&] { s.bind({"127.0.0.1", 80}); }) == "invalid_argument");
  CHECK(failure_of([&] { s.connect({"localhost", 80}); }) == "invalid_argument");
  CHECK(failure_of([&] { return s.connect_ex({"", 80}); }) == "invalid_argument");
}

TEST_CASE("a connect that finds the queue full waits, unless the socket is non-blocking",
          "[unix][connect]") {
  NEEDS(why_no_unix(SOCK_STREAM));
  const temporary_directory folder;
  sk::socket listener = unix_socket();
  listener.bind(folder / "full");
  listener.listen(0);
  sk::socket first = unix_socket();
  first.connect(folder / "full");
  const sk::address where(folder / "full");
  const sk::socket probe = unix_socket();
  if (::connect(raw(probe), where.data(), where.size()) != 0 &&
      sk::detail::sys::connect_pending(sk::detail::sys::last_error())) {
    SKIP_TEST("::connect to a full queue goes on in the background");
  }
  sk::socket second = unix_socket();
  second.setblocking(false);
  CHECK(failure_of([&] { second.connect(folder / "full"); }) ==
        failure("blocking_io_error", EAGAIN));

  sk::socket blocking(AF_UNIX);
  background<std::string> waiting(
      [&] { return failure_of([&] { blocking.connect(folder / "full"); }); });
  waiting.wait_until_asleep();
  CHECK_FALSE(waiting.done());
  (void)listener.accept();
  CHECK(waiting.get() == "none");
}
