// SPDX-License-Identifier: MIT
#include <pysock/file_source.hpp>

#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdio>
#include <fstream>
#include <pysock/socket.hpp>
#include <sstream>
#include <string>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/failure.hpp"
#include "support/fake_sys.hpp"
#include "support/native.hpp"

using fake::called;
using fake::event;
using fake::fails;
using fake::lines;
using pysock::bad_argument;
using pysock::file_source;
using test_support::failure;
using test_support::failure_of;

using test_support::errno_text;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t block = std::size_t{1} << 30;

bool stop(void*) noexcept { return false; }

// A C stream for which the fake has a file with this content.
struct c_file {
  explicit c_file(std::string content)
      : handle(fake::adopt_file(std::move(content))), stream(std::tmpfile()) {
    std::fputs("0123456789", stream);
    std::rewind(stream);
    fake::on_file_handle({fake::returns(handle)});
  }
  c_file(const c_file&) = delete;
  c_file& operator=(const c_file&) = delete;
  ~c_file() { std::fclose(stream); }
  fake::handle handle;
  std::FILE* stream;
};

// A stream buffer that cannot seek, and one that cannot be read.
struct one_way : std::streambuf {
  explicit one_way(std::string text) : bytes(std::move(text)) {
    setg(bytes.data(), bytes.data(), bytes.data() + bytes.size());
  }
  std::string bytes;
};
struct failing : std::streambuf {
  std::streamsize xsgetn(char*, std::streamsize) override { throw std::runtime_error("no"); }
  pos_type seekoff(off_type, std::ios_base::seekdir, std::ios_base::openmode) override { return 0; }
};

}  // namespace

TEST_CASE("paths, descriptors, C streams and streams convert to file_source") {
  STATIC_REQUIRE(std::is_convertible_v<pysock::native_handle_type, file_source>);
  STATIC_REQUIRE(std::is_convertible_v<int, file_source> ==
                 std::is_same_v<int, pysock::native_handle_type>);
  STATIC_REQUIRE(std::is_convertible_v<std::FILE*, file_source>);
  STATIC_REQUIRE(std::is_convertible_v<const char*, file_source>);
  STATIC_REQUIRE(std::is_convertible_v<const std::string&, file_source>);
  STATIC_REQUIRE(std::is_convertible_v<std::istream&, file_source>);
  STATIC_REQUIRE(std::is_convertible_v<std::ifstream&, file_source>);
  STATIC_REQUIRE(std::is_convertible_v<std::stringstream&, file_source>);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<std::nullptr_t, file_source>);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<std::ostream&, file_source>);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<std::wifstream&, file_source>);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<std::ifstream, file_source>);
}

TEST_CASE("sendfile checks its arguments in Python's order") {
  const fake::session session;
  pysock::socket datagram(AF_INET, SOCK_DGRAM);
  pysock::socket packets(AF_UNIX, SOCK_SEQPACKET);
  pysock::socket stream;
  stream.setblocking(false);
  const auto code = [](pysock::socket& s, const file_source& file, std::int64_t offset,
                       std::optional<std::int64_t> count) {
    std::error_code ec = std::make_error_code(std::errc::io_error);
    CHECK(s.sendfile(file, offset, count, ec) == 0);
    return ec;
  };
  fake::add_file("full", "content");
  fake::add_file("empty", "");
  CHECK(code(datagram, "none", -1, 0) == bad_argument::not_stream);
  CHECK(code(packets, "none", -1, 0) == bad_argument::not_stream);
  CHECK(code(stream, "none", -1, 0) == bad_argument::file_count);
  CHECK(code(stream, "none", -1, -5) == bad_argument::file_count);
  CHECK(code(stream, "none", -1, 1) == bad_argument::file_offset);
  CHECK(code(stream, "none", 0, 1) == std::errc::no_such_file_or_directory);
  CHECK(code(stream, "full", 0, 1) == bad_argument::not_blocking);
  CHECK_FALSE(code(stream, "empty", 0, 1));
  CHECK_FALSE(code(stream, "empty", 5, std::nullopt));
  CHECK(failure_of([&] { return datagram.sendfile("full"); }) == "invalid_argument");
  CHECK(failure_of([&] { return stream.sendfile("full"); }) == "invalid_argument");
  CHECK(fake::count("sendfile") + fake::count("send") == 0);
  CHECK(fake::open_count() == 3);
}

TEST_CASE("sendfile calls the kernel until it has sent the file's size and finds the end") {
  const fake::session session;
  pysock::socket s;
  const auto file = fake::adopt_file("0123456789");
  CHECK(s.sendfile(file) == 10);
  CHECK(fake::log("sendfile") == lines{called("sendfile", s.fileno(), file, 0, 10),
                                       called("sendfile", s.fileno(), file, 10, block)});
  CHECK(fake::sent() == "0123456789");
  fake::clear_log();
  CHECK(s.sendfile(file, 3, 4) == 4);
  CHECK(fake::log("sendfile") == lines{called("sendfile", s.fileno(), file, 3, 4)});
  CHECK(s.sendfile(file, 8, 100) == 2);
  CHECK(s.sendfile(file, 100) == 0);
  CHECK(fake::sent() ==
        "0123456789"
        "3456"
        "89");
  CHECK(fake::count("read_file") == 0);
}

TEST_CASE("sendfile sends a count above a block in blocks") {
  const fake::session session;
  pysock::socket s;
  const auto file = fake::adopt_file("0123456789");
  fake::on_file_size({fake::returns(std::int64_t{3} << 30)});
  fake::on_sendfile({fake::takes(4), fake::takes(3), fake::takes(3)});
  CHECK(s.sendfile(file, 0, (std::int64_t{2} << 30) + 5) == 10);
  CHECK(fake::log("sendfile") == lines{called("sendfile", s.fileno(), file, 0, block),
                                       called("sendfile", s.fileno(), file, 4, block),
                                       called("sendfile", s.fileno(), file, 7, block),
                                       called("sendfile", s.fileno(), file, 10, block)});
}

TEST_CASE("sendfile's timeout is for each wait without progress") {
  const fake::session session;
  pysock::socket s;
  s.settimeout(0.5);
  const auto file = fake::adopt_file("0123456789");
  SECTION("a slow receiver may take longer than the timeout in all") {
    fake::on_sendfile({fake::takes(2), fails(EAGAIN), fake::takes(2), fails(EAGAIN), fake::takes(2),
                       fails(EAGAIN), fake::takes(4)});
    fake::on_poll({fake::ready_after(400), fake::ready_after(400), fake::ready_after(400)});
    CHECK(s.sendfile(file) == 10);
    CHECK(fake::elapsed() == std::chrono::milliseconds(1200));
    CHECK(fake::sent() == "0123456789");
  }
  SECTION("a receiver that stalls times out, with the bytes sent") {
    fake::on_sendfile({fake::takes(3), fails(EAGAIN), fails(EINTR), fails(EAGAIN)});
    fake::on_poll({fake::ready_after(300), fake::times_out()});
    try {
      s.sendfile(file);
      FAIL("not thrown");
    } catch (const pysock::timeout& e) {
      CHECK(e.transferred() == 3);
      CHECK(std::string(e.what()) == "sendfile: timed out");
    }
    CHECK(fake::elapsed() ==
          std::chrono::milliseconds(500));  // false readiness and a signal do not extend it
  }
  SECTION("a receiver that stalls, by reading and sending") {
    std::istringstream in("0123456789");
    fake::on_send({fake::takes(3), fails(EAGAIN), fake::takes(3), fails(EAGAIN)});
    fake::on_poll({fake::ready_after(400), fake::times_out()});
    std::error_code ec;
    CHECK(s.sendfile(in, 0, std::nullopt, ec) == 6);
    CHECK(ec == pysock::errc::timed_out);
    CHECK(fake::elapsed() == std::chrono::milliseconds(900));
    CHECK(in.tellg() == 6);
  }
}

TEST_CASE("sendfile reads and sends if the kernel cannot send the file") {
  const fake::session session;
  pysock::socket s;
  const std::string content(150000, 'c');
  const auto file = fake::adopt_file(content + "tail");
  for (const int reason : {EINVAL, ENOSYS, EOPNOTSUPP}) {
    fake::clear_log();
    fake::on_sendfile({fails(reason)});
    CHECK(s.sendfile(file, 10) == content.size() - 6);
    CHECK(fake::log("read_file") == lines{called("read_file", file, 65536, 10),
                                          called("read_file", file, 65536, 65546),
                                          called("read_file", file, 65536, 131082),
                                          called("read_file", file, 65536, 150004)});
  }
  fake::clear_log();
  fake::on_sendfile({fails(EINVAL)});
  CHECK(s.sendfile(file, 150000, 2) == 2);
  CHECK(fake::log("read_file") == lines{called("read_file", file, 2, 150000)});
  CHECK(fake::sent_messages().back().data == "ta");
}

TEST_CASE("sendfile does not start again after it has sent some bytes") {
  const fake::session session;
  pysock::socket s;
  const auto file = fake::adopt_file("0123456789");
  std::error_code ec;
  fake::on_sendfile({fake::takes(4), fails(EINVAL)});
  CHECK(s.sendfile(file, 0, std::nullopt, ec) == 4);
  CHECK(ec == std::errc::invalid_argument);
  fake::on_sendfile({fails(EPIPE)});
  CHECK(failure_of([&] { return s.sendfile(file); }) == failure("broken_pipe_error", EPIPE));
  CHECK(fake::count("read_file") == 0);
}

TEST_CASE("sendfile by reading reports failures and the bytes sent") {
  const fake::session session;
  pysock::socket s;
  const auto file = fake::adopt_file(std::string(100000, 'c'));
  std::error_code ec;
  fake::on_sendfile({fails(EINVAL), fails(EINVAL), fails(EINVAL)});
  fake::on_read_file({fails(EINTR), fake::succeeds(), fails(EIO)});
  CHECK(s.sendfile(file, 0, std::nullopt, ec) == 65536);
  CHECK(ec == std::errc::io_error);
  fake::on_read_file({fails(ESPIPE)});
  CHECK(s.sendfile(file, 0, std::nullopt, ec) == 0);
  CHECK(ec == std::errc::invalid_seek);
  fake::on_send({fake::takes(7), fails(ECONNRESET)});
  CHECK(s.sendfile(file, 0, std::nullopt, ec) == 7);
  CHECK(ec == std::errc::connection_reset);
}

TEST_CASE("sendfile sends a file whose size is unknown") {
  const fake::session session;
  pysock::socket s;
  const auto file = fake::adopt_file("made up when read");
  fake::on_file_size({fake::returns(0), fake::returns(0)});
  CHECK(s.sendfile(file) == 17);
  s.setblocking(false);
  std::error_code ec;
  CHECK(s.sendfile(file, 0, std::nullopt, ec) == 0);
  CHECK(ec == bad_argument::not_blocking);
  CHECK(fake::count("sendfile") == 0);
}

TEST_CASE("sendfile calls the interrupt hook between the steps, not after the last") {
  const fake::session session;
  pysock::socket s;
  s.set_interrupt_hook(stop, nullptr);
  const auto file = fake::adopt_file("0123456789");
  std::error_code ec;
  CHECK(s.sendfile(file, 0, std::nullopt, ec) == 10);
  CHECK_FALSE(ec);
  CHECK(s.sendfile(file, 0, 4, ec) == 4);
  CHECK_FALSE(ec);
  fake::on_sendfile({fake::takes(4)});  // a signal ended the call early
  CHECK(s.sendfile(file, 0, std::nullopt, ec) == 4);
  CHECK(ec == std::errc::interrupted);
  fake::on_sendfile({fails(EINTR)});
  CHECK(s.sendfile(file, 0, std::nullopt, ec) == 0);
  CHECK(ec == std::errc::interrupted);
  std::istringstream in("0123456789");
  CHECK(s.sendfile(in) == 10);
  fake::on_send({fake::takes(3)});
  CHECK(s.sendfile(in, 0, std::nullopt, ec) == 3);
  CHECK(ec == std::errc::interrupted);
}

TEST_CASE("sendfile opens a path and closes it again, also on failure") {
  const fake::session session;
  {
    pysock::socket s;
    fake::add_file("/tmp/file", "content");
    CHECK(s.sendfile("/tmp/file") == 7);
    CHECK(s.sendfile(std::string("/tmp/file"), 3) == 4);
    CHECK(fake::sent() == "contenttent");
    fake::on_sendfile({fails(EPIPE)});
    try {
      s.sendfile("/tmp/file");
      FAIL("not thrown");
    } catch (const pysock::broken_pipe_error& e) {
      CHECK(std::string(e.what()) == "sendfile '/tmp/file': " + errno_text(EPIPE));
    }
    fake::on_file_size({fails(EISDIR)});
    CHECK(failure_of([&] { return s.sendfile("/tmp/file"); }) == failure("error", EISDIR));
    CHECK(failure_of([&] { return s.sendfile("/tmp/none"); }) ==
          failure("file_not_found_error", ENOENT));
    CHECK(failure_of([&] { return s.sendfile(std::string("/tmp/file\0x", 11)); }) ==
          "invalid_argument");
    std::error_code ec;
    CHECK(s.sendfile(std::string("\0", 1), 0, std::nullopt, ec) == 0);
    CHECK(ec == bad_argument::embedded_null);
    CHECK(fake::count("open_file") == 5);
  }
  CHECK(fake::problems() == lines{});
}

TEST_CASE("sendfile of a bad descriptor fails") {
  const fake::session session;
  pysock::socket s;
  CHECK(failure_of([&] { return s.sendfile(pysock::native_handle_type{77}); }) ==
        failure("error", EBADF));
  CHECK(failure_of([&] { return s.sendfile(pysock::invalid_handle); }) == failure("error", EBADF));
  const auto empty = fake::adopt_file("");
  const auto full = fake::adopt_file("x");
  s.close();
  CHECK(s.sendfile(empty) == 0);
  CHECK(failure_of([&] { return s.sendfile(full); }) == failure("error", EBADF));
}

TEST_CASE(
    "sendfile of a C stream uses its descriptor, and sets its position to the end of the data "
    "sent") {
  const fake::session session;
  pysock::socket s;
  SECTION("all of it") {
    const c_file file("0123456789");
    CHECK(s.sendfile(file.stream, 2, 5) == 5);
    CHECK(fake::log("sendfile") == lines{called("sendfile", s.fileno(), file.handle, 2, 5)});
    CHECK(fake::log("seek_file") == lines{called("seek_file", 7)});
  }
  SECTION("a part, on failure") {
    const c_file file("0123456789");
    fake::on_sendfile({fake::takes(3), fails(EPIPE)});
    std::error_code ec;
    CHECK(s.sendfile(file.stream, 1, std::nullopt, ec) == 3);
    CHECK(fake::log("seek_file") == lines{called("seek_file", 4)});
  }
  SECTION("nothing") {
    const c_file file("0123456789");
    CHECK(s.sendfile(file.stream, 100) == 0);
    CHECK(fake::log("seek_file") == lines{});
  }
  SECTION("one without a descriptor") {
    std::FILE* const none = std::tmpfile();
    fake::on_file_handle({fails(EBADF)});
    CHECK(failure_of([&] { return s.sendfile(none); }) == failure("error", EBADF));
    std::fclose(none);
  }
}

TEST_CASE(
    "sendfile of a stream takes an absolute offset, and sets the position to the end of the data "
    "sent") {
  const fake::session session;
  pysock::socket s;
  std::istringstream in("0123456789");
  in.seekg(7);
  CHECK(s.sendfile(in) == 10);
  CHECK(in.tellg() == 10);
  CHECK(s.sendfile(in, 3, 4) == 4);
  CHECK(in.tellg() == 7);
  CHECK(fake::sent() ==
        "0123456789"
        "3456");
  CHECK(s.sendfile(in, 100) == 0);
  CHECK(in.tellg() == 7);
  CHECK(in.good());
  in.get();
  CHECK(in.tellg() == 8);

  std::string rest;
  in >> rest;
  CHECK(in.eof());  // sendfile clears it
  in.exceptions(std::ios_base::failbit | std::ios_base::badbit);
  CHECK(s.sendfile(in, 9) == 1);

  std::istringstream empty;
  CHECK(s.sendfile(empty) == 0);
  std::string large(200000, '.');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>('a' + i % 23);
  std::istringstream long_one(large);
  const std::size_t before = fake::sent().size();
  CHECK(s.sendfile(long_one, 5) == large.size() - 5);
  CHECK(fake::sent().substr(before) == large.substr(5));
}

TEST_CASE("a deadline ends sendfile although every step succeeds at once") {
  const fake::session session;
  pysock::socket s;
  const auto now = std::chrono::steady_clock::time_point(std::chrono::nanoseconds(fake::clock()));
  std::error_code ec;
  SECTION("by reading and sending") {
    std::istringstream in(std::string(300000, 'x'));
    fake::on_send({fake::succeeds().after(40ms).always()});
    s.settimeout(now + 100ms);
    CHECK(s.sendfile(in, 0, std::nullopt, ec) == std::size_t{3} * 65536);
    CHECK(ec == pysock::errc::timed_out);
    CHECK(in.tellg() == 3 * 65536);
  }
  SECTION("by the system") {
    const auto file = fake::adopt_file("0123456789");
    fake::on_file_size({fake::returns(INT64_C(1) << 40).always()});
    fake::on_sendfile({fake::takes(10).after(40ms)});
    s.settimeout(now + 30ms);
    CHECK(s.sendfile(file, 0, std::nullopt, ec) == 10);
    CHECK(ec == pysock::errc::timed_out);
    CHECK(fake::count("sendfile") == 1);
  }
  SECTION("by the system, after a whole block") {
    const auto file = fake::adopt_file("");
    fake::on_file_size({fake::returns(std::int64_t{3} << 30)});
    fake::on_sendfile({fake::gives("").returning(block).after(40ms)});
    s.settimeout(now + 30ms);
    CHECK(s.sendfile(file, 0, std::nullopt, ec) == block);
    CHECK(ec == pysock::errc::timed_out);
    CHECK(fake::count("sendfile") == 1);
  }
  SECTION("not if one step sends everything") {
    const auto file = fake::adopt_file("0123456789");
    s.settimeout(now - 1s);
    CHECK(s.sendfile(file, 0, std::nullopt, ec) == 10);
    CHECK_FALSE(ec);
    std::istringstream in("0123456789");
    CHECK(s.sendfile(in, 0, std::nullopt, ec) == 10);
    CHECK_FALSE(ec);
  }
}

TEST_CASE("sendfile of streams that cannot seek or cannot be read fails") {
  const fake::session session;
  pysock::socket s;
  one_way pipe("0123456789");
  std::istream once(&pipe);
  once.get();
  CHECK(s.sendfile(once, 0, 4) == 4);
  CHECK(s.sendfile(once) == 5);
  CHECK(fake::sent() == "123456789");
  std::error_code ec;
  CHECK(s.sendfile(once, 1, std::nullopt, ec) == 0);
  CHECK(ec == std::errc::invalid_seek);

  failing broken;
  std::istream bad(&broken);
  CHECK(s.sendfile(bad, 0, std::nullopt, ec) == 0);
  CHECK(ec == std::errc::io_error);
  std::istream none(nullptr);
  CHECK(s.sendfile(none, 0, std::nullopt, ec) == 0);
  CHECK(ec == std::errc::io_error);

  s.setblocking(false);
  std::istringstream in("text");
  in.seekg(2);
  CHECK(s.sendfile(in, 0, std::nullopt, ec) == 0);
  CHECK(ec == bad_argument::not_blocking);
  CHECK(in.tellg() == 2);
  std::istringstream empty;
  CHECK(s.sendfile(empty) == 0);
}

TEST_CASE("sendfile sends what is appended to the file during the call", "[sendfile]") {
  const fake::session session;
  pysock::socket s;
  s.set_interrupt_hook(stop, nullptr);
  const auto file = fake::adopt_file("0123456789appended");
  fake::on_file_size({fake::returns(10)});
  CHECK(s.sendfile(file) == 18);
  CHECK(fake::log("sendfile") == lines{called("sendfile", s.fileno(), file, 0, 10),
                                       called("sendfile", s.fileno(), file, 10, block),
                                       called("sendfile", s.fileno(), file, 18, block)});
  CHECK(fake::sent() == "0123456789appended");
}

TEST_CASE("sendfile reports that it has no memory, before it opens or reads the file",
          "[sendfile]") {
  const fake::session session;
  pysock::socket s;
  const std::string path(100, 'p');
  fake::add_file(path, "content");
  std::error_code ec;
  std::size_t sent = 1;
  CHECK(test_support::fails_to_allocate(1, [&] { sent = s.sendfile(path, 0, std::nullopt, ec); }));
  CHECK(sent == 0);
  CHECK(ec == std::errc::not_enough_memory);
  CHECK(fake::log("open_file") == lines{});
  CHECK(s.sendfile(path) == 7);

  std::istringstream in("0123456789");
  in.seekg(2);
  sent = 1;
  CHECK(test_support::fails_to_allocate(1, [&] { sent = s.sendfile(in, 0, std::nullopt, ec); }));
  CHECK(sent == 0);
  CHECK(ec == std::errc::not_enough_memory);
  CHECK(in.tellg() == 2);
  CHECK(fake::log("send") == lines{});
  CHECK(s.sendfile(in) == 10);
}
