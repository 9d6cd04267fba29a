// SPDX-License-Identifier: MIT
#include <pysock/fdpass.hpp>

#include <array>
#include <cerrno>
#include <string>
#include <vector>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/failure.hpp"
#include "support/fake_sys.hpp"

using fake::called;
using fake::fails;
using fake::lines;
using pysock::cmsg_len;
using pysock::cmsg_space;
using pysock::native_handles;
using pysock::recv_fds;
using pysock::send_fds;
using test_support::failure;
using test_support::failure_of;

namespace {

std::vector<int> passed(const std::string& control) {
  const pysock::ancillary_view view{pysock::const_bytes(control)};
  if (view.empty()) return {};
  CHECK(view.begin()->level == SOL_SOCKET);
  CHECK(view.begin()->type == SCM_RIGHTS);
  return view.begin()->as_array<int>();
}

}  // namespace

TEST_CASE("descriptors to pass come from lists and ranges") {
  const auto count = [](const native_handles& handles) { return handles.size(); };
  const int array[] = {1, 2};
  std::vector<int> vector = {1, 2, 3};
  CHECK(count({}) == 0);
  CHECK(native_handles().empty());
  CHECK(count({7}) == 1);
  CHECK(count(array) == 2);
  CHECK(count(vector) == 3);
  CHECK(count(std::array{1, 2, 3, 4}) == 4);
  CHECK(count({vector.data(), 2}) == 2);
  CHECK(*native_handles(vector).data() == 1);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<int, native_handles>);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<std::vector<long>, native_handles>);
}

TEST_CASE("send_fds sends one control message of descriptors, with its flags and address") {
  const fake::session session;
  pysock::socket s(AF_UNIX, SOCK_DGRAM);
  CHECK(send_fds(s, {"data"}, {3, 4, 5}, MSG_DONTROUTE, "/tmp/s") == 4);
  CHECK(fake::log("sendmsg") ==
        lines{called("sendmsg", s.fileno(), 4, cmsg_space(12), MSG_DONTROUTE, "unix:/tmp/s")});
  CHECK(passed(fake::sent_messages().front().control) == std::vector<int>{3, 4, 5});
}

TEST_CASE("send_fds without descriptors is an ordinary message") {
  const fake::session session;
  pysock::socket s(AF_UNIX);
  CHECK(send_fds(s, {"a", "b"}, {}) == 2);
  CHECK(send_fds(s, {}, {}) == 0);
  CHECK(fake::log("sendmsg") == lines{called("sendmsg", s.fileno(), 2, 0, 0, "null"),
                                      called("sendmsg", s.fileno(), 0, 0, 0, "null")});
}

TEST_CASE("send_fds refuses descriptors without data on a stream, where they would be lost") {
  const fake::session session;
  pysock::socket stream(AF_UNIX);
  CHECK(failure_of([&] { return send_fds(stream, {}, {3}); }) == "invalid_argument");
  CHECK(failure_of([&] { return send_fds(stream, {"", ""}, {3}); }) == "invalid_argument");
  CHECK(fake::count("sendmsg") == 0);
  pysock::socket datagram(AF_UNIX, SOCK_DGRAM);
  CHECK(send_fds(datagram, {}, {3}) == 0);
  CHECK(passed(fake::sent_messages().front().control) == std::vector<int>{3});
}

TEST_CASE("recv_fds returns owners that are not inheritable") {
  const fake::session session;
  {
    pysock::socket s(AF_UNIX);
    fake::on_recvmsg({fake::gives("data").with_descriptors(2).with_flags(MSG_EOR).from(
        fake::unix_path("/tmp/s"))});
    const auto [data, fds, flags, from] = recv_fds(s, 10, 2, MSG_OOB);
    CHECK(data == "data");
    REQUIRE(fds.size() == 2);
    CHECK_FALSE(fake::is_inheritable(fds[0].get()));
    CHECK_FALSE(fake::is_inheritable(fds[1].get()));
    CHECK(flags == MSG_EOR);
    CHECK(from.path() == "/tmp/s");
    CHECK(fake::log("recvmsg") ==
          lines{called("recvmsg", s.fileno(), 10,
                       cmsg_len(2 * sizeof(int)) + pysock::detail::max_added_messages,
                       MSG_OOB | pysock::detail::sys::cloexec_flag())});
  }
  CHECK(fake::problems() == lines{});
}

TEST_CASE("recv_fds never returns more descriptors than requested, and leaks none") {
  for (const std::size_t most : {0U, 1U, 2U, 3U, 10U}) {
    for (const std::size_t sent : {0U, 1U, 2U, 3U, 253U}) {
      CAPTURE(most, sent);
      const fake::session session;
      {
        pysock::socket s(AF_UNIX);
        fake::on_recvmsg({fake::gives("x").with_descriptors(sent)});
        const auto got = recv_fds(s, 10, most);
        CHECK(got.fds.size() == std::min(most, sent));
        CHECK((got.flags == MSG_CTRUNC) == (sent > most));
      }
      CHECK(fake::problems() == lines{});
    }
  }
}

TEST_CASE("recv_fds gathers descriptors from all messages, and only those") {
  const fake::session session;
  std::vector<fake::handle> fds;
  const auto bytes_of_next = [&fds] {
    fds.push_back(fake::adopt());
    return std::string(reinterpret_cast<const char*>(&fds.back()), sizeof fds.back());
  };
  {
    pysock::socket s(AF_UNIX);
    fake::on_recvmsg({fake::gives("x")
                          .with_control(SOL_SOCKET, SCM_RIGHTS, bytes_of_next())
                          .with_control(1234, SCM_RIGHTS, bytes_of_next())
                          .with_control(SOL_SOCKET, SCM_RIGHTS, bytes_of_next())});
    const auto got = recv_fds(s, 10, 20);
    REQUIRE(got.fds.size() == 2);
    CHECK(got.fds[0].get() == fds[0]);
    CHECK(got.fds[1].get() == fds[2]);
  }
  CHECK(fake::is_open(fds[1]));
  CHECK_FALSE(fake::is_open(fds[0]));
  CHECK_FALSE(fake::is_open(fds[2]));
}

TEST_CASE("recv_fds receives descriptors behind other control messages", "[recv_fds]") {
  const fake::session session;
  {
    pysock::socket s(AF_UNIX);
    fake::on_recvmsg({fake::gives("x")
                          .with_control(SOL_SOCKET, 1000, std::string(4096, 'l'))  // SCM_SECURITY
                          .with_control(SOL_SOCKET, 1001, std::string(48, 't'))    // time stamps
                          .with_control(SOL_SOCKET, 1002, std::string(12, 'c'))    // credentials
                          .with_descriptors(3)});
    const auto got = recv_fds(s, 10, 3);
    CHECK(got.fds.size() == 3);
    CHECK(got.flags == 0);
  }
  CHECK(fake::problems() == lines{});
}

TEST_CASE("recv_fds closes the pidfd that SO_PASSPIDFD adds", "[recv_fds]") {
  const int type = pysock::detail::pidfd_message;
  if (type < 0) SKIP_TEST("the system has no SO_PASSPIDFD");
  const fake::session session;
  const auto pidfd = static_cast<int>(fake::adopt());
  const auto bytes = [](int number) {
    return std::string(reinterpret_cast<const char*>(&number), sizeof number);
  };
  {
    pysock::socket s(AF_UNIX);
    fake::on_recvmsg(
        {fake::gives("x").with_control(SOL_SOCKET, type, bytes(pidfd)).with_descriptors(1),
         fake::gives("x").with_control(SOL_SOCKET, type, bytes(-3)).with_descriptors(1)});
    CHECK(recv_fds(s, 10, 5).fds.size() == 1);
    CHECK_FALSE(fake::is_open(pidfd));
    CHECK(recv_fds(s, 10, 5).fds.size() == 1);  // an error number in place of the pidfd
  }
  CHECK(fake::problems() == lines{});
}

TEST_CASE("recv_fds refuses invalid counts") {
  const fake::session session;
  pysock::socket s(AF_UNIX);
  CHECK(failure_of([&] { return recv_fds(s, 10, static_cast<std::size_t>(-1)); }) ==
        "out_of_range");
  CHECK(failure_of([&] { return recv_fds(s, 10, 536870912); }) == "out_of_range");
  CHECK(failure_of([&] { return recv_fds(s, static_cast<std::size_t>(-1), 1); }) ==
        "invalid_argument");
  CHECK(fake::count("recvmsg") == 0);
}

TEST_CASE("recv_fds receives nothing if it cannot allocate the owners of the descriptors",
          "[recv_fds]") {
  const std::size_t largest = (pysock::detail::max_ancillary - pysock::cmsg_len(0)) / sizeof(int);
  const fake::session session;
  {
    pysock::socket s(AF_UNIX);
    fake::on_recvmsg({fake::gives("x").with_descriptors(1)});
    for (const std::size_t most : {std::size_t{1}, largest}) {
      CAPTURE(most);
      CHECK(test_support::fails_to_allocate(1, [&] { (void)recv_fds(s, 10, most); }));
      CHECK(fake::count("recvmsg") == 0);
    }
    CHECK(recv_fds(s, 10, 1).fds.size() == 1);
  }
  CHECK(fake::problems() == lines{});
}

TEST_CASE("recv_fds waits according to the socket's mode") {
  const fake::session session;
  pysock::socket s(AF_UNIX);
  s.settimeout(0.5);
  fake::on_recvmsg({fails(EAGAIN), fails(EINTR), fake::gives("x").with_descriptors(1)});
  fake::on_poll({fake::ready_after(20)});
  CHECK(recv_fds(s, 10, 1).fds.size() == 1);
  fake::on_recvmsg({fails(EAGAIN)});
  fake::on_poll({fake::times_out()});
  CHECK(failure_of([&] { return recv_fds(s, 10, 1); }) == "timeout");
  s.setblocking(false);
  fake::on_recvmsg({fails(EAGAIN)});
  CHECK(failure_of([&] { return recv_fds(s, 10, 1); }) == failure("blocking_io_error", EAGAIN));
}
