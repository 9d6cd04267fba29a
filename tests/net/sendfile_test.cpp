// SPDX-License-Identifier: MIT
// sendfile: whole files and parts, from every kind of source, to receivers that read, stall or
// close.
#ifndef _FILE_OFFSET_BITS
#define _FILE_OFFSET_BITS 64  // without it fopen() opens no large files on 32-bit systems
#endif
#include <pysock/socket.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "support/allocations.hpp"
#include "support/background.hpp"
#include "support/catch.hpp"
#include "support/failure.hpp"
#include "support/files.hpp"
#include "support/process.hpp"
#include "support/python_peer.hpp"
#include "support/raw.hpp"
#include "support/sockets.hpp"
#include "support/temporary_directory.hpp"

namespace sk = pysock;
using namespace test_support;

namespace {

// Prints length and digest of each connection's data: first those that sendfile sent, then the
// expected ones, which send_by_reading sent.
constexpr const char* hashing_receiver = R"(
server = socket.create_server(('127.0.0.1', 0))
say('port', server.getsockname()[1])
buffer = memoryview(bytearray(1 << 20))
for line in sys.stdin:
    conn = server.accept()[0]
    hash, total = hashlib.sha256(), 0
    while n := conn.recv_into(buffer):
        hash.update(buffer[:n])
        total += n
    conn.close()
    say(line.strip(), f'{total} {hash.hexdigest()}')
)";

struct part {
  std::int64_t offset;
  std::optional<std::int64_t> count;
};

std::size_t send_by_reading(const std::string& path, const part& what, sk::socket& s) {
  std::ifstream in(path, std::ios::binary);
  in.seekg(what.offset);
  std::string buffer(1 << 20, '\0');
  std::int64_t left = what.count.value_or(INT64_MAX);
  std::size_t sent = 0;
  while (left > 0 && in) {
    in.read(buffer.data(), static_cast<std::streamsize>(std::min<std::int64_t>(left, 1 << 20)));
    sent += s.sendall(sk::const_bytes(buffer.data(), static_cast<std::size_t>(in.gcount())));
    left -= in.gcount();
  }
  return sent;
}

void check_against_python(const std::string& path, std::initializer_list<part> parts) {
  process python(
      {"python3", "-c",
       std::string(
           "import socket, sys, hashlib\ndef say(key, value): print(key, value, flush=True)\n") +
           hashing_receiver});
  const auto after = [&python](const std::string& key) {
    const std::string line = python.line();
    REQUIRE(line.substr(0, key.size() + 1) == key + " ");
    return line.substr(key.size() + 1);
  };
  const int port = std::stoi(after("port"));
  for (const sk::timeout_value mode :
       {sk::timeout_value(std::nullopt), sk::timeout_value(patience)}) {
    for (const part& what : parts) {
      CAPTURE(pysock::detail::timeout_word(mode), what.offset, what.count.value_or(-1));
      const auto connect = [&](const std::string& purpose) {
        python.say(purpose + "\n");
        sk::socket s;
        s.settimeout(mode);
        s.connect({"127.0.0.1", port});
        return s;
      };
      sk::socket s = connect("received");
      const stopwatch watch;
      const std::size_t sent = s.sendfile(path, what.offset, what.count);
      const double taken = watch.seconds();
      s.close();
      const std::string received = after("received");
      sk::socket other = connect("meant");
      CHECK(send_by_reading(path, what, other) == sent);
      other.close();
      CHECK(received == after("meant"));
      CHECK(received.substr(0, received.find(' ')) == std::to_string(sent));
      if (sent >= std::size_t{1} << 29) std::printf("sendfile: %zu bytes in %.2f s\n", sent, taken);
    }
  }
  python.end_input();
  CHECK(python.wait() == 0);
}

}  // namespace

TEST_CASE("sendfile sends whole files and parts, in blocking and in timeout mode", "[sendfile]") {
  const file_with file(pattern(3000000));
  const open_file handle = file.open();
  for (const sk::timeout_value mode :
       {sk::timeout_value(std::nullopt), sk::timeout_value(patience)}) {
    for (const bool of_a_pair : {false, true}) {
      CAPTURE(pysock::detail::timeout_word(mode), of_a_pair);
      const auto pair = [of_a_pair] { return of_a_pair ? sk::socketpair() : connected(); };
      CHECK(arrives(pair(), mode, [&](sk::socket& s) {
              CHECK(s.sendfile(handle.get()) == 3000000);
            }) == file.content);
      CHECK(arrives(pair(), mode, [&](sk::socket& s) {
              CHECK(s.sendfile(handle.get(), 1000001) == 1999999);
            }) == file.content.substr(1000001));
      CHECK(arrives(pair(), mode, [&](sk::socket& s) {
              CHECK(s.sendfile(handle.get(), 0, 5) == 5);
            }) == file.content.substr(0, 5));
      CHECK(arrives(pair(), mode, [&](sk::socket& s) {
              CHECK(s.sendfile(handle.get(), 7, 2000000) == 2000000);
            }) == file.content.substr(7, 2000000));
    }
  }
  CHECK(position_of(handle.get()) == 0);
}

TEST_CASE("sendfile ends at the end of the file", "[sendfile]") {
  const file_with file("0123456789");
  CHECK(arrives(connected(), patience,
                [&](sk::socket& s) { CHECK(s.sendfile(file.path, 4, 1000) == 6); }) == "456789");
  CHECK(arrives(connected(), patience, [&](sk::socket& s) {
          CHECK(s.sendfile(file.path, 10) == 0);
        }).empty());
  CHECK(arrives(connected(), patience, [&](sk::socket& s) {
          CHECK(s.sendfile(file.path, 1 << 20, 5) == 0);
        }).empty());
  const file_with empty("");
  CHECK(arrives(connected(), patience, [&](sk::socket& s) {
          CHECK(s.sendfile(empty.path) == 0);
        }).empty());
}

TEST_CASE("sendfile takes every kind of source, and an absolute offset", "[sendfile]") {
  const file_with file(pattern(200000));
  const std::string meant = file.content.substr(1000, 150000);
  std::ifstream in(file.path, std::ios::binary);
  in.seekg(77);
  CHECK(arrives(connected(), patience,
                [&](sk::socket& s) { CHECK(s.sendfile(in, 1000, 150000) == 150000); }) == meant);
  CHECK(in.tellg() == 151000);
  CHECK(arrives(connected(), patience, [&](sk::socket& s) { CHECK(s.sendfile(in) == 200000); }) ==
        file.content);
  CHECK(in.good());

  std::istringstream text(file.content);
  CHECK(arrives(connected(), patience,
                [&](sk::socket& s) { CHECK(s.sendfile(text, 1000, 150000) == 150000); }) == meant);

  std::FILE* const c_file = std::fopen(file.path.c_str(), "rb");
  REQUIRE(c_file != nullptr);
  CHECK(std::fgetc(c_file) == static_cast<unsigned char>(file.content[0]));
  CHECK(arrives(connected(), patience, [&](sk::socket& s) {
          CHECK(s.sendfile(c_file, 1000, 150000) == 150000);
        }) == meant);
  CHECK(std::ftell(c_file) == 151000);
  CHECK(std::fgetc(c_file) == static_cast<unsigned char>(file.content[151000]));
  std::fclose(c_file);

  CHECK(arrives(connected(), patience, [&](sk::socket& s) {
          CHECK(s.sendfile(file.path, 1000, 150000) == 150000);
        }) == meant);
  CHECK(arrives(connected(), patience, [&](sk::socket& s) {
          CHECK(s.sendfile(file.open().get(), 1000, 150000) == 150000);
        }) == meant);
}

TEST_CASE("the position of a C stream is the end of the data sent, also above 2 GiB",
          "[sendfile]") {
  const file_with file("");
  constexpr std::int64_t offset = (std::int64_t{1} << 31) + 77;
  std::error_code ec;
  std::filesystem::resize_file(file.path, static_cast<std::uintmax_t>(offset), ec);
  if (ec) SKIP_TEST("no file of more than 2 GiB: " + ec.message());
  std::ofstream(file.path, std::ios::binary | std::ios::app) << "0123456789";
  std::FILE* const c_file = std::fopen(file.path.c_str(), "rb");
  REQUIRE(c_file != nullptr);
  CHECK(arrives(connected(), patience,
                [&](sk::socket& s) { CHECK(s.sendfile(c_file, offset, 4) == 4); }) == "0123");
  CHECK(std::fgetc(c_file) == '4');
  std::fclose(c_file);
}

TEST_CASE("a path is opened only during the call", "[sendfile]") {
  const file_with file("0123456789");
  auto [client, server] = connected();
  const auto before = open_descriptors();
  CHECK(client.sendfile(file.path) == 10);
  CHECK(failure_of([&client = client, &file] { return client.sendfile(file.folder / "none"); }) ==
        failure("file_not_found_error", ENOENT));
  const std::string opening = system_says([&file] {
    const sk::native_handle_type folder = sk::detail::sys::open_file((file.folder / "").c_str());
    if (folder != sk::invalid_handle) sk::detail::sys::close_file(folder);
    return folder;
  });
  CHECK(failure_of([&client = client, &file] { return client.sendfile(file.folder / ""); }) ==
        (opening == "none" ? failure("error", EISDIR) : opening));
  client.close();
  CHECK(failure_of([&client = client, &file] { return client.sendfile(file.path); }) ==
        failure("error", EBADF));
  CHECK(open_descriptors().size() == before.size() - 1);
}

TEST_CASE("sendfile takes a std::filesystem::path", "[sendfile][file_path]") {
  const file_with file("0123456789");
  const std::filesystem::path path = file.path;
  auto [client, server] = connected();
  CHECK(client.sendfile(path) == 10);
  CHECK(client.sendfile(path.parent_path() / path.filename(), 4) == 6);
  const sk::file_source kept = path.parent_path() / path.filename();  // keeps a copy of the path
  CHECK(client.sendfile(kept, 8) == 2);
  CHECK(receive(server, 18) == "012345678945678989");
  CHECK(failure_of([&client = client, &path] { return client.sendfile(path / "none"); }) != "none");
}

TEST_CASE("sendfile rejects invalid arguments", "[sendfile]") {
  const file_with file("0123456789");
  const file_with empty("");
  auto [client, server] = connected();
  CHECK(failure_of([&] { return bound_udp().sendfile(file.path); }) == "invalid_argument");
  CHECK(failure_of([&client = client, &file] { return client.sendfile(file.path, 0, 0); }) ==
        "invalid_argument");
  CHECK(failure_of([&client = client, &file] { return client.sendfile(file.path, -1); }) ==
        "invalid_argument");
  client.setblocking(false);
  CHECK(failure_of([&client = client, &file] { return client.sendfile(file.path); }) ==
        "invalid_argument");
  CHECK(client.sendfile(empty.path) == 0);
}

TEST_CASE("sendfile reads files that report no size", "[sendfile]") {
  if (!std::ifstream("/proc/self/cmdline")) SKIP_TEST("no /proc");
  std::ostringstream meant;
  meant << std::ifstream("/proc/self/cmdline").rdbuf();
  CHECK(arrives(connected(), patience, [](sk::socket& s) { s.sendfile("/proc/self/cmdline"); }) ==
        meant.str());
}

TEST_CASE("pipes and directories are rejected", "[sendfile]") {
  const a_pipe pipe;
  for (const sk::timeout_value mode :
       {sk::timeout_value(std::nullopt), sk::timeout_value(patience)}) {
    auto [client, server] = connected();
    client.settimeout(mode);
    CHECK(failure_of([&client = client, &pipe] { return client.sendfile(pipe.reading()); }) ==
          failure("error", ESPIPE));
    CHECK(failure_of([&client = client] {
            return client.sendfile(sk::native_handle_type{0x7FFFFFF0});
          }) == failure("error", EBADF));
  }
}

TEST_CASE("sendfile to a receiver that stalls times out and reports the bytes sent", "[sendfile]") {
  const file_with file(pattern(std::size_t{32} << 20));
  std::ifstream in(file.path, std::ios::binary);
  for (const bool by_kernel : {true, false}) {
    CAPTURE(by_kernel);
    auto [client, server] = connected();
    client.settimeout(0.2);
    const stopwatch watch;
    std::size_t gone = 0;
    try {
      by_kernel ? client.sendfile(file.path, 5) : client.sendfile(in, 5);
      FAIL("no timeout");
    } catch (const sk::timeout& e) {
      gone = e.transferred();
    }
    CHECK(watch.seconds() >= 0.2);
    CHECK(gone > 0);
    CHECK(gone < file.content.size());
    if (!by_kernel) CHECK(in.tellg() == static_cast<std::streamoff>(5 + gone));
    client.close();
    CHECK(receive_all(server) == file.content.substr(5, gone));
  }
}

TEST_CASE("the error_code overload of sendfile reports the same and can continue", "[sendfile]") {
  const file_with file(pattern(std::size_t{16} << 20));
  auto [client, server] = connected();
  client.settimeout(0.05);
  std::error_code ec;
  const std::size_t first = client.sendfile(file.path, 0, std::nullopt, ec);
  CHECK(ec == sk::errc::timed_out);
  background<std::string> receiving([&server = server] { return receive_all(server); });
  client.settimeout(patience);
  const std::size_t second =
      client.sendfile(file.path, static_cast<std::int64_t>(first), std::nullopt, ec);
  CHECK_FALSE(ec);
  CHECK(first + second == file.content.size());
  client.close();
  CHECK(receiving.get() == file.content);
}

TEST_CASE("sendfile allocates nothing, except a block to read into where the kernel cannot send",
          "[sendfile]") {
  const file_with file("0123456789");
  const open_file handle = file.open();
  std::istringstream in(file.content);
  auto [client, server] = connected();
  std::error_code ec;
  namespace sys = sk::detail::sys;
  const std::ptrdiff_t by_kernel = sys::sendfile(client.fileno(), handle.get(), 0, 0);
  const std::size_t blocks = sys::sendfile_unsupported(static_cast<int>(-by_kernel)) ? 1 : 0;
  CHECK(allocations_of([&, &client = client] {
          client.sendfile(handle.get(), 0, std::nullopt, ec);
        }) == blocks);
  CHECK_FALSE(ec);
  CHECK(allocations_of([&, &client = client] { client.sendfile(in, 0, std::nullopt, ec); }) == 1);
  CHECK_FALSE(ec);
  CHECK(receive(server, 20) == "01234567890123456789");
  full_connection full;
  full.client.settimeout(0.001);
  CHECK(allocations_of([&] { full.client.sendfile(handle.get(), 0, std::nullopt, ec); }) == blocks);
  CHECK(ec == sk::errc::timed_out);
}

#ifdef SIGPIPE
TEST_CASE("sendfile to a closed peer fails and raises no signal", "[sendfile]") {
  const file_with file("0123456789");
  for (const bool by_kernel : {true, false}) {
    CHECK(in_child([&file, by_kernel] {
            std::signal(SIGPIPE, SIG_DFL);
            std::istringstream in(file.content);
            auto [a, b] = sk::socketpair();
            b.close();
            try {
              by_kernel ? a.sendfile(file.path) : a.sendfile(in);
            } catch (const sk::broken_pipe_error& e) {
              return e.transferred() == 0 ? 0 : 2;
            }
            return 1;
          }) == 0);
  }
}
#endif

TEST_CASE("sendfile to a peer that closes during the transfer fails", "[sendfile]") {
  const file_with file(pattern(std::size_t{32} << 20));
  auto [client, server] = connected();
  background<std::string> sending([&client = client, &file] {
    std::error_code ec;
    const std::size_t sent = client.sendfile(file.path, 0, std::nullopt, ec);
    if (sent == 0 || sent >= file.content.size()) return "sent " + std::to_string(sent);
    return ec == std::errc::connection_reset || ec == std::errc::broken_pipe ? std::string("lost")
                                                                             : ec.message();
  });
  sending.wait_until_asleep();
  server.close();
  CHECK(sending.get() == "lost");
}

#ifdef SIGUSR1
namespace {
bool stop(void*) noexcept { return false; }
bool count_it(void* counter) noexcept { return ++*static_cast<std::atomic<int>*>(counter) != 0; }
}  // namespace

TEST_CASE("the hook decides whether a signal ends sendfile, which reports the bytes sent",
          "[sendfile]") {
  struct sigaction action {};
  struct sigaction old {};
  action.sa_handler = [](int) {};
  REQUIRE(::sigaction(SIGUSR1, &action, &old) == 0);
  const file_with file(pattern(std::size_t{32} << 20));
  SECTION("the call continues") {
    auto [client, server] = connected();
    client.settimeout(std::nullopt);
    std::atomic<int> asked{0};
    client.set_interrupt_hook(count_it, &asked);
    background<std::size_t> sending([&client = client, &file] {
      const std::size_t sent = client.sendfile(file.path);
      client.close();
      return sent;
    });
    for (int i = 0; i < 3; ++i) {
      sending.wait_until_asleep();
      ::pthread_kill(sending.native_handle(), SIGUSR1);
      while (asked <= i) std::this_thread::yield();
    }
    CHECK(receive_all(server) == file.content);
    CHECK(sending.get() == file.content.size());
  }
  SECTION("the hook ends the call") {
    for (const sk::timeout_value mode :
         {sk::timeout_value(std::nullopt), sk::timeout_value(patience)}) {
      auto [client, server] = connected();
      client.settimeout(mode);
      client.set_interrupt_hook(stop, nullptr);
      background<std::size_t> sending([&client = client, &file] {
        std::error_code ec;
        const std::size_t sent = client.sendfile(file.path, 0, std::nullopt, ec);
        client.close();
        return ec == std::errc::interrupted ? sent : 0;
      });
      sending.wait_until_asleep();
      ::pthread_kill(sending.native_handle(), SIGUSR1);
      const std::size_t gone = sending.get();
      CHECK(gone > 0);
      CHECK(receive_all(server) == file.content.substr(0, gone));
    }
  }
  ::sigaction(SIGUSR1, &old, nullptr);
}
#endif

TEST_CASE("sendfile takes offsets beyond 4 GiB", "[sendfile]") {
  const temporary_directory folder;
  const std::int64_t beyond = (std::int64_t{5} << 30) + 3;
  if (!std::ofstream(folder / "sparse", std::ios::binary)
           .seekp(beyond)
           .write("far away", 8)
           .flush())
    SKIP_TEST("no files of that size here");
  const open_file file(folder / "sparse");
  CHECK(arrives(connected(), patience,
                [&](sk::socket& s) { CHECK(s.sendfile(file.get(), beyond) == 8); }) == "far away");
  std::ifstream in(folder / "sparse", std::ios::binary);
  CHECK(arrives(connected(), patience,
                [&](sk::socket& s) { CHECK(s.sendfile(in, beyond + 4) == 4); }) == "away");
}

TEST_CASE("sendfile sends 64 MiB to Python", "[sendfile]") {
  if (!has_program("python3")) SKIP_TEST("no python3");
  const file_with file(pattern(std::size_t{64} << 20));
  check_against_python(
      file.path,
      {{0, std::nullopt}, {12345678, std::nullopt}, {0, 23456789}, {12345678, 23456789}});
}

TEST_CASE("sendfile sends 1 GiB to Python", "[sendfile][big]") {
  if (!has_program("python3")) SKIP_TEST("no python3");
  if (std::getenv("PYSOCK_BIG_TESTS") == nullptr) SKIP_TEST("takes a while; set PYSOCK_BIG_TESTS");
  const temporary_directory folder;
  const std::string path = folder / "large";
  std::ofstream file(path, std::ios::binary);
  constexpr std::int64_t size =
      (std::int64_t{1} << 30) + 12345;  // more than one call of the system sends
  std::filesystem::resize_file(path, size);
  const std::string piece = pattern(1 << 20);
  for (std::int64_t at = 1000; at < size; at += 37 << 20) {
    REQUIRE(file.seekp(at).write(piece.data() + at % 4096,
                                 static_cast<std::streamsize>(piece.size() - 4096)));
  }
  file.close();
  check_against_python(path, {{0, std::nullopt},
                              {size / 3, std::nullopt},
                              {0, std::int64_t{1} << 30},
                              {size / 3, size / 2}});
}
