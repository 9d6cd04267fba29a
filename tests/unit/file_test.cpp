// SPDX-License-Identifier: MIT
#include <pysock/file.hpp>

#include <algorithm>
#include <cerrno>
#include <iomanip>
#include <iterator>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/failure.hpp"
#include "support/fake_sys.hpp"
#include "support/memory_transport.hpp"

using namespace test_support;
using fake::lines;
using pysock::errc;
using pysock::file;
namespace detail = pysock::detail;

static_assert(std::is_base_of_v<std::iostream, file>);
static_assert(std::is_nothrow_move_constructible_v<file> &&
              std::is_nothrow_move_assignable_v<file>);
static_assert(!std::is_copy_constructible_v<file> && !std::is_copy_assignable_v<file>);

namespace {

const std::string nothing;
const lines none;

std::string numbered_line(int number) {
  return "a line that is long enough for memory of its own: " + std::to_string(number) + "\n";
}

// A range whose iterators return values, as those of std::views::transform.
struct numbered_lines {
  struct iterator {
    int number;
    std::string operator*() const { return numbered_line(number); }
    iterator& operator++() { return ++number, *this; }
    bool operator!=(const iterator& other) const { return number != other.number; }
  };
  int count;
  [[nodiscard]] iterator begin() { return {0}; }  // not const, as in some views
  [[nodiscard]] iterator end() { return {count}; }
};

// Returns its bytes in pieces of several sizes, with timeouts in between, and allocates nothing.
class stuttering_transport final : public detail::byte_transport {
 public:
  explicit stuttering_transport(const std::string& sends) : rest_(sends) {}

  std::size_t read(char* data, std::size_t size, detail::deadline& /*until*/,
                   std::error_code& ec) noexcept override {
    static constexpr std::size_t pieces[] = {5, 9000, 0, 70000, 20000, 0, 1, 3, 0};  // 0: times out
    ec.clear();
    if (left_ == 0) left_ = pieces[next_++ % std::size(pieces)];
    if (left_ == 0) {
      ec = errc::timed_out;
      return 0;
    }
    const std::size_t count = rest_.copy(data, std::min(size, left_));
    rest_.remove_prefix(count);
    left_ -= count;
    return count;
  }
  std::size_t write(const char*, std::size_t size, detail::deadline&,
                    std::error_code&) noexcept override {
    return size;
  }
  pysock::native_handle_type fileno() const noexcept override { return 77; }
  void close(std::error_code& ec) noexcept override { ec.clear(); }

 private:
  std::string_view rest_;
  std::size_t next_ = 0;
  std::size_t left_ = 0;
};

std::vector<std::string> all_lines(file& f) {
  std::vector<std::string> found;
  for (const std::string& line : f) found.push_back(line);
  return found;
}

}  // namespace

// ---- modes ----

TEST_CASE("file: a mode is any mix of r, w and b", "[file]") {
  const fake::session session;
  pysock::socket s;
  struct row {
    const char* given;
    const char* mode;
  };
  const auto expected =
      GENERATE(row{"", "rb"}, row{"r", "rb"}, row{"b", "rb"}, row{"rb", "rb"}, row{"br", "rb"},
               row{"rrbb", "rb"}, row{"w", "wb"}, row{"wb", "wb"}, row{"bw", "wb"},
               row{"rw", "rwb"}, row{"wr", "rwb"}, row{"rwb", "rwb"}, row{"bwrwr", "rwb"});
  CAPTURE(expected.given);
  const file f = s.makefile(expected.given);
  const std::string mode = expected.mode;
  CHECK(f.mode() == mode);
  CHECK(f.readable() == (mode.find('r') != mode.npos));
  CHECK(f.writable() == (mode.find('w') != mode.npos));
}

TEST_CASE("file: an invalid mode is refused before any system call", "[file]") {
  const fake::session session;
  pysock::socket s;
  const auto mode =
      GENERATE(as<std::string>(), "a", "r+", "rU", "rt", "R", " r", "x", std::string("r\0", 2));
  CAPTURE(mode);
  CHECK_THROWS_AS(s.makefile(mode), std::invalid_argument);
  CHECK_THROWS_WITH(s.makefile(mode), "makefile: invalid mode (only r, w, b allowed)");
  CHECK(fake::count("duplicate") == 0);
}

TEST_CASE("file: the default is to read", "[file]") {
  const fake::session session;
  pysock::socket s;
  CHECK(s.makefile().mode() == "rb");
}

TEST_CASE("file: reading a write-only file, or writing a read-only one, is unsupported", "[file]") {
  const fake::session session;
  peer p;
  const std::string unsupported = "error: not readable or not writable in this mode";
  SECTION("reading") {
    p.sends = arrivals({"abc\n"});
    file f = open(p, "w");
    std::string text;
    int number = 0;
    char buffer[4];
    CHECK(failure_of([&] { return f.read(); }) == unsupported);
    CHECK(failure_of([&] { return f.readline(); }) == unsupported);
    CHECK(failure_of([&] { return f.readlines(); }) == unsupported);
    CHECK(failure_of([&] { return f.begin(); }) == unsupported);
    CHECK(failure_of([&] { return !std::getline(f, text); }) == unsupported);
    f.clear();
    CHECK(failure_of([&] { return !(f >> number); }) == unsupported);
    f.clear();
    CHECK(failure_of([&] { return !f.read(buffer, 4); }) == unsupported);
    CHECK(p.receives.empty());
    f.write("still writable");
    f.flush();
    CHECK(p.got == "still writable");
  }
  SECTION("writing") {
    p.sends = arrivals({"abc\n"});
    file f = open(p, "r");
    CHECK(failure_of([&] { return f.write("x"); }) == unsupported);
    CHECK(failure_of([&] { return f.writelines({"x"}), 0; }) == unsupported);
    CHECK(failure_of([&] { return !(f << "x"); }) == unsupported);
    f.clear();
    CHECK(failure_of([&] { return !f.put('x'); }) == unsupported);
    f.clear();
    CHECK(failure_of([&] { return !f.write("x", 1); }) == unsupported);
    f.flush();  // succeeds: there is nothing to flush
    CHECK(p.writes.empty());
    CHECK(f.readline() == "abc\n");
  }
  try {
    file f = open(p, "w");
    (void)f.readline();
    FAIL("not thrown");
  } catch (const pysock::error& e) {
    CHECK(e.code() == errc::unsupported_operation);
    CHECK(e.code() == std::errc::not_supported);
    CHECK_FALSE(e.errnum());
  }
}

// ---- reading ----

TEST_CASE("file: readline", "[file]") {
  const fake::session session;
  peer p;
  SECTION("returns lines whole, however they arrive") {
    p.sends = arrivals({"on", "e\nt", "wo", "\n\nfour\r\nfi", "ve"});
    file f = open(p);
    CHECK(f.readline() == "one\n");
    CHECK(f.readline() == "two\n");
    CHECK(f.readline() == "\n");
    CHECK(f.readline() == "four\r\n");
    CHECK(f.readline() == "five");
    CHECK(f.readline() == nothing);
    CHECK(f.readline() == nothing);
    CHECK(f.good());
  }
  SECTION("a limit cuts a line") {
    p.sends = arrivals({"abcdef\nxy\n"});
    file f = open(p);
    CHECK(f.readline(0) == nothing);
    CHECK(p.receives.empty());
    CHECK(f.readline(4) == "abcd");
    CHECK(f.readline(3) == "ef\n");
    CHECK(f.readline(100) == "xy\n");
    CHECK(f.readline(5) == nothing);
  }
  SECTION("returns without a wait when the limit is reached") {
    p.sends = arrivals({"ab", "cd"});
    p.sends.push_back(time_out);
    file f = open(p);
    CHECK(f.readline(4) == "abcd");
    CHECK(p.receives.size() == 2);
  }
  SECTION("a NUL is a byte like any other") {
    p.sends.push_back({std::string("a\0b\n", 4), {}});
    file f = open(p);
    CHECK(f.readline() == std::string("a\0b\n", 4));
  }
  SECTION("a line may be longer than the buffer") {
    const std::string line = std::string(100000, 'x') + "\n";
    p.sends = {{line + "next\n", {}}};
    file f = open(p, "r", GENERATE(-1, 0, 2, 50));
    CHECK(f.readline() == line);
    CHECK(f.readline() == "next\n");
  }
  SECTION("buffered lines need no receive") {
    p.sends = arrivals({"a\nb\nc"});
    file f = open(p);
    CHECK(f.readline() == "a\n");
    CHECK(f.readline() == "b\n");
    CHECK(f.readline(1) == "c");
    CHECK(p.receives.size() == 1);
  }
}

TEST_CASE("file: read", "[file]") {
  const fake::session session;
  peer p;
  SECTION("receives until it has all bytes") {
    p.sends = arrivals({"ab", "c", "defgh"});
    file f = open(p);
    CHECK(f.read(5) == "abcde");
    CHECK(f.read(0) == nothing);
    CHECK(f.read(2) == "fg");
    CHECK(p.receives.size() == 3);
    CHECK(f.read(5) == "h");
    CHECK(f.read(5) == nothing);
  }
  SECTION("to the end of the stream") {
    p.sends = arrivals({"ab\n", "cd"});
    file f = open(p);
    CHECK(f.readline() == "ab\n");
    CHECK(f.read() == "cd");
    CHECK(f.read() == nothing);
    CHECK(f.read(-5) == nothing);
  }
  SECTION("0 bytes need no receive") {
    file f = open(p);
    CHECK(f.read(0) == nothing);
    CHECK(p.receives.empty());
  }
  SECTION("large reads bypass the buffer") {
    p.sends = {
        {"head\n" + std::string(1000, 'a'), {}}, {std::string(200000, 'b'), {}}, {"tail", {}}};
    file f = open(p);
    CHECK(f.readline() == "head\n");
    CHECK(f.read(150000) == std::string(1000, 'a') + std::string(149000, 'b'));
    CHECK(p.receives.at(1) > 8192);
    CHECK(f.read(52000) == std::string(51000, 'b') + "tail");
  }
  SECTION("allocates as data arrive") {
    p.sends = arrivals({"little"});
    file f = open(p);
    const std::string got = f.read(PTRDIFF_MAX);
    CHECK(got == "little");
    CHECK(got.capacity() < 1000000);
  }
}

TEST_CASE("file: readlines and iteration", "[file]") {
  const fake::session session;
  peer p;
  p.sends = arrivals({"a\nbb", "\nccc\n\n", "end"});
  file f = open(p);
  SECTION("all") {
    CHECK(f.readlines() == lines{"a\n", "bb\n", "ccc\n", "\n", "end"});
    CHECK(f.readlines() == none);
  }
  SECTION("a hint stops after that many bytes") {
    CHECK(f.readlines(1) == lines{"a\n"});
    CHECK(f.readlines(4) == lines{"bb\n", "ccc\n"});
    CHECK(f.readlines(0) == lines{"\n", "end"});
  }
  SECTION("iteration") { CHECK(all_lines(f) == lines{"a\n", "bb\n", "ccc\n", "\n", "end"}); }
  SECTION("iteration continues after the last line read") {
    for (const std::string& line : f) {
      if (line == "bb\n") break;
    }
    CHECK(f.readline() == "ccc\n");
    auto at = f.begin();
    CHECK(at->size() == 1);
    CHECK(*at++ == "\n");
    CHECK(*at == "end");
    CHECK(at != f.end());
    CHECK(++at == f.end());
  }
}

TEST_CASE("file: a failed call names itself", "[file]") {
  const fake::session session;
  peer p;
  p.refusal = would_block;
  file f = open(p, "rw", 4);
  const auto fails_as = [&p](const char* text, const auto& call) {
    p.sends = {time_out};
    p.accepts = {0};
    CHECK_THROWS_WITH(call(), text);
  };
  fails_as("read: timed out", [&] { (void)f.read(1); });
  fails_as("read: timed out", [&] { (void)f.read(); });
  fails_as("read: timed out", [&] { (void)f.peek(); });
  f.clear();
  fails_as("readline: timed out", [&] { (void)f.readline(); });
  fails_as("readlines: timed out", [&] { (void)f.readlines(); });
  const std::string blocks = ": [Errno " + std::to_string(EAGAIN) + "] " + would_block.message();
  fails_as(("write" + blocks).c_str(), [&] { f.write("12345"); });
  fails_as(("writelines" + blocks).c_str(), [&] { f.writelines({"12345"}); });
  fails_as(("flush" + blocks).c_str(), [&] { f.flush(); });
  fails_as(("close" + blocks).c_str(), [&] { f.close(); });
}

// ---- timeouts, writelines, assignment, memory ----

TEST_CASE("file: settimeout and gettimeout", "[file]") {
  const fake::session session;
  peer p;
  file f = open(p, "r", -1, std::nullopt);
  CHECK_FALSE(f.gettimeout());
  f.settimeout(2.5);
  CHECK(f.gettimeout() == pysock::seconds(2.5));
  f.settimeout(0);
  CHECK(f.gettimeout() == pysock::seconds(0));
  f.settimeout(std::nullopt);
  CHECK_FALSE(f.gettimeout());
}

TEST_CASE("file: writelines takes ranges of values", "[file][writelines]") {
  const fake::session session;
  peer p;
  file f = open(p, "w");
  SECTION("that are strings too long for the small-string optimisation") {
    f.writelines(numbered_lines{3});
    f.flush();
    CHECK(p.got == numbered_line(0) + numbered_line(1) + numbered_line(2));
  }
  SECTION("that are views") {
    const std::vector<std::string_view> views = {"a\n", "b\n"};
    f.writelines(views);
    f.flush();
    CHECK(p.got == "a\nb\n");
  }
  SECTION("that are C strings, as a constant array and as a temporary") {
    const char* const texts[] = {"a", "b"};
    f.writelines(texts);
    f.writelines(std::vector<const char*>{"c", "d"});
    f.flush();
    CHECK(p.got == "abcd");
  }
  SECTION("transferred() counts all of them") {
    p.accepts = {0};
    p.refusal = would_block;
    file unbuffered = open(p, "w", 0);
    p.accepts = {numbered_line(0).size(), 5};
    try {
      unbuffered.writelines(numbered_lines{3});
      FAIL("not thrown");
    } catch (const pysock::error& e) {
      CHECK(e.transferred() == numbered_line(0).size() + 5);
    }
  }
}

TEST_CASE("file: writelines copies the lines of another file", "[file][writelines]") {
  const fake::session session;
  peer from;
  peer to;
  from.sends = arrivals({"one\ntw", "o\n\nlast"});
  file in = open(from);
  file out = open(to, "w");
  out.writelines(in);
  out.flush();
  CHECK(to.got == "one\ntwo\n\nlast");
  from.sends = {{"begi", {}}, time_out, {"n\n", {}}};
  CHECK_THROWS_WITH(out.writelines(in), "readline: timed out");
  out.writelines(in);  // nothing was lost
  out.flush();
  CHECK(to.got == "one\ntwo\n\nlastbegin\n");
}

TEST_CASE("file: a default-constructed file is closed, and can be assigned", "[file]") {
  const fake::session session;
  peer p;
  file f;
  CHECK(f.closed());
  CHECK(f.fileno() == pysock::invalid_handle);
  CHECK_THROWS_AS(f.readline(), std::invalid_argument);
  CHECK_THROWS_AS(f.write("x"), std::invalid_argument);
  f.close();
  f = open(p, "w");
  f.write("x");
  f.close();
  CHECK(p.got == "x");
  std::map<int, file> files;  // containers default-construct their values
  CHECK(files[1].closed());
}

TEST_CASE("file: a read that runs out of memory loses no data", "[file][read]") {
  struct row {
    const char* name;
    bool is_large;  // so the call allocates
    void (*read)(file& f, std::string& got);
  };
  static char buffer[100000];
  const auto op = GENERATE(
      row{"a block", true,
          [](file& f, std::string& got) {
            if (f.read(buffer, sizeof buffer)) got.append(buffer, sizeof buffer);
          }},
      row{"a small block", false,
          [](file& f, std::string& got) {
            if (f.read(buffer, 7)) got.append(buffer, 7);
          }},
      row{"read(100000)", true, [](file& f, std::string& got) { got += f.read(100000); }},
      row{"read(7)", false, [](file& f, std::string& got) { got += f.read(7); }},
      row{"read()", true, [](file& f, std::string& got) { got += f.read(); }},
      row{"readline()", false, [](file& f, std::string& got) { got += f.readline(); }},
      row{"readlines(60000)", true,
          [](file& f, std::string& got) {
            for (const std::string& line : f.readlines(60000)) got += line;
          }},
      row{"get()", false, [](file& f, std::string& got) { got += static_cast<char>(f.get()); }});
  const int bufsize = GENERATE(-1, 0, 50);
  CAPTURE(op.name, bufsize);
  std::string sent;
  for (int line = 0; sent.size() < 200000; ++line)
    sent += std::string(static_cast<std::size_t>(line), 'x') + std::to_string(line) + "\n";

  for (std::size_t number = 1;; ++number) {
    CAPTURE(number);
    file f = detail::file_access::make(std::make_unique<stuttering_transport>(sent), {true, false},
                                       bufsize, -1);
    std::string got;
    got.reserve(sent.size());
    const bool failed = fails_to_allocate(number, [&] { op.read(f, got); });
    f.clear();
    for (bool ended = false; !ended;) {
      try {
        got += f.read();
        ended = true;
      } catch (const pysock::timeout&) {
      }
    }
    CHECK(got.size() == sent.size());
    CHECK((got == sent));  // too long to be printed
    if (!failed) {
      CHECK((number > 1 || !op.is_large));
      break;
    }
  }
}

// ---- std::istream and std::ostream ----

TEST_CASE("file: is a std::istream", "[file]") {
  const fake::session session;
  peer p;
  SECTION("formatted extraction") {
    p.sends = arrivals({"  4", "2 0x1f  wo", "rd   3.5\n rest of", " line\nlast"});
    file f = open(p);
    int number = 0;
    unsigned hex = 0;
    std::string word;
    double real = 0;
    f >> number >> std::hex >> hex >> word >> real >> std::ws;
    CHECK(number == 42);
    CHECK(hex == 31);
    CHECK(word == "word");
    CHECK(real == 3.5);
    std::string line;
    CHECK(std::getline(f, line));
    CHECK(line == "rest of line");
    CHECK(std::getline(f, line));
    CHECK(line == "last");
    CHECK(f.eof());
    CHECK_FALSE(std::getline(f, line));
    CHECK(f.fail());
    CHECK_FALSE(f.bad());
  }
  SECTION("unformatted extraction") {
    p.sends = arrivals({"abc,def\nsk", "ip\nxyz"});
    file f = open(p, "r", GENERATE(-1, 0, 2));
    char buffer[8] = {};
    CHECK(f.peek() == 'a');
    CHECK(f.get() == 'a');
    f.getline(buffer, 8, ',');
    CHECK(std::string(buffer) == "bc");
    f.ignore(100, '\n');
    f.ignore(100, '\n');
    CHECK(f.read(buffer, 3));
    CHECK(std::string(buffer, 3) == "xyz");
    CHECK_FALSE(f.read(buffer, 3));
    CHECK(f.gcount() == 0);
    CHECK(f.eof());
  }
  SECTION("a negative count reads nothing") {
    p.sends = arrivals({"abc"});
    file f = open(p);
    char buffer[1] = {};
    CHECK(f.rdbuf()->sgetn(buffer, -1) == 0);
    CHECK(p.receives.empty());
    CHECK(f.read() == "abc");
  }
  SECTION("a short block read is the end of the stream") {
    p.sends = arrivals({"ab", "c"});
    file f = open(p, "r", GENERATE(-1, 0));
    char buffer[8] = {};
    CHECK_FALSE(f.read(buffer, 8));
    CHECK(f.gcount() == 3);
    CHECK(std::string(buffer) == "abc");
  }
  SECTION("its stream buffer can be read by iterators, and cannot seek") {
    const std::string sent(20000, 'q');
    p.sends = {{sent, {}}, {"!", {}}};
    file f = open(p);
    CHECK(f.tellg() == std::streampos(-1));
    f.seekg(1);
    CHECK(f.fail());
    f.clear();
    std::ostringstream copy;
    copy << f.rdbuf();
    CHECK(copy.str() == sent + "!");
  }
  SECTION("a large block read bypasses the buffer") {
    const std::string sent(50000, 'q');
    p.sends = {{sent, {}}};
    file f = open(p);
    std::string buffer(sent.size(), '\0');
    CHECK(f.read(buffer.data(), static_cast<std::streamsize>(buffer.size())));
    CHECK(buffer == sent);
    CHECK(p.receives == std::vector<std::size_t>{50000});
  }
}

TEST_CASE("file: failures throw through the stream's functions", "[file]") {
  const fake::session session;
  peer p;
  file f = open(p, "rw");
  CHECK(f.exceptions() == std::ios_base::badbit);
  CHECK(f.good());
  p.sends = {{"12 begi", {}}, time_out, {"n\nnext 7", {}}, time_out, {"\n", {}}};
  int number = 0;
  CHECK(f >> number >> std::ws);
  CHECK(number == 12);

  std::string line;
  std::string caught;
  try {
    std::getline(f, line);
  } catch (const pysock::timeout& e) {
    caught = e.what();
  }
  CHECK(caught == "read: timed out");
  CHECK(f.bad());
  CHECK(line == "begi");  // the rest has not arrived

  SECTION("the stream continues after clear()") {
    CHECK_THROWS_AS(std::getline(f, line), std::ios_base::failure);
    f.clear();
    std::string rest;
    CHECK(std::getline(f, rest));
    CHECK(rest == "n");
    CHECK(f >> rest);
    CHECK(rest == "next");
  }
  SECTION("Python's methods clear the state themselves") {
    CHECK(f.readline() == "n\n");
    CHECK(f.good());
    CHECK(failure_of([&] { return f.readline(); }) == "timeout");
    CHECK(f.good());
    CHECK(f >> line >> number);
    CHECK(line == "next");
    CHECK(number == 7);
  }
  SECTION("each method of Python does") {
    const auto call = GENERATE(0, 1, 2, 3, 4, 5, 6);
    CAPTURE(call);
    if (call == 0) (void)f.read(1);
    if (call == 1) (void)f.readlines(1);
    if (call == 2) (void)f.begin();
    if (call == 3) f.write("x");
    if (call == 4) f.writelines({"x"});
    if (call == 5) f.flush();
    if (call == 6) f.close();
    CHECK(f.good());
  }
}

TEST_CASE("file: writelines adds no separators", "[file]") {
  const fake::session session;
  peer p;
  file f = open(p, "w", GENERATE(-1, 0, 1, 3));
  f.writelines({"a\n", "b"});
  f.writelines(std::vector<std::string>{"c", "", "d\n"});
  const char* const more[] = {"e", "f"};
  f.writelines(more);
  f.flush();
  CHECK(p.got == "a\nbcd\nef");
}

TEST_CASE("file: is a std::ostream", "[file]") {
  const fake::session session;
  peer p;
  file f = open(p, "w", GENERATE(-1, 0, 1, 2, 5));
  f << "n=" << std::setw(5) << std::setfill('.') << 42 << ' ' << std::hex << 255 << '\n';
  f.write("block", 5).put('!');
  const std::string chars = "copied";
  std::copy(chars.begin(), chars.end(), std::ostreambuf_iterator<char>(f));
  f << std::flush;
  CHECK(p.got == "n=...42 ff\nblock!copied");
  CHECK(f.tellp() == std::streampos(-1));
  f << "end" << std::endl;
  CHECK(p.got == "n=...42 ff\nblock!copiedend\n");
  std::istringstream source(std::string(10000, 's'));
  f << source.rdbuf();
  f.flush() << "!";
  f.flush();
  CHECK(p.got == "n=...42 ff\nblock!copiedend\n" + std::string(10000, 's') + "!");
}

TEST_CASE("file: overflow without a character flushes", "[file]") {
  struct opened : std::streambuf {
    static int_type overflow_of(std::streambuf& buffer, int_type c) {
      return (buffer.*&opened::overflow)(c);
    }
  };
  const fake::session session;
  peer p;
  file f = open(p, "w");
  f << "data";
  CHECK(p.got.empty());
  using traits = std::streambuf::traits_type;
  CHECK(opened::overflow_of(*f.rdbuf(), traits::eof()) != traits::eof());
  CHECK(p.got == "data");
  CHECK(opened::overflow_of(*f.rdbuf(), '!') == '!');
  f.flush();
  CHECK(p.got == "data!");
}

// ---- closing and moving ----

TEST_CASE("file: close", "[file]") {
  const fake::session session;
  peer p;
  SECTION("flushes, once") {
    file f = open(p, "rw");
    CHECK(f.fileno() == 77);
    CHECK_FALSE(f.closed());
    f.write("bye");
    f.close();
    CHECK(p.got == "bye");
    CHECK(p.closed);
    CHECK(p.destroyed);
    CHECK(f.closed());
    CHECK(f.fileno() == pysock::invalid_handle);
    CHECK(f.mode() == "rwb");
    f.close();
    CHECK(p.writes.size() == 1);
  }
  SECTION("a failing flush throws, and the file is closed nevertheless") {
    p.accepts = {1, 1, 1};
    p.refusal = detail::system_code(EPIPE);
    file f = open(p, "w");
    f.write("bye");
    CHECK(failure_of([&] { return f.close(), 0; }) == failure("broken_pipe_error", EPIPE));
    CHECK(f.closed());
    CHECK(p.closed);
    CHECK(p.destroyed);
    f.close();
    CHECK(p.writes.size() == 1);
  }
  SECTION("a failing close of the descriptor throws") {
    p.close_failure = detail::system_code(EBADF);
    file f = open(p, "w");
    CHECK(failure_of([&] { return f.close(), 0; }) == failure("error", EBADF));
    CHECK(f.closed());
    CHECK(p.destroyed);
  }
  SECTION("the destructor ignores failures") {
    p.accepts = {1};
    p.close_failure = detail::system_code(EBADF);
    {
      file f = open(p, "w");
      f.write("bye");
    }
    CHECK(p.got == "b");
    CHECK(p.destroyed);
  }
}

TEST_CASE("file: a closed file cannot be used", "[file]") {
  const fake::session session;
  peer p;
  p.sends = arrivals({"abc\ndef\n"});
  file f = open(p, "rw", GENERATE(-1, 0, 1));
  CHECK(f.readline() == "abc\n");
  SECTION("closed") { f.close(); }
  SECTION("moved from") { const file other = std::move(f); }
  SECTION("made of a null pointer") { f = file(nullptr); }
  std::string text;
  char buffer[4];
  CHECK(f.closed());  // NOLINT(bugprone-use-after-move): what is left is the point
  CHECK_THROWS_WITH(f.readline(), "readline: I/O operation on closed file");
  CHECK(failure_of([&] { return f.readline(); }) == "invalid_argument");
  CHECK(failure_of([&] { return f.readlines(); }) == "invalid_argument");
  CHECK(failure_of([&] { return f.read(); }) == "invalid_argument");
  CHECK(failure_of([&] { return f.read(0); }) == "invalid_argument");
  CHECK(failure_of([&] { return f.begin(); }) == "invalid_argument");
  CHECK(failure_of([&] { return f.write("x"); }) == "invalid_argument");
  CHECK(failure_of([&] { return f.write(""); }) == "invalid_argument");
  CHECK(failure_of([&] { return f.writelines({"x"}), 0; }) == "invalid_argument");
  CHECK(failure_of([&] { return !f.flush(); }) == "invalid_argument");
  CHECK(failure_of([&] { return !std::getline(f, text); }) == "invalid_argument");
  f.clear();
  CHECK(failure_of([&] { return !f.read(buffer, 4); }) == "invalid_argument");
  f.clear();
  CHECK(failure_of([&] { return !f.put('x'); }) == "invalid_argument");
  f.clear();
  CHECK(failure_of([&] { return !(f << "x"); }) == "invalid_argument");
  f.clear();
  CHECK(failure_of([&] { return !(f << std::flush); }) == "invalid_argument");
  f.close();
}

TEST_CASE("file: moving moves the buffers", "[file]") {
  const fake::session session;
  const int bufsize = GENERATE(-1, 0, 1, 2, 3, 15, 16, 100);
  CAPTURE(bufsize);
  peer p;
  p.sends = arrivals({"one\ntwo\nthr", "ee\n"});
  file first = open(p, "rw", bufsize);
  CHECK(first.readline() == "one\n");
  first.write("he");
  first << std::hex;

  file second = std::move(first);
  CHECK(first.closed());  // NOLINT(bugprone-use-after-move,clang-analyzer-cplusplus.Move): what is
                          // left is the point
  CHECK_FALSE(second.closed());
  CHECK(second.exceptions() == std::ios_base::badbit);
  CHECK(second.gettimeout() == pysock::seconds(5));
  std::string word;
  CHECK(second >> word);
  CHECK(word == "two");
  second.put('5');  // writes into the buffer directly
  second << 25;

  peer q;
  file third = open(q, "w");
  third.write("unsent");
  third = std::move(second);
  CHECK(second.closed());  // NOLINT(bugprone-use-after-move,clang-analyzer-cplusplus.Move): what is
                           // left is the point
  CHECK(q.got == "unsent");
  CHECK(q.destroyed);
  CHECK(third.get() == '\n');
  CHECK(third.readline() == "three\n");
  third.put('!');
  file& itself = third;
  third = std::move(itself);
  third.flush();
  CHECK(p.got == "he519!");
  CHECK_FALSE(p.destroyed);

  first = open(q, "w");  // a moved-from file can be assigned to
  CHECK_FALSE(first.closed());
}
