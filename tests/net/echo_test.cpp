// SPDX-License-Identifier: MIT
// 64 MiB each way between the library and Python's own socket module, over three families, in both
// roles; and socat.
#include <pysock/socket.hpp>
#include <string>
#include <vector>

#include "support/background.hpp"
#include "support/catch.hpp"
#include "support/python_peer.hpp"
#include "support/sha256.hpp"
#include "support/sockets.hpp"
#include "support/temporary_directory.hpp"

namespace sk = pysock;
using namespace test_support;

namespace {

constexpr std::size_t amount = std::size_t{64} << 20;
constexpr auto limit = std::chrono::seconds(100);

// Data without repetitions, so that the digest shows lost, doubled and exchanged pieces.
std::string make_data(std::size_t size) {
  std::string data(size, '\0');
  std::uint64_t state = 1;
  for (std::size_t i = 0; i + 8 <= size; i += 8) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    const std::uint64_t word = state ^ state >> 29;
    std::memcpy(&data[i], &word, 8);
  }
  return data;
}

std::string digest(const std::string& data) {
  sha256 hash;
  hash.update(data.data(), data.size());
  return hash.hex();
}

const std::string& sent_data() {
  static const std::string data = make_data(amount);
  return data;
}
const std::string& sent_digest() {
  static const std::string hex = digest(sent_data());
  return hex;
}

// Sends the data and receives the echo at the same time. Returns the digest of the echo.
std::string send_and_hash_echo(sk::socket& s, const std::string& data) {
  background<std::size_t> sender([&] {
    const std::size_t sent = s.sendall(data);
    s.shutdown(SHUT_WR);
    return sent;
  });
  sha256 hash;
  std::vector<char> buffer(65536);
  while (const std::size_t count = s.recv_into(buffer)) hash.update(buffer.data(), count);
  REQUIRE(sender.get() == data.size());
  return hash.hex();
}

// Sends back what it receives. Returns the digest of it.
std::string echo_and_hash(sk::socket& s) {
  sha256 hash;
  std::vector<char> buffer(65536);
  while (const std::size_t count = s.recv_into(buffer)) {
    hash.update(buffer.data(), count);
    s.sendall({buffer.data(), count});
  }
  s.shutdown(SHUT_WR);
  return hash.hex();
}

const char* const python_server =
    "family, where = getattr(socket, sys.argv[1]), sys.argv[2]\n"
    "listener = socket.socket(family)\n"
    "listener.bind(where if family == socket.AF_UNIX else (where, 0))\n"
    "listener.listen()\n"
    "say('port', 0 if family == socket.AF_UNIX else listener.getsockname()[1])\n"
    "conn, peer = listener.accept()\n"
    "seen = hashlib.sha256()\n"
    "while data := conn.recv(65536):\n"
    "    seen.update(data)\n"
    "    conn.sendall(data)\n"
    "conn.shutdown(socket.SHUT_WR)\n"
    "say('received', seen.hexdigest())\n";

const char* const python_client =
    "import os, threading\n"
    "family, where, port = getattr(socket, sys.argv[1]), sys.argv[2], int(sys.argv[3])\n"
    "data = os.urandom(64 << 20)\n"
    "s = socket.socket(family)\n"
    "s.connect(where if family == socket.AF_UNIX else (where, port))\n"
    "def send():\n"
    "    s.sendall(data)\n"
    "    s.shutdown(socket.SHUT_WR)\n"
    "sender = threading.Thread(target=send)\n"
    "sender.start()\n"
    "seen = hashlib.sha256()\n"
    "while piece := s.recv(65536): seen.update(piece)\n"
    "sender.join()\n"
    "say('sent', hashlib.sha256(data).hexdigest())\n"
    "say('received', seen.hexdigest())\n";

}  // namespace

TEST_CASE("64 MiB go to a Python server and come back", "[echo]") {
  if (!has_program("python3")) SKIP_TEST("there is no python3");
  const std::string name = GENERATE("AF_INET", "AF_INET6", "AF_UNIX");
  if (name == "AF_INET6" && !host_has_ipv6()) SKIP_TEST("this host has no IPv6 loopback");
  if (name == "AF_UNIX" && !why_no_unix().empty()) SKIP_TEST(why_no_unix());
  CAPTURE(name);
  const int family = name == "AF_INET" ? AF_INET : name == "AF_INET6" ? AF_INET6 : AF_UNIX;
  temporary_directory folder;
  const std::string where = family == AF_UNIX ? folder / "echo" : loopback(family);

  python_peer server(python_server, {name, where});
  const int port = server.expect_number("port");
  sk::socket s(family, SOCK_STREAM);
  s.settimeout(limit);
  s.connect(family == AF_UNIX ? sk::address(where) : sk::address(where, port));
  const std::string returned = send_and_hash_echo(s, sent_data());
  CHECK(server.expect("received") == sent_digest());
  CHECK(returned == sent_digest());
  server.finish();
}

TEST_CASE("64 MiB from a Python client go back to it", "[echo]") {
  if (!has_program("python3")) SKIP_TEST("there is no python3");
  const std::string name = GENERATE("AF_INET", "AF_INET6", "AF_UNIX");
  if (name == "AF_INET6" && !host_has_ipv6()) SKIP_TEST("this host has no IPv6 loopback");
  if (name == "AF_UNIX" && !why_no_unix().empty()) SKIP_TEST(why_no_unix());
  CAPTURE(name);
  const int family = name == "AF_INET" ? AF_INET : name == "AF_INET6" ? AF_INET6 : AF_UNIX;
  temporary_directory folder;
  const std::string where = family == AF_UNIX ? folder / "echo" : loopback(family);

  sk::socket listener(family);
  listener.settimeout(limit);
  listener.bind(family == AF_UNIX ? sk::address(where) : sk::address(where, 0));
  listener.listen();
  python_peer client(python_client, {name, where, std::to_string(listener.getsockname().port())});
  auto [conn, peer] = listener.accept();
  conn.settimeout(limit);
  const std::string seen = echo_and_hash(conn);
  const std::string sent = client.expect("sent");
  CHECK(seen == sent);
  CHECK(client.expect("received") == sent);
  client.finish();
}

TEST_CASE("socat echoes as a server", "[echo]") {
  if (!has_program("socat")) SKIP_TEST("there is no socat");
  const std::string name = GENERATE("TCP4", "TCP6", "UNIX");
  if (name == "TCP6" && !host_has_ipv6()) SKIP_TEST("this host has no IPv6 loopback");
  CAPTURE(name);
  temporary_directory folder;
  const std::string where = name == "TCP4"   ? "TCP4-LISTEN:0,bind=127.0.0.1"
                            : name == "TCP6" ? "TCP6-LISTEN:0,bind=[::1]"
                                             : "UNIX-LISTEN:" + (folder / "echo");
  process socat({"socat", "-d", "-d", where, "EXEC:cat"});
  std::string said = socat.line();
  while (said.find("listening on") == std::string::npos) said = socat.line();

  sk::socket s(name == "TCP4" ? AF_INET : name == "TCP6" ? AF_INET6 : AF_UNIX);
  s.settimeout(limit);
  if (name == "UNIX")
    s.connect(folder / "echo");
  else
    s.connect({loopback(s.family()), std::stoi(said.substr(said.rfind(':') + 1))});
  const std::string data = make_data(std::size_t{1} << 20);
  CHECK(send_and_hash_echo(s, data) == digest(data));
}

TEST_CASE("socat echoes as a client", "[echo]") {
  if (!has_program("socat")) SKIP_TEST("there is no socat");
  const std::string name = GENERATE("TCP4", "TCP6", "UNIX");
  if (name == "TCP6" && !host_has_ipv6()) SKIP_TEST("this host has no IPv6 loopback");
  CAPTURE(name);
  temporary_directory folder;
  sk::socket listener(name == "TCP4" ? AF_INET : name == "TCP6" ? AF_INET6 : AF_UNIX);
  listener.settimeout(limit);
  listener.bind(name == "UNIX" ? sk::address(folder / "echo")
                               : sk::address(loopback(listener.family()), 0));
  listener.listen();
  const std::string port = std::to_string(listener.getsockname().port());
  process socat({"socat",
                 name == "TCP4"   ? "TCP4:127.0.0.1:" + port
                 : name == "TCP6" ? "TCP6:[::1]:" + port
                                  : "UNIX:" + (folder / "echo"),
                 "EXEC:cat"});
  sk::socket conn = listener.accept().conn;
  conn.settimeout(limit);
  const std::string data = make_data(std::size_t{1} << 20);
  CHECK(send_and_hash_echo(conn, data) == digest(data));
}
