// SPDX-License-Identifier: MIT
// sendmsg and recvmsg: several buffers, control messages of many kinds, and flags.
#include <pysock/socket.hpp>

#if __has_include(<sys/socket.h>)
#include <unistd.h>
#endif
#if __has_include(<linux/errqueue.h>)
#include <linux/errqueue.h>
#endif

#include <array>
#include <csignal>
#include <cstddef>
#include <string>
#include <vector>

#include "support/allocations.hpp"
#include "support/background.hpp"
#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/failure.hpp"
#include "support/probes.hpp"
#include "support/process.hpp"
#include "support/python_peer.hpp"
#include "support/raw.hpp"
#include "support/sockets.hpp"
#include "support/temporary_directory.hpp"

namespace sk = pysock;
using namespace test_support;

namespace {

// Two sockets on the loopback, connected to each other.
std::pair<sk::socket, sk::socket> pair_of(int type) {
  if (type == SOCK_STREAM) return connected();
  std::pair<sk::socket, sk::socket> pair{bound_udp(), bound_udp()};
  pair.first.connect(pair.second.getsockname());
  pair.second.connect(pair.first.getsockname());
  return pair;
}

#ifdef SCM_RIGHTS
std::pair<sk::socket, sk::socket> unix_pair(int type) {
  auto pair = sk::socketpair(AF_UNIX, type);
  pair.first.settimeout(patience);
  pair.second.settimeout(patience);
  return pair;
}

// Duplicates of one descriptor, to be passed.
std::vector<int> copies_of(int fd, std::size_t count) {
  std::vector<int> made(count);
  for (int& copy : made) copy = sk::dup(fd).release();
  return made;
}
void close_all(const std::vector<int>& fds) {
  for (const int fd : fds) sk::close(fd);
}
#endif

// Calls the system's sendmsg with one byte and this control message.
std::ptrdiff_t raw_sendmsg(const sk::socket& s, const sk::address& to, void* control,
                           std::size_t control_size) {
  char data[] = "x";
#ifdef WSAID_WSARECVMSG
  WSABUF buffer{1, data};
  WSAMSG message{};
  message.name = const_cast<sockaddr*>(to.data());
  message.namelen = to.size();
  message.lpBuffers = &buffer;
  message.dwBufferCount = 1;
  message.Control.buf = static_cast<char*>(control);
  message.Control.len = static_cast<ULONG>(control_size);
  DWORD sent = 0;
  return ::WSASendMsg(raw(s), &message, 0, &sent, nullptr, nullptr) == 0
             ? static_cast<std::ptrdiff_t>(sent)
             : -1;
#else
  iovec buffer{data, 1};
  msghdr message{};
  message.msg_name = const_cast<sockaddr*>(to.data());
  message.msg_namelen = to.size();
  message.msg_iov = &buffer;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = static_cast<decltype(message.msg_controllen)>(control_size);
  return ::sendmsg(raw(s), &message, 0);
#endif
}

// Why a control message with a number has no effect when it is sent, although it can be received.
// Empty if it has one.
std::string why_no_control(int family, int level, int type, int option) {
  sk::socket a = bound_udp(family);
  sk::socket b = bound_udp(family);
  b.setsockopt(level, option, 1);
  const int wanted = 17;
  alignas(std::max_align_t) char control[64] = {};
  sk::detail::cmsg::write(control, level, type, sk::const_bytes(&wanted, sizeof wanted));
  if (raw_sendmsg(a, b.getsockname(), control, sk::cmsg_space(sizeof wanted)) != 1)
    return because("sendmsg with a control message");
  const auto got = b.recvmsg(10, 100);
  for (const sk::control_message& message : got.ancdata) {
    if (message.level == level && message.type == type && message.as<int>() == wanted) return "";
  }
  return "the system's sendmsg ignores control messages of type " + std::to_string(type) +
         " at level " + std::to_string(level);
}

// Pairs of the families that have sendmsg.
std::vector<std::pair<sk::socket, sk::socket>> pairs_of(std::initializer_list<int> types) {
  std::vector<std::pair<sk::socket, sk::socket>> made;
  for (const int type : types) {
    if (type != SOCK_SEQPACKET) made.push_back(pair_of(type));
#ifdef SCM_RIGHTS
    made.push_back(unix_pair(type));
#endif
  }
  return made;
}

#ifdef IPV6_RECVPKTINFO
constexpr int receive_packet_info = IPV6_RECVPKTINFO;
constexpr int receive_hop_limit = IPV6_RECVHOPLIMIT;
#else  // RFC 2292 has one name for the option and for the message
constexpr int receive_packet_info = IPV6_PKTINFO;
constexpr int receive_hop_limit = IPV6_HOPLIMIT;
#endif

// The data of the one control message of that kind.
sk::control_message only(const sk::ancillary_data& ancdata, int level, int type) {
  REQUIRE(ancdata.size() == 1);
  const sk::control_message found = *ancdata.begin();
  CHECK(found.level == level);
  CHECK(found.type == type);
  return found;
}

}  // namespace

TEST_CASE("sendmsg gathers, recvmsg_into scatters", "[recvmsg]") {
  const std::string head = "head";
  const std::vector<unsigned char> body = {'b', 'o', 'd', 'y'};
  char one[3];
  std::string two(2, '-');
  std::array<std::byte, 100> three{};
  for (auto& [a, b] : pairs_of({SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET})) {
    CAPTURE(a.to_string());
    CHECK(a.sendmsg({head, "", body, "a\0b"}) == 11);
    const auto [nbytes, ancdata, flags, from] = b.recvmsg_into({one, two, three});
    CHECK(nbytes == 11);
    CHECK(std::string(one, 3) + two + std::string(reinterpret_cast<char*>(three.data()), 6) ==
          std::string("headbodya\0b", 11));
    CHECK(ancdata.empty());
#ifdef MSG_EOR
    CHECK((flags & ~MSG_EOR) == 0);
#else
    CHECK(flags == 0);
#endif
    const bool names_sender = a.family() == AF_INET && a.type() == SOCK_DGRAM;
    CHECK(from == (names_sender ? a.getsockname() : sk::address()));
  }
}

TEST_CASE("sendmsg and recvmsg_into report errors as exceptions and as error codes", "[recvmsg]") {
  sk::socket a = bound_udp();
  sk::socket b = bound_udp();
  std::error_code ec = sk::errc::timed_out;
  CHECK(a.sendmsg({"one", "two"}, {}, 0, b.getsockname(), ec) == 6);
  CHECK_FALSE(ec);
  char buffer[10];
  ec = sk::errc::timed_out;
  const auto got = b.recvmsg_into({buffer}, 0, MSG_PEEK, ec);
  CHECK_FALSE(ec);
  CHECK(got.nbytes == 6);
  CHECK(got.from == a.getsockname());
  ec = sk::errc::timed_out;
  CHECK(b.recvmsg_into({buffer}, ec).nbytes == 6);
  CHECK_FALSE(ec);
  CHECK(std::string(buffer, 6) == "onetwo");
  a.connect(b.getsockname());
  ec = sk::errc::timed_out;
  CHECK(a.sendmsg({"three"}, ec) == 5);
  CHECK_FALSE(ec);
  CHECK(b.recvmsg(10).data == "three");

  b.setblocking(false);
  CHECK(b.recvmsg_into({buffer}, 100, 0, ec).nbytes == 0);
  CHECK(ec == std::errc::resource_unavailable_try_again);
  CHECK(failure_of([&b = b] { return b.recvmsg(10); }) == failure("blocking_io_error", EAGAIN));
  b.settimeout(0.01);
  CHECK(b.recvmsg_into({buffer}, 100, 0, ec).nbytes == 0);
  CHECK(ec == sk::errc::timed_out);
  CHECK(failure_of([&b = b] { return b.recvmsg(10); }) == "timeout");
}

TEST_CASE("recvmsg returns the sender of a datagram, and none on a stream", "[recvmsg]") {
  sk::socket a = bound_udp();
  sk::socket b = bound_udp();
  (void)a.sendmsg({"x"}, {}, 0, b.getsockname());
  CHECK(b.recvmsg(10).from == a.getsockname());

  auto [client, server] = connected();
  (void)client.sendmsg({"x"});
  CHECK_FALSE(server.recvmsg(10).from);
}

#ifdef SCM_RIGHTS
TEST_CASE("recvmsg over AF_UNIX returns the sender if it has a name", "[recvmsg]") {
  const temporary_directory folder;
  sk::socket named(AF_UNIX, SOCK_DGRAM);
  named.bind(folder / "named");
  sk::socket receiver(AF_UNIX, SOCK_DGRAM);
  receiver.settimeout(patience);
  receiver.bind(folder / "receiver");
  (void)named.sendmsg({"x"}, {}, 0, folder / "receiver");
  CHECK(receiver.recvmsg(10).from.path() == folder / "named");
  (void)sk::socket(AF_UNIX, SOCK_DGRAM).sendmsg({"x"}, {}, 0, folder / "receiver");
  CHECK_FALSE(receiver.recvmsg(10).from);
}
#endif

TEST_CASE("sendmsg without buffers sends nothing on a stream, and an empty datagram otherwise",
          "[recvmsg]") {
  auto [a, b] = pair_of(SOCK_STREAM);
  CHECK(a.sendmsg({}) == 0);
  a.sendall("x");
  CHECK(b.recv(10) == "x");

  auto [c, d] = pair_of(SOCK_DGRAM);
  CHECK(c.sendmsg({}) == 0);
  CHECK(d.recvmsg(10).data.empty());
  (void)c.send("taken and lost");
  (void)c.send("next");
  const auto got = d.recvmsg_into({});
  CHECK(got.nbytes == 0);
  CHECK((got.flags & MSG_TRUNC) != 0);
  CHECK(d.recvmsg(0).data.empty());  // receives "next", too
  d.settimeout(0.01);
  CHECK(failure_of([&d = d] { return d.recvmsg_into({}); }) == "timeout");
  CHECK(failure_of([&d = d] { return d.recvmsg(0); }) == "timeout");
}

TEST_CASE("a datagram too long for the buffer sets MSG_TRUNC", "[recvmsg]") {
  for (auto& [a, b] : pairs_of({SOCK_DGRAM, SOCK_SEQPACKET})) {
    CAPTURE(a.to_string());
    for (int i = 0; i < 3; ++i) (void)a.send("0123456789");
    const auto cut = b.recvmsg(4);
    CHECK(cut.data == "0123");
    CHECK((cut.flags & MSG_TRUNC) != 0);
    const auto asked = b.recvmsg(4, 0, MSG_TRUNC);  // Linux returns the datagram's full length
    CHECK(asked.data == "0123");
    CHECK((asked.flags & MSG_TRUNC) != 0);
    const auto whole = b.recvmsg(10);
    CHECK(whole.data == "0123456789");
    CHECK((whole.flags & MSG_TRUNC) == 0);
  }
}

TEST_CASE("sendmsg and recvmsg_into take max_buffers buffers and reject one more", "[recvmsg]") {
  auto [a, b] = pair_of(SOCK_DGRAM);
  const std::size_t most = pysock::detail::sys::max_buffers();
  std::vector<std::string> pieces(most, "x");
  CHECK(a.sendmsg(pieces) == most);
  pieces.push_back("x");
  CHECK(failure_of([&a = a, &pieces] { return a.sendmsg(pieces); }) == failure("error", EMSGSIZE));
  std::error_code ec;
  CHECK(b.recvmsg_into(pieces, 0, 0, ec).nbytes == 0);
  CHECK(ec == std::errc::message_size);
  pieces.pop_back();
  CHECK(b.recvmsg_into(pieces).nbytes == most);
}

TEST_CASE("large messages on a stream arrive in order", "[recvmsg]") {
  auto [a, b] = pair_of(SOCK_STREAM);
  std::string data(3000000, '\0');
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 7 + i / 251);
  background<bool> sending([&a = a, &data] {
    sk::const_bytes rest = data;
    while (!rest.empty()) {
      const std::size_t half = rest.size() / 2;
      rest = rest.after(a.sendmsg({sk::const_bytes(rest.data(), half), rest.after(half)}));
    }
    a.shutdown(SHUT_WR);
    return true;
  });
  std::string seen;
  std::vector<std::string> rooms(3, std::string(70001, '\0'));
  for (;;) {
    std::size_t count = b.recvmsg_into(rooms).nbytes;
    if (count == 0) break;
    for (const std::string& buffer : rooms) {
      seen.append(buffer, 0, std::min(count, buffer.size()));
      count -= std::min(count, buffer.size());
    }
  }
  CHECK(sending.get());
  CHECK(seen == data);
}

TEST_CASE("recvmsg and sendmsg report a stream's end and failures", "[recvmsg]") {
  auto [a, b] = pair_of(SOCK_STREAM);
  a.close();
  CHECK(b.recvmsg(10, 100).data.empty());
  char buffer[4];
  CHECK(b.recvmsg_into({buffer}).nbytes == 0);
  b.shutdown(SHUT_WR);
  CHECK(failure_of([&b = b] { return b.sendmsg({"x"}); }) == failure("broken_pipe_error", EPIPE));
  CHECK(failure_of([&a = a] { return a.sendmsg({"x"}); }) == failure("error", EBADF));
  CHECK(failure_of([&a = a] { return a.recvmsg(1); }) == failure("error", EBADF));
  CHECK(failure_of([&a = a, &buffer] { return a.recvmsg_into({buffer}); }) ==
        failure("error", EBADF));
}

#ifdef SIGPIPE
TEST_CASE("sendmsg never raises SIGPIPE", "[recvmsg]") {
  CHECK(in_child([] {
          std::signal(SIGPIPE, SIG_DFL);
          auto [a, b] = sk::socketpair();
          b.close();
          std::error_code ec;
          (void)a.sendmsg({"x"}, ec);
          return ec == std::errc::broken_pipe ? 0 : 1;
        }) == 0);
}
#endif

TEST_CASE("a blocked recvmsg wakes up for data", "[recvmsg]") {
  auto [a, b] = pair_of(SOCK_STREAM);
  for (const sk::timeout_value mode :
       {sk::timeout_value(std::nullopt), sk::timeout_value(patience)}) {
    b.settimeout(mode);
    background<std::string> waiting([&b = b] { return b.recvmsg(10).data; });
    waiting.wait_until_asleep();
    (void)a.sendmsg({"wo", "ken"});
    CHECK(waiting.get() == "woken");
  }
}

TEST_CASE("messages without control data, and waiting for them, allocate nothing", "[recvmsg]") {
  sk::socket a = bound_udp();
  sk::socket b = bound_udp();
  const sk::address to = b.getsockname();
  char one[10];
  char two[10];
  std::error_code ec;
  CHECK(allocations_of([&] {
          (void)a.sendmsg({"one", "two"}, {}, 0, to);
          (void)a.sendmsg({"one", "two"}, {}, 0, to, ec);
          b.recvmsg_into({one, two}, 1000);
          b.recvmsg_into({one, two}, 1000, 0, ec);
        }) == 0);
  CHECK_FALSE(ec);
  b.setblocking(false);
  CHECK(allocations_of([&] { b.recvmsg_into({one, two}, 1000, 0, ec); }) == 0);
  CHECK(ec == std::errc::resource_unavailable_try_again);
  b.settimeout(0.001);
  CHECK(allocations_of([&] { b.recvmsg_into({one, two}, 1000, 0, ec); }) == 0);
  CHECK(ec == sk::errc::timed_out);

  full_connection full;
  CHECK(allocations_of([&] { (void)full.client.sendmsg({"one", "two"}, ec); }) == 0);
  CHECK(ec == std::errc::resource_unavailable_try_again);
}

// ---- control messages ----

#ifdef IP_PKTINFO
TEST_CASE("recvmsg returns packet options as typed control messages", "[recvmsg]") {
  sk::socket a = bound_udp();
  sk::socket b = bound_udp();
  b.setsockopt(IPPROTO_IP, IP_RECVTTL, 1);
  b.setsockopt(IPPROTO_IP, IP_PKTINFO, 1);
  a.setsockopt(IPPROTO_IP, IP_TTL, 41);
  (void)a.sendmsg({"x"}, {}, 0, b.getsockname());
  const auto got = b.recvmsg(10, sk::cmsg_space(sizeof(int)) + sk::cmsg_space(sizeof(in_pktinfo)));
  CHECK((got.flags & MSG_CTRUNC) == 0);
  CHECK(got.ancdata.size() == 2);
  int seen = 0;
  for (const sk::control_message& message : got.ancdata) {
    CHECK(message.level == IPPROTO_IP);
    if (message.type == IP_TTL) seen += message.as<int>() == 41 ? 1 : 0;
    if (message.type == IP_PKTINFO)
      seen += message.as<in_pktinfo>().ipi_addr.s_addr == htonl(INADDR_LOOPBACK) ? 10 : 0;
  }
  CHECK(seen == 11);
}
#endif

TEST_CASE("packet options can be sent as control messages", "[recvmsg]") {
  const std::string missing = why_no_control(AF_INET, IPPROTO_IP, IP_TTL, IP_RECVTTL);
  if (!missing.empty()) SKIP_TEST(missing);
  sk::socket a = bound_udp();
  sk::socket b = bound_udp();
  b.setsockopt(IPPROTO_IP, IP_RECVTTL, 1);
  (void)a.sendmsg({"x"}, {{IPPROTO_IP, IP_TTL, 17}}, 0, b.getsockname());
  CHECK(only(b.recvmsg(10, 100).ancdata, IPPROTO_IP, IP_TTL).as<int>() == 17);
}

TEST_CASE("packet options of IPv6 can be sent as control messages", "[recvmsg]") {
  if (!host_has_ipv6()) SKIP_TEST("no IPv6 loopback");
  const std::string missing =
      why_no_control(AF_INET6, IPPROTO_IPV6, IPV6_HOPLIMIT, receive_hop_limit);
  if (!missing.empty()) SKIP_TEST(missing);
  sk::socket c = bound_udp(AF_INET6);
  sk::socket d = bound_udp(AF_INET6);
  d.setsockopt(IPPROTO_IPV6, receive_hop_limit, 1);
  d.setsockopt(IPPROTO_IPV6, receive_packet_info, 1);
  (void)c.sendmsg({"x"},
                  {{IPPROTO_IPV6, IPV6_HOPLIMIT, 18},
                   {IPPROTO_IPV6, IPV6_PKTINFO, in6_pktinfo{in6addr_loopback, 0}}},
                  0, d.getsockname());
  char buffer[10];
  int seen = 0;
  const auto got = d.recvmsg_into({buffer}, 200);
  for (const auto& message : got.ancdata) {
    if (message.type == IPV6_HOPLIMIT) seen += message.as<int>() == 18 ? 1 : 0;
    if (message.type != IPV6_PKTINFO) continue;
    const auto packet = message.as<in6_pktinfo>();
    seen += IN6_IS_ADDR_LOOPBACK(&packet.ipi6_addr) ? 10 : 0;
  }
  CHECK(seen == 11);
}

TEST_CASE("sending packet options allocates nothing", "[recvmsg]") {
  const std::string reason = why_no_control(AF_INET, IPPROTO_IP, IP_TTL, IP_RECVTTL);
  if (!reason.empty()) SKIP_TEST(reason);
  sk::socket a = bound_udp();
  const sk::socket b = bound_udp();
  const sk::address to = b.getsockname();
  const sk::ancillary_data ttl = {{IPPROTO_IP, IP_TTL, 5}};
  std::error_code ec;
  CHECK(allocations_of([&] {
          (void)a.sendmsg({"one", "two"}, ttl, 0, to);
          (void)a.sendmsg({"one", "two"}, ttl, 0, to, ec);
        }) == 0);
  CHECK_FALSE(ec);
}

#if defined(SO_PASSCRED) && defined(SCM_CREDENTIALS)
TEST_CASE("SCM_CREDENTIALS carry the peer's process and user", "[recvmsg]") {
  auto [a, b] = unix_pair(SOCK_STREAM);
  b.setsockopt(SOL_SOCKET, SO_PASSCRED, 1);
  (void)a.send("x");
  CHECK(only(b.recvmsg(10, sk::cmsg_space(sizeof(ucred))).ancdata, SOL_SOCKET, SCM_CREDENTIALS)
            .as<ucred>()
            .pid == ::getpid());
  const ucred own = {::getpid(), ::getuid(), ::getgid()};
  (void)a.sendmsg({"y"}, {{SOL_SOCKET, SCM_CREDENTIALS, own}});
  CHECK(only(b.recvmsg(10, sk::cmsg_space(sizeof(ucred))).ancdata, SOL_SOCKET, SCM_CREDENTIALS)
            .as<ucred>()
            .uid == ::getuid());
}
#endif

#ifdef SCM_RIGHTS
TEST_CASE("control messages that the system rejects", "[recvmsg]") {
  auto [a, b] = unix_pair(SOCK_STREAM);
  CHECK(failure_of([&a = a] {
          return a.sendmsg({"x"}, {{SOL_SOCKET, 31337, "data"}});
        }) == failure("error", EINVAL));
  CHECK(failure_of([&a = a] {
          return a.sendmsg({"x"}, {{SOL_SOCKET, SCM_RIGHTS, {12345}}});
        }) == failure("error", EBADF));
}
#endif

TEST_CASE("control messages that do not fit are truncated, and the flags have MSG_CTRUNC",
          "[recvmsg]") {
  const std::string reason = why_no_cut_control_message();
  if (!reason.empty()) SKIP_TEST(reason);
  sk::socket a = bound_udp();
  sk::socket b = bound_udp();
  b.setsockopt(IPPROTO_IP, IP_RECVTTL, 1);
  for (int i = 0; i < 4; ++i) (void)a.sendmsg({"x"}, {}, 0, b.getsockname());
  const auto none = b.recvmsg(10, 1);
  CHECK(none.data == "x");
  CHECK(none.ancdata.empty());
  CHECK((none.flags & MSG_CTRUNC) != 0);
  const auto part = b.recvmsg(10, sk::cmsg_len(2));
  CHECK(part.data == "x");
  CHECK((part.flags & MSG_CTRUNC) != 0);
  const sk::control_message message = only(part.ancdata, IPPROTO_IP, IP_TTL);
  CHECK(message.data.size() == 2);
  CHECK(failure_of([&message] { return message.as<int>(); }) == "invalid_argument");
  for (const std::size_t enough : {sk::cmsg_len(sizeof(int)), sk::cmsg_space(sizeof(int))}) {
    const auto whole = b.recvmsg(10, enough);
    CHECK((whole.flags & MSG_CTRUNC) == 0);
    CHECK(only(whole.ancdata, IPPROTO_IP, IP_TTL).data.size() == sizeof(int));
  }
}

#ifdef SCM_RIGHTS
TEST_CASE("control messages without a buffer set MSG_CTRUNC", "[recvmsg]") {
  sk::socket a = bound_udp();
  sk::socket b = bound_udp();
  b.setsockopt(IPPROTO_IP, IP_RECVTTL, 1);
  (void)a.sendmsg({"x"}, {}, 0, b.getsockname());
  const auto none = b.recvmsg(10);
  CHECK(none.ancdata.empty());
  CHECK((none.flags & MSG_CTRUNC) != 0);
}
#endif

// ---- descriptors in control messages ----

#ifdef SCM_RIGHTS
TEST_CASE("received descriptors are not inheritable", "[recvmsg]") {
  const std::set<int> before = open_descriptors();
  {
    auto [a, b] = unix_pair(SOCK_STREAM);
    auto [c, d] = unix_pair(SOCK_STREAM);
    (void)a.sendmsg({"x"}, {{SOL_SOCKET, SCM_RIGHTS, {c.fileno(), d.fileno()}}});
    const auto got = b.recvmsg(10, sk::cmsg_space(2 * sizeof(int)));
    CHECK(got.flags == 0);
    const auto fds = only(got.ancdata, SOL_SOCKET, SCM_RIGHTS).as_array<int>();
    REQUIRE(fds.size() == 2);
    CHECK(is_close_on_exec(fds[0]));
    CHECK(is_close_on_exec(fds[1]));
    sk::socket e = sk::from_fileno(fds[0]);
    sk::socket f = sk::from_fileno(fds[1]);
    (void)c.send("through the copy");
    CHECK(f.recv(100) == "through the copy");
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("two messages of descriptors arrive as one", "[recvmsg]") {
  auto [a, b] = unix_pair(SOCK_STREAM);
  (void)a.sendmsg({"x"}, {{SOL_SOCKET, SCM_RIGHTS, {0, 1}}, {SOL_SOCKET, SCM_RIGHTS, {2}}});
  const auto got = b.recvmsg(10, 100);
  const auto fds = only(got.ancdata, SOL_SOCKET, SCM_RIGHTS).as_array<int>();
  CHECK(fds.size() == 3);
  close_all(fds);
}

TEST_CASE("a buffer too small for descriptors leaks none", "[recvmsg]") {
  auto [a, b] = unix_pair(SOCK_STREAM);
  const std::vector<int> sent = copies_of(0, 20);
  const std::set<int> before = open_descriptors();
  for (const std::size_t buffer : {std::size_t{0}, std::size_t{7}}) {
    CAPTURE(buffer);
    (void)a.sendmsg({"x"}, {{SOL_SOCKET, SCM_RIGHTS, sent}});
    const auto got = b.recvmsg(10, buffer);
    CHECK(got.data == "x");
    CHECK((got.flags & MSG_CTRUNC) != 0);
    CHECK(got.ancdata.empty());
    CHECK(open_descriptors() == before);
  }
  (void)a.sendmsg({"x"}, {{SOL_SOCKET, SCM_RIGHTS, sent}});
  CHECK(b.recv(10) == "x");
  CHECK(open_descriptors() == before);
  close_all(sent);
}

TEST_CASE("a buffer for some of the descriptors leaks none of the others", "[recvmsg]") {
  const std::string reason = why_no_cut_control_message();
  if (!reason.empty()) SKIP_TEST(reason);
  auto [a, b] = unix_pair(SOCK_STREAM);
  const std::vector<int> sent = copies_of(0, 20);
  const std::set<int> before = open_descriptors();
  for (const std::size_t buffer :
       {sk::cmsg_len(0), sk::cmsg_len(3), sk::cmsg_len(4), sk::cmsg_len(19 * 4)}) {
    CAPTURE(buffer);
    (void)a.sendmsg({"x"}, {{SOL_SOCKET, SCM_RIGHTS, sent}});
    const auto got = b.recvmsg(10, buffer);
    CHECK(got.data == "x");
    CHECK((got.flags & MSG_CTRUNC) != 0);
    std::vector<int> fds;
    for (const auto& message : got.ancdata) fds = message.as_array<int>();
    CHECK(fds.size() == (buffer < sk::cmsg_len(4) ? 0 : (buffer - sk::cmsg_len(0)) / sizeof(int)));
    close_all(fds);
    CHECK(open_descriptors() == before);
  }
  close_all(sent);
}

TEST_CASE("the padding of cmsg_space holds another descriptor", "[recvmsg]") {
  if (sk::cmsg_space(sizeof(int)) != sk::cmsg_len(2 * sizeof(int)))
    SKIP_TEST("this ABI has no padding there");
  auto [a, b] = unix_pair(SOCK_STREAM);
  (void)a.sendmsg({"x"}, {{SOL_SOCKET, SCM_RIGHTS, {0, 1}}});
  const auto both = b.recvmsg(10, sk::cmsg_space(sizeof(int)));
  CHECK(only(both.ancdata, SOL_SOCKET, SCM_RIGHTS).as_array<int>().size() == 2);
  close_all(both.ancdata.begin()->as_array<int>());
}

TEST_CASE("cmsg_len has no space for another descriptor", "[recvmsg]") {
  const std::string reason = why_no_cut_control_message();
  if (!reason.empty()) SKIP_TEST(reason);
  auto [a, b] = unix_pair(SOCK_STREAM);
  (void)a.sendmsg({"x"}, {{SOL_SOCKET, SCM_RIGHTS, {0, 1}}});
  const auto one = b.recvmsg(10, sk::cmsg_len(sizeof(int)));
  CHECK((one.flags & MSG_CTRUNC) != 0);
  CHECK(only(one.ancdata, SOL_SOCKET, SCM_RIGHTS).as_array<int>().size() == 1);
  close_all(one.ancdata.begin()->as_array<int>());
}

TEST_CASE("descriptors without data are lost on a stream", "[recvmsg]") {
  auto [a, b] = unix_pair(SOCK_STREAM);
  CHECK(a.sendmsg({}, {{SOL_SOCKET, SCM_RIGHTS, {0}}}) == 0);
  (void)a.send("x");
  CHECK(b.recvmsg(10, 100).ancdata.empty());
}
#endif

// ---- flags ----

#ifdef MSG_CMSG_CLOEXEC
TEST_CASE("MSG_CMSG_CLOEXEC is returned if the caller passed it", "[recvmsg]") {
  auto [a, b] = unix_pair(SOCK_DGRAM);
  (void)a.send("x");
  (void)a.send("x");
  CHECK(b.recvmsg(10).flags == 0);
  CHECK(b.recvmsg(10, 0, MSG_CMSG_CLOEXEC).flags == MSG_CMSG_CLOEXEC);
}
#endif

#if defined(MSG_MORE) && defined(MSG_CONFIRM) && defined(MSG_NOSIGNAL)
TEST_CASE("MSG_MORE, MSG_CONFIRM and MSG_NOSIGNAL are passed on", "[recvmsg]") {
  sk::socket a = bound_udp();
  sk::socket b = bound_udp();
  a.connect(b.getsockname());
  CHECK(a.sendmsg({"one "}, {}, MSG_MORE) == 4);
  CHECK(a.sendmsg({"datagram"}, {}, MSG_CONFIRM | MSG_NOSIGNAL) == 8);
  CHECK(b.recv(100) == "one datagram");
}
#endif

#if defined(MSG_ERRQUEUE) && defined(IP_RECVERR) && __has_include(<linux/errqueue.h>)
TEST_CASE("MSG_ERRQUEUE returns the failed datagram", "[recvmsg]") {
  sk::socket nobody = bound_udp();
  const sk::address gone = nobody.getsockname();
  nobody.close();
  sk::socket a(AF_INET, SOCK_DGRAM);
  a.settimeout(patience);
  a.setsockopt(IPPROTO_IP, IP_RECVERR, 1);
  (void)a.sendto("refused", gone);
  const auto got = a.recvmsg(100, 512, MSG_ERRQUEUE);
  CHECK(got.data == "refused");
  CHECK((got.flags & MSG_ERRQUEUE) != 0);
  CHECK(got.from == gone);
  const auto reason = only(got.ancdata, IPPROTO_IP, IP_RECVERR).as<sock_extended_err>();
  CHECK(reason.ee_errno == ECONNREFUSED);
  CHECK(reason.ee_origin == SO_EE_ORIGIN_ICMP);
}
#endif

// ---- with Python ----

#ifdef SCM_RIGHTS
TEST_CASE("messages to and from Python", "[recvmsg]") {
  if (!has_program("python3")) SKIP_TEST("no python3");
  const temporary_directory folder;
  sk::socket s(AF_UNIX, SOCK_SEQPACKET);
  s.settimeout(patience);
  s.bind(folder / "s");
  s.listen();
  python_peer peer(R"(
import os, struct
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(sys.argv[1])
data, anc, flags, address = s.recvmsg(100, socket.CMSG_SPACE(8))
say('data', data.decode())
level, kind, fds = anc[0]
say('item', f'{level} {kind} {len(fds)}')
os.write(struct.unpack('ii', fds)[1], b'from Python')
r, w = os.pipe()
s.sendmsg([b'three', b'', b'pieces'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack('i', r))])
os.write(w, b'in the pipe')
)",
                   {folder / "s"});
  sk::socket conn = s.accept().conn;
  conn.settimeout(patience);
  auto [a, b] = unix_pair(SOCK_STREAM);
  (void)conn.sendmsg({"two", " ", "pieces"}, {{SOL_SOCKET, SCM_RIGHTS, {a.fileno(), b.fileno()}}});
  CHECK(peer.expect("data") == "two pieces");
  CHECK(peer.expect("item") ==
        std::to_string(SOL_SOCKET) + " " + std::to_string(SCM_RIGHTS) + " 8");
  CHECK(a.recv(100) == "from Python");
  const auto got = conn.recvmsg(100, sk::cmsg_space(sizeof(int)));
  CHECK(got.data == "threepieces");
  const sk::descriptor pipe(only(got.ancdata, SOL_SOCKET, SCM_RIGHTS).as<int>());
  CHECK(is_close_on_exec(pipe.get()));
  peer.finish();
  char buffer[100];
  CHECK(std::string(buffer, static_cast<std::size_t>(::read(pipe.get(), buffer, sizeof buffer))) ==
        "in the pipe");
}
#endif
