// SPDX-License-Identifier: MIT
#include <pysock/detail/file_buffer.hpp>

#include <cerrno>
#include <pysock/file.hpp>
#include <random>
#include <string>

#include "support/catch.hpp"
#include "support/failure.hpp"
#include "support/fake_sys.hpp"
#include "support/memory_transport.hpp"
#include "support/transferred.hpp"

using namespace std::chrono_literals;
using namespace test_support;
using fake::lines;
using pysock::errc;
using pysock::file;
namespace detail = pysock::detail;

namespace {

const std::string nothing;

}  // namespace

// ---- reading ----

TEST_CASE("file: bufsize is the size of the reads", "[file]") {
  const fake::session session;
  struct row {
    int bufsize;
    std::size_t receive;
  };
  const auto expected = GENERATE(row{-1, 8192}, row{-100, 8192}, row{0, 1}, row{1, 8192}, row{2, 2},
                                 row{100, 100}, row{20000, 20000});
  CAPTURE(expected.bufsize);
  peer p;
  p.sends = arrivals({"a\nb\n"});
  file f = open(p, "r", expected.bufsize);
  CHECK(f.readline() == "a\n");
  CHECK(p.receives.front() == expected.receive);
}

TEST_CASE("file: an unbuffered file does not read ahead", "[file]") {
  const fake::session session;
  peer p;
  p.sends = arrivals({"one\ntwo\n\nrest"});
  file f = open(p, "r", 0);
  CHECK(f.readline() == "one\n");
  CHECK(p.sends.front().bytes == "two\n\nrest");
  std::string line;
  CHECK(std::getline(f, line));
  CHECK(line == "two");
  CHECK(p.sends.front().bytes == "\nrest");
  CHECK(f.readline() == "\n");
  CHECK(f.read(2) == "re");
  CHECK(p.receives.back() == 2);
  CHECK(p.sends.front().bytes == "st");
  CHECK(f.get() == 's');
  CHECK(p.sends.front().bytes == "t");
  char byte = 0;
  CHECK(f.read(&byte, 1));
  CHECK(byte == 't');
  CHECK(f.read() == nothing);
}

TEST_CASE("file: all ways of reading return the bytes that were sent", "[file]") {
  const fake::session session;
  const int bufsize = GENERATE(-1, 0, 1, 2, 7, 16, 300);
  CAPTURE(bufsize);
  std::mt19937 random(static_cast<unsigned>(bufsize + 5));
  const auto below = [&random](int limit) {
    return static_cast<int>(random() % static_cast<unsigned>(limit));
  };
  for (int round = 0; round < 40; ++round) {
    std::string sent;
    peer p;
    const int pieces = below(60);
    for (int i = 0; i < pieces; ++i) {
      std::string piece;
      for (int left = 1 + below(below(10) == 0 ? 5000 : 40); left > 0; --left)
        piece += below(12) == 0 ? '\n' : static_cast<char>(below(256));
      sent += piece;
      p.sends.push_back({piece, {}});
      if (below(3) == 0) p.sends.push_back(time_out);
    }
    file f = open(p, "r", bufsize);
    std::string got;
    for (;;) {
      std::size_t before = got.size();
      bool asked = true;
      try {
        char buffer[600];
        switch (below(6)) {
          case 0:
            got += f.read(1 + below(500));
            break;
          case 1:
            f.read(buffer, 1 + below(600));
            got.append(buffer, static_cast<std::size_t>(f.gcount()));
            f.clear();
            break;
          case 2:
            for (const std::string& line : f.readlines(1 + below(30))) got += line;
            break;
          case 3:
            if (below(20) == 0) {
              got += f.read();
            } else {
              asked = false;
            }
            break;
          case 4: {
            const std::string line = f.readline(1 + below(100));
            REQUIRE(line.find('\n') >= line.size() - (line.empty() ? 0 : 1));
            got += line;
            break;
          }
          default:
            got += f.readline();
        }
      } catch (const pysock::timeout&) {
        f.clear();
        continue;
      }
      if (asked && got.size() == before) break;
    }
    REQUIRE(got == sent);
  }
}

// ---- failed reads ----

TEST_CASE("file: a line that timed out is returned when the rest has arrived", "[file]") {
  const fake::session session;
  peer p;
  p.sends = arrivals({"first\nsec"});
  p.sends.push_back(time_out);
  p.sends.push_back({"on", {}});
  p.sends.push_back(time_out);
  p.sends.push_back(time_out);
  p.sends.push_back({"d\nthird\n", {}});
  file f = open(p, "r", GENERATE(-1, 0, 1, 2, 3, 100));
  CHECK(f.readline() == "first\n");
  CHECK(transferred([&] { return f.readline(); }) == 3);
  CHECK(transferred([&] { return f.readline(); }) == 5);
  CHECK(failure_of([&] { return f.readline(); }) == "timeout");
  CHECK(f.good());
  SECTION("by readline") { CHECK(f.readline() == "second\n"); }
  SECTION("by read") { CHECK(f.read(7) == "second\n"); }
  SECTION("by iteration") { CHECK(*f.begin() == "second\n"); }
  SECTION("by std::getline") {
    std::string line;
    CHECK(std::getline(f, line));
    CHECK(line == "second");
  }
  CHECK(f.readline() == "third\n");
}

TEST_CASE("file: a read that times out loses no data", "[file]") {
  const fake::session session;
  peer p;
  const std::string large(30000, 'x');
  p.sends = {{"ab", {}}, {large, {}}, time_out, {large, {}}, time_out, {"end", {}}};
  const std::string everything = "ab" + large + large + "end";
  file f = open(p, "r", GENERATE(-1, 0, 100));
  SECTION("read(n), past the buffer") {
    CHECK(transferred([&] { return f.read(60004); }) == 30002);
    CHECK(transferred([&] { return f.read(60004); }) == 60002);
    CHECK(f.read(60004) == everything.substr(0, 60004));
    CHECK(f.read() == "d");
  }
  SECTION("read() to the end") {
    CHECK(transferred([&] { return f.read(); }) == 30002);
    CHECK(f.read(1) == "a");
    CHECK(transferred([&] { return f.read(); }) == 60001);
    CHECK(f.read() == everything.substr(1));
  }
  SECTION("readlines") {
    CHECK(transferred([&] { return f.readlines(); }) == 30002);
    CHECK(transferred([&] { return f.readlines(); }) == 60002);
    CHECK(f.readlines() == lines{everything});
  }
  SECTION("std::istream::read") {
    std::string buffer(everything.size(), '\0');
    const auto size = static_cast<std::streamsize>(buffer.size());
    CHECK(failure_of([&] { return !f.read(buffer.data(), size); }) == "timeout");
    f.clear();
    CHECK(failure_of([&] { return !f.read(buffer.data(), size); }) == "timeout");
    f.clear();
    CHECK(f.read(buffer.data(), size));
    CHECK(f.gcount() == size);
    CHECK(buffer == everything);
  }
}

TEST_CASE("file: the lines of a failed readlines are returned by the next call", "[file]") {
  const fake::session session;
  peer p;
  p.sends = {{"a\nb\nc", {}}, time_out, {"\nd\n", {}}};
  file f = open(p);
  CHECK(failure_of([&] { return f.readlines(); }) == "timeout");
  CHECK(f.readline() == "a\n");
  CHECK(f.readlines() == lines{"b\n", "c\n", "d\n"});
}

TEST_CASE("file: data received before a connection broke can be read", "[file]") {
  const fake::session session;
  peer p;
  p.sends = {{"whole\npart", {}},
             {"", detail::system_code(ECONNRESET)},
             {"", detail::system_code(ECONNRESET)}};
  file f = open(p);
  CHECK(f.readline() == "whole\n");
  CHECK(failure_of([&] { return f.readline(); }) == failure("connection_reset_error", ECONNRESET));
  CHECK(failure_of([&] { return f.readline(); }) == failure("connection_reset_error", ECONNRESET));
  CHECK(f.read(4) == "part");
}

// ---- the timeout ----

TEST_CASE("file: the timeout is for a whole call", "[file]") {
  const fake::session session;
  peer p;
  for (int i = 0; i < 10; ++i) p.sends.push_back({"x", {}, 30});
  p.sends.push_back({"\n", {}, 0});
  const int bufsize = GENERATE(-1, 0);
  const auto call = GENERATE(0, 1, 2, 3, 4);
  CAPTURE(bufsize, call);
  file f = open(p, "r", bufsize, 100ms);
  char buffer[11];
  const auto read = [&] {
    if (call == 0) (void)f.readline();
    if (call == 1) (void)f.readlines(1);
    if (call == 2) (void)f.read(11);
    if (call == 3) (void)f.read();
    if (call == 4) f.read(buffer, 11);
    return 0;
  };
  // The steps end 30, 60, 90 and 120 ms after the start of the first.
  CHECK(failure_of(read) == "timeout");
  CHECK(p.timeouts == std::vector<std::int64_t>{100000000, 70000000, 40000000, 10000000});
  CHECK(fake::elapsed() == 120ms);
  p.timeouts.clear();
  f.settimeout(1h);
  CHECK(f.readline() == "xxxxxxxxxx\n");
  CHECK(p.timeouts.front() == 3600000000000);
}

TEST_CASE("file: a call times out if the time is exactly used up", "[file]") {
  const fake::session session;
  peer p;
  p.sends = {{"a", {}, 60}, {"b", {}, 40}, {"\n", {}, 0}};
  file f = open(p, "r", -1, 100ms);
  CHECK(failure_of([&] { return f.readline(); }) == "timeout");
  CHECK(p.timeouts.size() == 2);
  CHECK(f.readline() == "ab\n");
}

TEST_CASE("file: data that has arrived is returned however short the timeout", "[file]") {
  const fake::session session;
  peer p;
  p.sends = {{"abc\ndef\n", {}, 50}};
  file f = open(p, "r", -1, 1ms);
  CHECK(f.readline() == "abc\n");
  fake::advance(10);
  CHECK(f.readline() == "def\n");
}

TEST_CASE("file: functions of std::istream have the timeout for each receive", "[file]") {
  const fake::session session;
  peer p;
  p.sends = {{"a", {}, 60}, {"b", {}, 60}, {"c\n", {}, 60}};
  file f = open(p, "r", -1, 100ms);
  std::string line;
  CHECK(std::getline(f, line));
  CHECK(line == "abc");
  CHECK(p.timeouts == std::vector<std::int64_t>(3, 100000000));
}

TEST_CASE("file: a write has one timeout", "[file]") {
  const fake::session session;
  peer p;
  p.write_milliseconds = 40;
  file f = open(p, "w", 4, 100ms);
  f.write("abc");
  f.write("0123456789");  // sends the buffered bytes, then the rest
  CHECK(p.timeouts == std::vector<std::int64_t>{100000000, 60000000});
  p.timeouts.clear();
  CHECK(failure_of([&] {
          return f.writelines({"11111", "22222", "33333", "44444"}), 0;
        }) == "timeout");
  CHECK(p.timeouts == std::vector<std::int64_t>{100000000, 60000000, 20000000});
}

TEST_CASE("file: a write whose time is used up between two sends loses no byte", "[file]") {
  const fake::session session;
  peer p;
  p.write_milliseconds = 100;
  file f = open(p, "w", 4, 100ms);
  const std::string data = "0123456789";
  f.write("abc");
  const std::size_t done = transferred([&] { return f.write(data), 0; });
  CHECK(p.writes.size() == 1);
  p.write_milliseconds = 0;
  f.write(data.substr(done));
  f.flush();
  CHECK(p.got == "abc" + data);
}

TEST_CASE("file: without a deadline the clock is not read", "[file]") {
  const fake::session session;
  peer p;
  p.sends = arrivals({"abc\ndef\n", "ghi"});
  const auto timeout = GENERATE(pysock::timeout_value(std::nullopt), pysock::timeout_value(0));
  file f = open(p, "rw", -1, timeout);
  (void)f.read();
  f.write("abc");
  f.flush();
  CHECK(fake::clock_reads() == 0);
  CHECK(p.timeouts ==
        std::vector<std::int64_t>(p.timeouts.size(), pysock::detail::timeout_word(timeout)));
}

// ---- writing ----

TEST_CASE("file: written data is sent by flush or by a full buffer", "[file]") {
  const fake::session session;
  peer p;
  SECTION("default buffer size") {
    file f = open(p, "w");
    CHECK(f.write("line\n") == 5);
    CHECK(f.write(std::string(8187, 'x')) == 8187);
    CHECK(p.writes.empty());
    f.write("y");
    CHECK(p.got.size() == 8192);
    f.flush();
    CHECK(p.got == "line\n" + std::string(8187, 'x') + "y");
    CHECK(p.writes == std::vector<std::size_t>{8192, 1});
    f.flush();
    CHECK(p.writes.size() == 2);
  }
  SECTION("a buffer of 5 bytes") {
    file f = open(p, "w", 4);
    f.write("abcd");
    CHECK(p.got == nothing);
    f.write("e");
    CHECK(p.got == "abcd");
    f.write("fghij");  // as large as the buffer, so it bypasses the buffer
    CHECK(p.got == "abcdefghij");
    CHECK(p.writes == std::vector<std::size_t>{4, 1, 5});
    f.write("k");
    f.write("lmno");
    CHECK(p.writes == std::vector<std::size_t>{4, 1, 5, 1, 4});
  }
}

TEST_CASE("file: without a buffer each write is sent at once", "[file]") {
  const fake::session session;
  peer p;
  file f = open(p, "w", 0);
  CHECK(f.write("abc") == 3);
  CHECK(p.got == "abc");
  f << 12345;
  CHECK(p.got == "abc12345");
  f.put('!');
  CHECK(p.got == "abc12345!");
  f << "xyz";
  CHECK(p.writes == std::vector<std::size_t>{3, 5, 1, 3});
  CHECK(f.write("") == 0);
  CHECK(p.writes.size() == 4);
  CHECK(f.write("a\0b") == 3);
  CHECK(p.got == std::string("abc12345!xyza\0b", 15));
}

TEST_CASE("file: line buffering sends what contains a newline", "[file]") {
  const fake::session session;
  peer p;
  file f = open(p, "w", 1);
  f.write("no line");
  f << ", not yet " << 1;
  f.put('.');
  CHECK(p.got == nothing);
  f.write(" now\nand more");
  CHECK(p.got == "no line, not yet 1. now\nand more");
  CHECK(p.writes.size() == 1);
  f << "x";
  f.put('\n');
  CHECK(p.writes == std::vector<std::size_t>{32, 2});
  f << "y" << std::endl;
  CHECK(p.writes == std::vector<std::size_t>{32, 2, 2});
  p.got.clear();
  f.write(std::string(8192, 'z'));
  f.write(std::string(10, 'w'));
  CHECK(p.got == std::string(8192, 'z'));
  f.write(std::string(8190, 'v'));
  CHECK(p.got == std::string(8192, 'z') + std::string(10, 'w'));
}

TEST_CASE("file: data that a failed flush left is sent once by the next flush", "[file]") {
  const fake::session session;
  peer p;
  p.accepts = {3, 0};
  file f = open(p, "w");
  f.write("abcdefgh");
  CHECK(transferred([&] { return !f.flush(); }) == 3);
  CHECK(f.good());
  CHECK(transferred([&] { return !f.flush(); }) == 0);
  CHECK(p.got == "abc");
  f.write("ij");
  SECTION("by flush") {
    f.flush();
    CHECK(p.got == "abcdefghij");
  }
  SECTION("by close") {
    f.close();
    CHECK(p.got == "abcdefghij");
  }
  SECTION("by std::flush, after clear()") {
    p.accepts = {1};
    CHECK(failure_of([&] { return !(f << std::flush); }) == "timeout");
    CHECK(f.bad());
    f.clear();
    f << std::flush;
    CHECK(p.got == "abcdefghij");
  }
  SECTION("by destruction") {
    { const file gone = std::move(f); }
    CHECK(p.got == "abcdefghij");
  }
}

TEST_CASE("file: a failed write reports how many bytes it accepted", "[file]") {
  const fake::session session;
  peer p;
  p.refusal = GENERATE(std::error_code(errc::timed_out), would_block);
  const std::string data = "0123456789";
  SECTION("all bytes, if they fit into the buffer") {
    file f = open(p, "w", 8);
    f.write("abcdef");
    p.accepts = {5};
    CHECK(transferred([&] { return f.write("xyz"); }) == 3);
    CHECK(p.got == "abcde");
    f.flush();
    CHECK(p.got == "abcdefxyz");
  }
  SECTION("the bytes that fit into the buffer, if none can be sent") {
    file f = open(p, "w", 8);
    f.write("abcdef");
    p.accepts = {0};
    CHECK(transferred([&] { return f.write(data); }) == 2);
    f.flush();
    CHECK(p.got == "abcdef01");
    f.write(data.substr(2));
    f.flush();
    CHECK(p.got == "abcdef" + data);
  }
  SECTION("the bytes sent, without a buffer") {
    file f = open(p, "w", 0);
    p.accepts = {4};
    CHECK(transferred([&] { return f.write(data); }) == 4);
    CHECK(p.got == "0123");
    f.write(data.substr(4));
    CHECK(p.got == data);
    CHECK(p.writes == std::vector<std::size_t>{10, 6});
  }
  SECTION("a line whose flush fails stays in the buffer") {
    file f = open(p, "w", 1);
    p.accepts = {4};
    CHECK(transferred([&] { return f.write("012\n45678\n"); }) == 10);
    CHECK(p.got == "012\n");
    f.flush();
    CHECK(p.got == "012\n45678\n");
    f.write(std::string(8192, 'x'));
    p.accepts = {0};
    p.writes.clear();
    CHECK(transferred([&] { return f.write("end\n"); }) == 0);
    CHECK(p.writes.size() == 1);
  }
  SECTION("of all the pieces of writelines") {
    file f = open(p, "w", 0);
    p.accepts = {3, 3, 2};
    CHECK(transferred([&] { return f.writelines({"abc", "def", "ghi", "jkl"}), 0; }) == 8);
    CHECK(p.got == "abcdefgh");
  }
  SECTION("written with operator<<") {
    file f = open(p, "w", 8);
    p.accepts = {2};
    CHECK(transferred([&] { return !(f << "0123456789abcdefghij"); }) == 10);
    f.clear();
    f << "ABC";
    f.flush();
    CHECK(p.got == "0123456789ABC");
  }
}

TEST_CASE("file: after any failure of a write every byte is sent once and in order", "[file]") {
  const fake::session session;
  const int bufsize = GENERATE(-1, 0, 1, 2, 7, 64);
  CAPTURE(bufsize);
  std::mt19937 random(static_cast<unsigned>(bufsize + 50));
  const auto below = [&random](int limit) {
    return static_cast<std::size_t>(random() % static_cast<unsigned>(limit));
  };
  for (int round = 0; round < 40; ++round) {
    peer p;
    for (std::size_t i = below(60); i > 0; --i)
      p.accepts.push_back(below(2) == 0 ? 100000 : below(40));
    file f = open(p, "w", bufsize);
    std::string sent;
    for (int i = 0; i < 40; ++i) {
      std::string piece;
      for (std::size_t left = below(below(10) == 0 ? 20000 : 100); left > 0; --left)
        piece += static_cast<char>('a' + below(26));
      if (below(3) == 0) piece += '\n';
      sent += piece;
      for (pysock::const_bytes rest = piece;;) {
        try {
          if (below(2) == 0) {
            f.write(rest);
          } else {
            f.clear();
            f.write(rest.data(), static_cast<std::streamsize>(rest.size()));
          }
          break;
        } catch (const pysock::timeout& e) {
          rest = rest.after(e.transferred());
        }
      }
    }
    p.accepts.clear();
    f.flush();
    REQUIRE(p.got == sent);
  }
}
