// SPDX-License-Identifier: MIT
// Passing descriptors: the limits, the flags, and no leaks.
#include <pysock/fdpass.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "support/background.hpp"
#include "support/catch.hpp"
#include "support/failure.hpp"
#include "support/probes.hpp"
#include "support/process.hpp"
#include "support/python_peer.hpp"
#include "support/sockets.hpp"
#include "support/temporary_directory.hpp"

namespace sk = pysock;
using namespace test_support;

namespace {

std::pair<sk::socket, sk::socket> unix_pair(int type = SOCK_STREAM) {
  auto pair = sk::socketpair(AF_UNIX, type);
  pair.first.settimeout(patience);
  pair.second.settimeout(patience);
  return pair;
}

// A file that contains `number`, by which the test recognises it.
sk::descriptor numbered_file(const temporary_directory& folder, std::size_t number) {
  const std::string text = std::to_string(number);
  sk::descriptor file(::open((folder / text).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  REQUIRE(::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  return file;
}
std::string number_in(const sk::descriptor& file) {
  char buffer[20];
  const ssize_t count = ::pread(file.get(), buffer, sizeof buffer, 0);
  return count < 0 ? "unreadable" : std::string(buffer, static_cast<std::size_t>(count));
}

std::vector<int> handles_of(const std::vector<sk::descriptor>& files) {
  std::vector<int> handles;
  for (const sk::descriptor& file : files) handles.push_back(file.get());
  return handles;
}

}  // namespace

TEST_CASE("a descriptor arrives open, owned and not inheritable", "[fdpass]") {
  const std::set<int> before = open_descriptors();
  {
    const temporary_directory folder;
    for (const int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET}) {
      auto [a, b] = unix_pair(type);
      const sk::descriptor file = numbered_file(folder, 7);
      CHECK(sk::send_fds(a, {"da", "ta"}, {file.get()}) == 4);
      const auto [data, fds, flags, from] = sk::recv_fds(b, 100, 1);
      CHECK(data == "data");
      REQUIRE(fds.size() == 1);
      CHECK(number_in(fds[0]) == "7");
      CHECK(fds[0].get() != file.get());
      CHECK(is_close_on_exec(fds[0].get()));
      CHECK((flags & ~MSG_EOR) == 0);
      CHECK_FALSE(from);
    }
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("253 descriptors arrive in one message, in order", "[fdpass]") {
  const std::set<int> before = open_descriptors();
  {
    const temporary_directory folder;
    std::vector<sk::descriptor> files;
    for (std::size_t i = 0; i < 253; ++i) files.push_back(numbered_file(folder, i));
    auto [a, b] = unix_pair();
    CHECK(sk::send_fds(a, {"x"}, handles_of(files)) == 1);
    const auto got = sk::recv_fds(b, 1, 253);
    CHECK(got.data == "x");
    CHECK(got.flags == 0);
    REQUIRE(got.fds.size() == 253);
    for (std::size_t i = 0; i < 253; ++i) {
      CHECK(number_in(got.fds[i]) == std::to_string(i));
      CHECK(is_close_on_exec(got.fds[i].get()));
    }
    CHECK(sk::send_fds(a, {"x"}, handles_of(files)) == 1);
    CHECK(sk::recv_fds(b, 1, 1000).fds.size() == 253);
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("send_fds rejects more descriptors than one message can hold", "[fdpass]") {
  auto [a, b] = unix_pair();
  const std::vector<int> many(254, 0);
  if (failure_of([&a = a, &many] { return sk::send_fds(a, {"x"}, many); }) == "none")
    SKIP_TEST("this system passes more than 253");
  CHECK(failure_of([&a = a, &many] { return sk::send_fds(a, {"x"}, many); }) ==
        failure("error", EINVAL));
  CHECK(failure_of([&a = a] { return sk::send_fds(a, {"x"}, {-1}); }) == failure("error", EBADF));
}

TEST_CASE("more descriptors than requested: the rest is closed, and the flags have MSG_CTRUNC",
          "[fdpass]") {
  const std::string reason = why_no_cut_control_message();
  if (!reason.empty()) SKIP_TEST(reason);
  const temporary_directory folder;
  std::vector<sk::descriptor> files;
  for (std::size_t i = 0; i < 20; ++i) files.push_back(numbered_file(folder, i));
  auto [a, b] = unix_pair();
  const std::set<int> before = open_descriptors();
  for (const std::size_t most : {0U, 1U, 2U, 3U, 19U}) {
    CAPTURE(most);
    (void)sk::send_fds(a, {"x"}, handles_of(files));
    const auto got = sk::recv_fds(b, 10, most);
    CHECK(got.data == "x");
    CHECK(got.flags == MSG_CTRUNC);
    REQUIRE(got.fds.size() == most);
    for (std::size_t i = 0; i < most; ++i) CHECK(number_in(got.fds[i]) == std::to_string(i));
    CHECK(open_descriptors().size() == before.size() + most);
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("descriptors arrive together with control messages of options", "[fdpass][recv_fds]") {
  // Each option that the system has alone, and then all of them.
  const std::vector<int> options = {
#ifdef SO_PASSCRED
    SO_PASSCRED,
#endif
#ifdef SO_PASSSEC
    SO_PASSSEC,
#endif
#if defined(SO_PASSPIDFD)
    SO_PASSPIDFD,
#elif defined(__linux__)
    76,  // SO_PASSPIDFD, which older headers lack
#endif
#ifdef SO_TIMESTAMP
    SO_TIMESTAMP,
#endif
#ifdef SO_TIMESTAMPNS
    SO_TIMESTAMPNS,
#endif
#ifdef SO_RXQ_OVFL
    SO_RXQ_OVFL,
#endif
#ifdef LOCAL_CREDS_PERSISTENT
    LOCAL_CREDS_PERSISTENT,
#endif
  };
  if (options.empty()) SKIP_TEST("no such option");
  const temporary_directory folder;
  const sk::descriptor file = numbered_file(folder, 7);
  const std::set<int> before = open_descriptors();
  for (const int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET}) {
    for (std::size_t i = 0; i <= options.size(); ++i) {
      auto [a, b] = unix_pair(type);
      std::error_code refused;
      for (std::size_t k = 0; k < options.size(); ++k) {
        if (k != i && i != options.size()) continue;
        try {
          b.setsockopt(SOL_SOCKET, options[k], 1);
        } catch (const sk::error& e) {
          refused = e.code();  // an older kernel, or another kind of socket
        }
      }
      CAPTURE(type, i, refused.message());
      (void)sk::send_fds(a, {"x"}, {file.get(), file.get()});
      const auto got = sk::recv_fds(b, 10, 2);
      CHECK(got.data == "x");
      CHECK((got.flags & MSG_CTRUNC) == 0);
      REQUIRE(got.fds.size() == 2);
      CHECK(number_in(got.fds[0]) == "7");
      CHECK(number_in(got.fds[1]) == "7");
    }
  }
  CHECK(open_descriptors() == before);  // the one of SO_PASSPIDFD is closed, too
}

TEST_CASE("recv_fds receives all descriptors, an ordinary recv none", "[fdpass]") {
  const temporary_directory folder;
  std::vector<sk::descriptor> files;
  for (std::size_t i = 0; i < 20; ++i) files.push_back(numbered_file(folder, i));
  auto [a, b] = unix_pair();
  const std::set<int> before = open_descriptors();
  (void)sk::send_fds(a, {"x"}, handles_of(files));
  CHECK(sk::recv_fds(b, 10, 20).flags == 0);
  (void)sk::send_fds(a, {"x"}, handles_of(files));
  CHECK(b.recv(10) == "x");  // an ordinary recv loses them
  CHECK(open_descriptors() == before);
}

TEST_CASE("send_fds honours its flags and address", "[fdpass]") {
  const temporary_directory folder;
  sk::socket receiver(AF_UNIX, SOCK_DGRAM);
  receiver.settimeout(patience);
  receiver.bind(folder / "receiver");
  sk::socket sender(AF_UNIX, SOCK_DGRAM);
  sender.bind(folder / "sender");
  CHECK(sk::send_fds(sender, {"x"}, {0}, 0, folder / "receiver") == 1);
  const auto peeked = sk::recv_fds(receiver, 10, 1, MSG_PEEK);
  CHECK(peeked.data == "x");
  const auto got = sk::recv_fds(receiver, 10, 1);
  CHECK(got.data == "x");
  CHECK(got.from.path() == folder / "sender");
  CHECK(failure_of([&] { return sk::recv_fds(receiver, 10, 1, MSG_OOB); }) ==
        failure("error", EOPNOTSUPP));
}

TEST_CASE("messages without descriptors, and descriptors without data", "[fdpass]") {
  auto [a, b] = unix_pair();
  CHECK(sk::send_fds(a, {"plain"}, {}) == 5);
  const auto plain = sk::recv_fds(b, 10, 3);
  CHECK(plain.data == "plain");
  CHECK(plain.fds.empty());
  CHECK(plain.flags == 0);
  CHECK(failure_of([&a = a] { return sk::send_fds(a, {""}, {0}); }) == "invalid_argument");

  auto [c, d] = unix_pair(SOCK_DGRAM);
  CHECK(sk::send_fds(c, {}, {0}) == 0);
  CHECK(sk::recv_fds(d, 10, 1).fds.size() == 1);
  a.close();
  const auto end = sk::recv_fds(b, 10, 3);
  CHECK(end.data.empty());
  CHECK(end.fds.empty());
}

TEST_CASE("recv_fds waits, and times out", "[fdpass]") {
  auto [a, b] = unix_pair();
  background<std::size_t> waiting([&b = b] { return sk::recv_fds(b, 10, 2).fds.size(); });
  waiting.wait_until_asleep();
  (void)sk::send_fds(a, {"x"}, {0, 1});
  CHECK(waiting.get() == 2);
  b.settimeout(0.01);
  CHECK(failure_of([&b = b] { return sk::recv_fds(b, 10, 2); }) == "timeout");
}

TEST_CASE("running out of descriptors while receiving them leaks none", "[fdpass]") {
  // The kernel delivers only as many descriptors as this process may have open.
  CHECK(in_child([] {
          auto [a, b] = sk::socketpair();
          (void)sk::send_fds(a, {"x"}, std::vector<int>(20, 0));
          std::vector<sk::descriptor> fillers;
          const int highest = *open_descriptors().rbegin();
          do fillers.push_back(sk::dup(0));
          while (fillers.back().get() < highest);  // now there are no gaps
          const std::size_t before = open_descriptors().size();
          rlimit limit{};
          ::getrlimit(RLIMIT_NOFILE, &limit);
          limit.rlim_cur = static_cast<rlim_t>(before) + 5;
          ::setrlimit(RLIMIT_NOFILE, &limit);
          {
            const auto got = sk::recv_fds(b, 10, 20);
            if (got.fds.size() != 5 || got.flags != MSG_CTRUNC) return 1;
          }
          return open_descriptors().size() == before ? 0 : 2;
        }) == 0);
}

TEST_CASE("descriptors to and from Python", "[fdpass]") {
  if (!has_program("python3")) SKIP_TEST("no python3");
  const temporary_directory folder;
  sk::socket s(AF_UNIX);
  s.settimeout(patience);
  s.bind(folder / "s");
  s.listen();
  python_peer peer(R"(
import os
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
data, fds, flags, address = socket.recv_fds(s, 100, 10)
say('data', data.decode())
say('content', ' '.join(os.pread(fd, 10, 0).decode() for fd in fds))
r, w = os.pipe()
socket.send_fds(s, [b'a pipe'], [r, w])
)",
                   {folder / "s"});
  sk::socket conn = s.accept().conn;
  conn.settimeout(patience);
  const sk::descriptor one = numbered_file(folder, 1);
  const sk::descriptor two = numbered_file(folder, 2);
  (void)sk::send_fds(conn, {"two files"}, {two.get(), one.get()});
  CHECK(peer.expect("data") == "two files");
  CHECK(peer.expect("content") == "2 1");
  const auto got = sk::recv_fds(conn, 100, 2);
  CHECK(got.data == "a pipe");
  REQUIRE(got.fds.size() == 2);
  peer.finish();
  CHECK(::write(got.fds[1].get(), "through", 7) == 7);
  char buffer[10];
  CHECK(::read(got.fds[0].get(), buffer, sizeof buffer) == 7);
}
