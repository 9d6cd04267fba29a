// SPDX-License-Identifier: MIT
// Files over real connections: lifetimes, modes that they share with the socket, and timeouts.
#include <algorithm>
#include <cerrno>
#include <pysock/file.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "support/background.hpp"
#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/failure.hpp"
#include "support/python_peer.hpp"
#include "support/sockets.hpp"
#include "support/transferred.hpp"

namespace sk = pysock;
using namespace test_support;
using namespace std::chrono_literals;

namespace {

const std::string nothing;

std::pair<sk::socket, sk::socket> pair_of(int family) {
  if (family != AF_UNIX) return connected(family);
  std::pair<sk::socket, sk::socket> made = sk::socketpair();  // AF_UNIX where the system has it
  made.first.settimeout(patience);
  made.second.settimeout(patience);
  return made;
}

// Lines of all lengths that repeat only after long intervals.
std::string some_text(std::size_t size) {
  std::string made;
  for (unsigned i = 0; made.size() < size; ++i)
    made.append(i % 7 * i % 9000, static_cast<char>('a' + i % 26)) += std::to_string(i) + "\n";
  made.resize(size);
  return made;
}

// Receives until the connection ends.
std::string all_from(sk::socket& s) {
  std::string all;
  for (std::string more = s.recv(65536); !more.empty(); more = s.recv(65536)) all += more;
  return all;
}

// Sends until nothing more can be sent. The other end may make space later, so it waits 50 ms for
// that.
std::size_t fill(sk::socket& s) {
  const std::optional<sk::seconds> timeout = s.gettimeout();
  const std::string piece(65536, '.');
  std::size_t size = 0;
  std::error_code ec;
  s.setsockopt(SOL_SOCKET, SO_SNDBUF, 16384);  // the system no longer enlarges the buffer
  s.setblocking(false);
  do {
    for (ec.clear(); !ec;) size += s.send(piece, ec);
  } while (wait_for(s.fileno(), POLLOUT, 50));
  s.settimeout(timeout);
  return size;
}

}  // namespace

TEST_CASE("makefile: a conversation by lines", "[makefile]") {
  const int family = GENERATE(AF_UNIX, AF_INET);
  const int bufsize = GENERATE(-1, 0, 1, 10);
  CAPTURE(family, bufsize);
  auto [a, b] = pair_of(family);
  background<int> server([&b = b, bufsize] {
    sk::file f = b.makefile("rwb", bufsize);
    int served = 0;
    for (const std::string& line : f) f << ++served << ' ' << line << std::flush;
    b.shutdown(SHUT_WR);
    return served;
  });
  sk::file f = a.makefile("rw", bufsize);
  for (const char* word : {"one", "two", "three"}) {
    f << word << std::endl;
    CHECK(f.readline().substr(2) == word + std::string("\n"));
  }
  f.writelines({"four\n", "no newline"});
  f.flush();
  a.shutdown(SHUT_WR);
  CHECK(f.readlines() == std::vector<std::string>{"4 four\n", "5 no newline"});
  CHECK(server.get() == 5);
}

TEST_CASE("makefile: large data arrive complete", "[makefile]") {
  const int bufsize = GENERATE(-1, 1, 1000);
  CAPTURE(bufsize);
  auto [a, b] = pair_of(AF_INET);
  const std::string data = some_text(4 << 20);
  background<bool> writer([&a = a, &data, bufsize] {
    sk::file f = a.makefile("w", bufsize);
    const std::size_t half = data.size() / 2;
    for (std::size_t at = 0; at < half; at += 777)
      f.write(data.substr(at, std::min<std::size_t>(777, half - at)));
    f.write(sk::const_bytes(data).after(half));
    f.close();
    a.close();
    return true;
  });
  sk::file f = b.makefile("r", bufsize);
  std::string got;
  while (got.size() < 1000000) got += f.readline();
  std::string block(300000, '\0');
  f.read(block.data(), 300000);
  got += block;
  got += f.read(1000000);
  got += f.read();
  CHECK(writer.get());
  CHECK(got == data);
}

// ---- lifetimes ----

TEST_CASE("makefile: file and socket close independently", "[makefile]") {
  auto [a, b] = pair_of(GENERATE(AF_UNIX, AF_INET));
  b.sendall("for the file\nfor the socket");
  sk::file f = a.makefile("rw", 0);
  CHECK(f.fileno() != a.fileno());
  CHECK(is_close_on_exec(f.fileno()));
  SECTION("the file stays open") {
    a.close();
    CHECK(failure_of([&a = a] { return a.recv(1); }) == failure("error", EBADF));
    CHECK(f.readline() == "for the file\n");
    f.write("still here");
    CHECK(b.recv(100) == "still here");
  }
  SECTION("the socket stays open") {
    CHECK(f.readline() == "for the file\n");
    f.close();
    CHECK(a.recv(100) == "for the socket");
    a.sendall("still here");
    CHECK(b.recv(100) == "still here");
  }
}

TEST_CASE("makefile: the connection ends when the socket and all files are closed", "[makefile]") {
  auto [a, b] = pair_of(GENERATE(AF_UNIX, AF_INET));
  sk::file reading = a.makefile("r");
  sk::file writing = a.makefile("w");
  a.close();
  b.setblocking(false);
  CHECK(failure_of([&b = b] { return b.recv(1); }) == failure("blocking_io_error", EAGAIN));
  reading.close();
  CHECK(failure_of([&b = b] { return b.recv(1); }) == failure("blocking_io_error", EAGAIN));
  writing.write("last words");  // stays in the buffer until the file closes
  CHECK(failure_of([&b = b] { return b.recv(1); }) == failure("blocking_io_error", EAGAIN));
  b.settimeout(patience);
  SECTION("by close") {
    writing.close();
    CHECK(all_from(b) == "last words");
  }
  SECTION("by destruction") {
    { const sk::file gone = std::move(writing); }
    CHECK(all_from(b) == "last words");
  }
}

TEST_CASE("makefile: no descriptor is left open", "[makefile]") {
  const auto before = open_descriptors();
  {
    auto [a, b] = pair_of(AF_UNIX);
    sk::file f = a.makefile("rw");
    sk::file g = a.makefile();
    g = std::move(f);
    CHECK(failure_of([&a = a] { return a.makefile("what"); }) == "invalid_argument");
    g.close();
    sk::file forgotten = b.makefile("w");
    forgotten << "unsent";
  }
  CHECK(open_descriptors() == before);
}

// ---- modes that are shared ----

TEST_CASE("makefile: a blocking file waits although the socket is non-blocking", "[makefile]") {
  auto [a, b] = pair_of(GENERATE(AF_UNIX, AF_INET));
  a.settimeout(std::nullopt);
  sk::file f = a.makefile("rw");
  a.setblocking(GENERATE(true, false));
  SECTION("to read") {
    background<std::string> reader([&f] { return f.readline(); });
    reader.wait_until_asleep();
    b.sendall("in two ");
    CHECK_FALSE(reader.done());
    b.sendall("pieces\n");
    CHECK(reader.get() == "in two pieces\n");
  }
  SECTION("to write") {
    const std::string data = some_text(2 << 20);
    const std::size_t before = fill(a);
    background<std::size_t> writer([&f, &data] {
      const std::size_t count = f.write(data);
      f.close();
      return count;
    });
    writer.wait_until_asleep();
    CHECK_FALSE(writer.done());
    std::string got;
    while (got.size() < before + data.size()) got += b.recv(65536);
    CHECK(writer.get() == data.size());
    CHECK(got.substr(before) == data);
  }
}

TEST_CASE("makefile: a file with a timeout times out although the socket blocks", "[makefile]") {
  auto [a, b] = pair_of(GENERATE(AF_UNIX, AF_INET));
  a.settimeout(std::nullopt);
  sk::file f = a.makefile("rw");
  f.settimeout(50ms);
  CHECK_FALSE(is_nonblocking(f.fileno()).value_or(false));
  const stopwatch watch;
  CHECK(failure_of([&] { return f.readline(); }) == "timeout");
  CHECK(failure_of([&] { return f.read(); }) == "timeout");
  CHECK(watch.seconds() >= 0.1);
  fill(a);
  CHECK_FALSE(is_nonblocking(f.fileno()).value_or(false));
  f.write("x");
  CHECK(failure_of([&] { return !f.flush(); }) == "timeout");
  CHECK(watch.seconds() >= 0.15);
}

TEST_CASE("makefile: a timeout of 0 never waits", "[makefile]") {
  auto [a, b] = pair_of(GENERATE(AF_UNIX, AF_INET));
  a.settimeout(std::nullopt);
  sk::file f = a.makefile("rw");
  f.settimeout(0);
  CHECK(failure_of([&] { return f.readline(); }) == failure("blocking_io_error", EAGAIN));
  b.sendall("part");
  REQUIRE(wait_for(f.fileno(), POLLIN));
  CHECK(transferred([&] { return f.readline(); }) == 4);
  b.sendall("ly\n");
  REQUIRE(wait_for(f.fileno(), POLLIN));
  CHECK(f.readline() == "partly\n");

  const std::string data = some_text(16 << 20);
  const std::size_t taken = transferred([&] { return f.write(data); });
  CHECK(taken > 8192);
  CHECK(taken < data.size());
  background<std::string> reader([&b = b] { return all_from(b); });
  f.settimeout(patience);
  f.write(sk::const_bytes(data).after(taken));
  f.close();
  a.close();
  CHECK(reader.get() == data);
}

// ---- timeouts ----

TEST_CASE("makefile: the file has its own timeout", "[makefile]") {
  auto [a, b] = pair_of(AF_INET);
  a.settimeout(20ms);
  sk::file f = a.makefile();
  CHECK(f.gettimeout() == sk::seconds(0.02));
  CHECK(failure_of([&] { return f.readline(); }) == "timeout");
  a.settimeout(std::nullopt);
  CHECK(failure_of([&] { return f.readline(); }) == "timeout");
  f.settimeout(patience);
  CHECK_FALSE(a.gettimeout());
  b.sendall("line\n");
  CHECK(f.readline() == "line\n");
}

TEST_CASE("makefile: a line that timed out in the middle is read once the rest is there",
          "[makefile]") {
  auto [a, b] = pair_of(GENERATE(AF_UNIX, AF_INET));
  sk::file f = a.makefile("rw", GENERATE(-1, 0, 3));
  f.settimeout(100ms);
  b.sendall("whole\nbegi");
  REQUIRE(wait_for(f.fileno(), POLLIN));
  CHECK(f.readline() == "whole\n");
  CHECK(failure_of([&] { return f.readline(); }) == "timeout");
  CHECK(failure_of([&] { return f.readline(); }) == "timeout");
  CHECK(transferred([&] { return f.read(100); }) == 4);
  b.sendall("nning ");
  REQUIRE(wait_for(f.fileno(), POLLIN));
  CHECK(transferred([&] { return f.readline(); }) == 10);
  f.write("writing goes on\n");
  f.flush();
  CHECK(b.recv(100) == "writing goes on\n");
  b.sendall("and end\nnext\n");
  f.settimeout(patience);
  CHECK(f.readline() == "beginning and end\n");
  CHECK(f.readline() == "next\n");
}

TEST_CASE("makefile: a read that times out keeps the data that it has read", "[makefile]") {
  auto [a, b] = pair_of(AF_INET);
  const std::string data = some_text(100000);
  b.sendall(data);
  sk::file f = a.makefile("r");
  f.settimeout(50ms);
  CHECK(failure_of([&] { return f.read(200000); }) == "timeout");
  CHECK(failure_of([&] { return f.read(); }) == "timeout");
  b.sendall(data);
  b.close();
  f.settimeout(patience);
  CHECK(f.read() == data + data);
}

TEST_CASE("makefile: a write that timed out can be continued", "[makefile]") {
  auto [a, b] = pair_of(GENERATE(AF_UNIX, AF_INET));
  const int bufsize = GENERATE(-1, 0, 1, 100);
  CAPTURE(bufsize);
  sk::file f = a.makefile("w", bufsize);
  const std::string data = some_text(16 << 20);
  f.settimeout(30ms);
  const std::size_t first = transferred([&] { return f.write(data); });
  const std::size_t second =
      transferred([&] { return f.write(sk::const_bytes(data).after(first)); });
  CHECK(first + second < data.size());
  background<std::string> reader([&b = b] { return all_from(b); });
  f.settimeout(patience);
  f.write(sk::const_bytes(data).after(first + second));
  f.close();
  a.close();
  CHECK(reader.get() == data);
}

TEST_CASE("makefile: data that a timeout left unsent is sent by a later flush", "[makefile]") {
  auto [a, b] = pair_of(GENERATE(AF_UNIX, AF_INET));
  sk::file f = a.makefile("w");
  f.settimeout(30ms);
  const std::size_t before = fill(a);
  const std::string data = some_text(5000);
  f.write(data);
  CHECK(failure_of([&] { return !f.flush(); }) == "timeout");
  CHECK(failure_of([&] { return !f.flush(); }) == "timeout");
  background<std::string> reader([&b = b] { return all_from(b); });
  f.settimeout(patience);
  f.flush();
  f.write("end");
  f.close();
  a.close();
  CHECK(reader.get().substr(before) == data + "end");
}

// ---- failures ----

TEST_CASE("makefile: writing to a closed peer throws and raises no signal", "[makefile]") {
  auto [a, b] = pair_of(AF_UNIX);
  sk::file f = a.makefile("rw");
  b.setsockopt(SOL_SOCKET, SO_LINGER, linger{1, 0});  // over TCP: the first send must fail
  b.close();
  REQUIRE(wait_for(a.fileno(), POLLIN));
  f.write("nobody reads this");
  const auto is_lost = [family = a.family()](const std::string& outcome) {
    const bool by_reset =
        family != AF_UNIX && outcome == failure("connection_reset_error", ECONNRESET);
    return by_reset || outcome == failure("broken_pipe_error", EPIPE);
  };
  SECTION("flush") {
    CHECK(is_lost(failure_of([&] { return !f.flush(); })));
  }
  SECTION("close, which closes the file although it fails") {
    CHECK(is_lost(failure_of([&] { return f.close(), 0; })));
    CHECK(f.closed());
    f.close();
  }
  SECTION("std::flush") {
    CHECK(is_lost(failure_of([&] { return !(f << std::flush); })));
  }
  SECTION("destruction") {}
}

TEST_CASE("makefile of a closed socket fails with EBADF", "[makefile]") {
  sk::socket s;
  s.close();
  CHECK(failure_of([&] { return s.makefile(); }) == failure("error", EBADF));
}

// ---- streams ----

TEST_CASE("makefile: the file is a std::iostream", "[makefile]") {
  auto [a, b] = pair_of(AF_INET);
  sk::file f = a.makefile("rw");
  std::iostream& stream = f;
  b.sendall("GET /index 7\r\nHost: x\r\n\r\nbody");
  std::string method;
  std::string path;
  int number = 0;
  stream >> method >> path >> number >> std::ws;
  CHECK(method == "GET");
  CHECK(path == "/index");
  CHECK(number == 7);
  std::string line;
  std::getline(stream, line);
  CHECK(line == "Host: x\r");
  stream << "HTTP/1.0 " << 200 << " OK\r\n" << std::flush;
  CHECK(b.recv(100) == "HTTP/1.0 200 OK\r\n");
  CHECK(f.readline() == "\r\n");

  f.settimeout(20ms);
  CHECK_THROWS_AS(std::getline(stream, line), sk::timeout);
  CHECK(line == "body");
  stream.clear();
  b.sendall(" and more");
  b.close();
  std::ostringstream rest;
  f.settimeout(patience);
  rest << stream.rdbuf();
  CHECK(rest.str() == " and more");
}

TEST_CASE("makefile: Python's file objects at the other end", "[makefile]") {
  if (!has_program("python3")) SKIP_TEST("no python3");
  sk::socket listener = listening();
  python_peer peer(
      "s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"
      "f = s.makefile('rwb')\n"
      "for line in f:\n"
      "    f.write(line.upper())\n"
      "    f.flush()\n"
      "f.write(b'bye')\n"
      "f.close()\n"
      "s.close()\n",
      {std::to_string(listener.getsockname().port())});
  sk::socket s = listener.accept().conn;
  s.settimeout(patience);
  sk::file f = s.makefile("rwb");
  for (const char* word : {"alpha\n", "beta\n"}) {
    f.write(word);
    f.flush();
  }
  CHECK(f.readline() == "ALPHA\n");
  CHECK(f.readline(2) == "BE");
  CHECK(f.read(3) == "TA\n");
  s.shutdown(SHUT_WR);
  CHECK(f.readline() == "bye");
  CHECK(f.readline() == nothing);
  peer.finish();
}
