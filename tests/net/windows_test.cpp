// SPDX-License-Identifier: MIT
// What only Windows has, or does in its own way.
#include <pysock/create.hpp>
#include <pysock/resolver.hpp>

#include <thread>

#include "support/background.hpp"
#include "support/catch.hpp"
#include "support/failure.hpp"
#include "support/sockets.hpp"
#include "support/temporary_directory.hpp"

namespace sk = pysock;
namespace sys = pysock::detail::sys;
using namespace test_support;

namespace {

// Nobody has started Winsock when these are made.
const sk::socket before_main;
const std::string looked_up_before_main = sk::gethostbyname("localhost");

std::error_code winsock_code(int number) { return {number, sys::category()}; }

std::string text_of(const sk::error& e) { return e.what(); }

template <class F>
std::string message_of(const F& f) {
  try {
    f();
  } catch (const sk::error& e) {
    return text_of(e);
  }
  return "none";
}

bool talk(sk::socket& a, sk::socket& b) {
  a.sendall("to b");
  b.sendall("to a");
  return receive(b, 4) == "to b" && receive(a, 4) == "to a";
}

// Why this control cannot be had here; empty if it can.
std::string missing_control(int type, DWORD control, DWORD option) {
  const sk::socket probe(AF_INET, type);
  DWORD written = 0;
  const int outcome = ::WSAIoctl(static_cast<SOCKET>(probe.fileno()), control, &option,
                                 sizeof option, nullptr, 0, &written, nullptr, nullptr);
  return outcome == 0 ? "" : "WSAIoctl fails with " + std::to_string(::WSAGetLastError());
}

}  // namespace

// ---- errors ----

TEST_CASE("every number of Winsock's has its condition", "[windows][M26][M58][M59]") {
  const struct {
    int number;
    std::errc condition;
  } rows[] = {
      {WSAEINTR, std::errc::interrupted},
      {WSAEBADF, std::errc::bad_file_descriptor},
      {WSAEACCES, std::errc::permission_denied},
      {WSAEFAULT, std::errc::bad_address},
      {WSAEINVAL, std::errc::invalid_argument},
      {WSAEMFILE, std::errc::too_many_files_open},
      {WSAEWOULDBLOCK, std::errc::operation_would_block},
      {WSAEWOULDBLOCK, std::errc::resource_unavailable_try_again},
      {WSAEINPROGRESS, std::errc::operation_in_progress},
      {WSAEALREADY, std::errc::connection_already_in_progress},
      {WSAENOTSOCK, std::errc::not_a_socket},
      {WSAENOTSOCK, std::errc::bad_file_descriptor},
      {WSAEDESTADDRREQ, std::errc::destination_address_required},
      {WSAEMSGSIZE, std::errc::message_size},
      {WSAEPROTOTYPE, std::errc::wrong_protocol_type},
      {WSAENOPROTOOPT, std::errc::no_protocol_option},
      {WSAEPROTONOSUPPORT, std::errc::protocol_not_supported},
      {WSAESOCKTNOSUPPORT, std::errc::not_supported},
      {WSAEOPNOTSUPP, std::errc::operation_not_supported},
      {WSAEOPNOTSUPP, std::errc::not_supported},
      {WSAEPFNOSUPPORT, std::errc::address_family_not_supported},
      {WSAEAFNOSUPPORT, std::errc::address_family_not_supported},
      {WSAEADDRINUSE, std::errc::address_in_use},
      {WSAEADDRNOTAVAIL, std::errc::address_not_available},
      {WSAENETDOWN, std::errc::network_down},
      {WSAENETUNREACH, std::errc::network_unreachable},
      {WSAENETRESET, std::errc::network_reset},
      {WSAECONNABORTED, std::errc::connection_aborted},
      {WSAECONNRESET, std::errc::connection_reset},
      {WSAENOBUFS, std::errc::no_buffer_space},
      {WSAEISCONN, std::errc::already_connected},
      {WSAENOTCONN, std::errc::not_connected},
      {WSAESHUTDOWN, std::errc::broken_pipe},
      {WSAETIMEDOUT, std::errc::timed_out},
      {WSAECONNREFUSED, std::errc::connection_refused},
      {WSAELOOP, std::errc::too_many_symbolic_link_levels},
      {WSAENAMETOOLONG, std::errc::filename_too_long},
      {WSAEHOSTDOWN, std::errc::host_unreachable},
      {WSAEHOSTUNREACH, std::errc::host_unreachable},
      {WSAENOTEMPTY, std::errc::directory_not_empty},
      {WSASYSNOTREADY, std::errc::network_down},
      {WSAVERNOTSUPPORTED, std::errc::not_supported},
      {WSAECANCELLED, std::errc::operation_canceled},
      {WSASYSCALLFAILURE, std::errc::io_error},
      {WSA_E_CANCELLED, std::errc::operation_canceled},
      {WSA_OPERATION_ABORTED, std::errc::operation_canceled},
      {WSA_INVALID_HANDLE, std::errc::bad_file_descriptor},
      {WSA_NOT_ENOUGH_MEMORY, std::errc::not_enough_memory},
      {WSA_INVALID_PARAMETER, std::errc::invalid_argument},
      {ERROR_INVALID_FUNCTION, std::errc::invalid_argument},
      {ERROR_FILE_NOT_FOUND, std::errc::no_such_file_or_directory},
      {ERROR_PATH_NOT_FOUND, std::errc::no_such_file_or_directory},
      {ERROR_TOO_MANY_OPEN_FILES, std::errc::too_many_files_open},
      {ERROR_ACCESS_DENIED, std::errc::permission_denied},
      {ERROR_OUTOFMEMORY, std::errc::not_enough_memory},
      {ERROR_SEEK, std::errc::invalid_seek},
      {ERROR_SHARING_VIOLATION, std::errc::permission_denied},
      {ERROR_NOT_SUPPORTED, std::errc::not_supported},
      {ERROR_DEV_NOT_EXIST, std::errc::no_such_device},
      {ERROR_BROKEN_PIPE, std::errc::broken_pipe},
      {ERROR_CALL_NOT_IMPLEMENTED, std::errc::function_not_supported},
      {ERROR_INVALID_NAME, std::errc::no_such_file_or_directory},
      {ERROR_FILENAME_EXCED_RANGE, std::errc::filename_too_long},
  };
  for (const auto& row : rows) {
    CAPTURE(row.number);
    CHECK(winsock_code(row.number) == row.condition);
    CHECK(winsock_code(row.number) != std::errc::argument_list_too_long);
    CHECK(winsock_code(row.number).message().find("error") == std::string::npos);
  }
  for (const int number : std::initializer_list<int>{WSA_IO_INCOMPLETE,
                                                     WSA_IO_PENDING,
                                                     WSAETOOMANYREFS,
                                                     WSAEPROCLIM,
                                                     WSAEUSERS,
                                                     WSAEDQUOT,
                                                     WSAESTALE,
                                                     WSAEREMOTE,
                                                     WSANOTINITIALISED,
                                                     WSAEDISCON,
                                                     WSAENOMORE,
                                                     WSAEINVALIDPROCTABLE,
                                                     WSAEINVALIDPROVIDER,
                                                     WSAEPROVIDERFAILEDINIT,
                                                     WSASERVICE_NOT_FOUND,
                                                     WSATYPE_NOT_FOUND,
                                                     WSA_E_NO_MORE,
                                                     WSAEREFUSED,
                                                     WSAHOST_NOT_FOUND,
                                                     WSATRY_AGAIN,
                                                     WSANO_RECOVERY,
                                                     WSANO_DATA,
                                                     static_cast<int>(ERROR_HANDLE_EOF)}) {
    CAPTURE(number);
    CHECK(winsock_code(number).default_error_condition().category() == sys::category());
    CHECK(winsock_code(number).message().find("Windows error") == std::string::npos);
  }
  CHECK(winsock_code(31337).message() == "Windows error 31337");
}

TEST_CASE("messages have the number that Python shows", "[windows][M26][M58]") {
  sk::socket s;
  s.settimeout(patience);
  const int port = sk::create_server({"127.0.0.1", 0}).getsockname().port();
  const std::string where = "('127.0.0.1', " + std::to_string(port) + ")";
  CHECK(message_of([&] {
          s.connect({"127.0.0.1", port});
        }) == "connect " + where + ": [WinError 10061] Connection refused");
  s.close();
  CHECK(message_of([&] { s.send("x"); }) == "send: [WinError 10038] Not a socket");
  try {
    (void)s.recv(1);
    FAIL("not thrown");
  } catch (const sk::error& e) {
    CHECK(e.errnum() == WSAENOTSOCK);
    CHECK(e.code() == std::errc::bad_file_descriptor);
  }
  CHECK(message_of([] { (void)sk::getaddrinfo("name.invalid", 80); }).find("[Errno 1100") !=
        std::string::npos);
}

TEST_CASE("what Windows lacks says so", "[windows][S27]") {
  CHECK(failure_of([] { sk::sethostname("name"); }) ==
        failure("error", static_cast<int>(std::errc::function_not_supported)));
  if (!why_no_unix().empty()) {
    CHECK(
        message_of([] { sk::socket(AF_UNIX); }) ==
        "socket (AF_UNIX, SOCK_STREAM): [WinError 10047] Address family not supported by protocol");
    return;
  }
  const temporary_directory folder;
  sk::socket server = sk::create_server(folder / "sock", sk::server_options().family(AF_UNIX));
  server.settimeout(patience);
  sk::socket client(AF_UNIX);
  client.connect(folder / "sock");
  sk::socket conn = server.accept().conn;
  CHECK(talk(client, conn));
}

// ---- handles ----

TEST_CASE("Winsock is started by whoever comes first", "[windows]") {
  CHECK(before_main.fileno() >= 0);
  CHECK(looked_up_before_main == "127.0.0.1");
}

TEST_CASE("fileno is the SOCKET, and no number of the C library's", "[windows][S105][S104]") {
  STATIC_REQUIRE(sizeof(sk::native_handle_type) == sizeof(SOCKET));
  const sk::socket s(AF_INET, SOCK_DGRAM);
  int type = 0;
  int size = sizeof type;
  CHECK(::getsockopt(static_cast<SOCKET>(s.fileno()), SOL_SOCKET, SO_TYPE,
                     reinterpret_cast<char*>(&type), &size) == 0);
  CHECK(type == SOCK_DGRAM);
  const sk::socket adopted = sk::from_fileno(sk::socket(AF_INET, SOCK_DGRAM).detach());
  CHECK((adopted.family() == AF_INET && adopted.type() == SOCK_DGRAM &&
         adopted.proto() == IPPROTO_UDP));
}

TEST_CASE("no handle is inheritable, however it came", "[windows][M27]") {
  auto [client, server] = connected();
  auto [a, b] = sk::socketpair();
  const sk::socket copy = client.dup();
  const sk::socket shared = sk::fromshare(client.share(::GetCurrentProcessId()));
  for (const sk::socket* s : std::initializer_list<const sk::socket*>{&client, &server, &a, &b,
                                                                      &copy, &shared, &before_main})
    CHECK_FALSE(s->get_inheritable());
  client.set_inheritable(true);
  CHECK(client.get_inheritable());
  CHECK_FALSE(copy.get_inheritable());
}

TEST_CASE("an accepted connection is in the asked mode, whatever the listener's is",
          "[windows][S95]") {
  sk::socket listener = listening();  // in timeout mode: its handle does not block
  sk::socket client;
  client.connect(listener.getsockname());
  sk::socket conn = listener.accept().conn;
  background<std::string> waiting(
      [&conn] { return conn.recv(10); });  // would fail at once if it did not block
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK_FALSE(waiting.done());
  client.send("now");
  CHECK(waiting.get() == "now");
}

TEST_CASE("a socket is shared with another process, once", "[windows][M8]") {
  auto [client, server] = connected();
  const std::string shared = client.share(::GetCurrentProcessId());
  CHECK(shared.size() == sizeof(WSAPROTOCOL_INFOW));
  sk::socket copy = sk::fromshare(shared);
  copy.settimeout(patience);
  CHECK((copy.family() == AF_INET && copy.type() == SOCK_STREAM));
  CHECK(copy.getpeername() == server.getsockname());
  client.close();
  CHECK(talk(copy, server));
  CHECK(failure_of([] { return sk::fromshare("too short"); }) == "invalid_argument");
  CHECK(failure_of([&server = server] { return server.share(0xFFFFFFF0U); }) != "none");
  const default_timeout_scope limited(2.5);
  CHECK(sk::fromshare(copy.share(::GetCurrentProcessId())).gettimeout() == sk::seconds(2.5));
}

// ---- pairs ----

TEST_CASE("socketpair goes over the loopback", "[windows][M21][M22][S75]") {
  const int family = GENERATE(AF_INET, AF_INET6);
  if (family == AF_INET6 && !host_has_ipv6()) SKIP_TEST("this host has no IPv6 loopback");
  auto [a, b] = sk::socketpair(family);
  a.settimeout(patience);
  b.settimeout(patience);
  CHECK(talk(a, b));
  CHECK(a.getpeername() == b.getsockname());
  CHECK(b.getpeername() == a.getsockname());
  CHECK(a.getsockname().host() == loopback(family));
  CHECK(sk::socketpair().first.family() == AF_INET);
  CHECK(failure_of([] { return sk::socketpair(AF_UNIX); }) == failure("error", EAFNOSUPPORT));
  CHECK(failure_of([] { return sk::socketpair(AF_INET, SOCK_DGRAM); }) != "none");
  CHECK(failure_of([] { return sk::socketpair(AF_INET, SOCK_STREAM, IPPROTO_UDP); }) ==
        failure("error", EPROTONOSUPPORT));
  const default_timeout_scope limited(0.01);
  auto [c, d] = sk::socketpair();
  CHECK(failure_of([&c = c] { return c.recv(1); }) == "timeout");
  CHECK(failure_of([&d = d] { return d.recv(1); }) == "timeout");
}

TEST_CASE("pairs made at the same time do not mix", "[windows][M22]") {
  const auto make_many = [] {
    for (char i = 0; i < 20; ++i) {
      auto [a, b] = sk::socketpair();
      a.settimeout(patience);
      b.settimeout(patience);
      if (!talk(a, b)) return false;
    }
    return true;
  };
  background<bool> first(make_many);
  background<bool> second(make_many);
  CHECK(make_many());
  CHECK(first.get());
  CHECK(second.get());
}

// ---- controls and options ----

TEST_CASE("ioctl takes numbers and keep-alive times", "[windows][M42][M91]") {
  CHECK(RCVALL_OFF == 0);
  CHECK(RCVALL_ON == 1);
  CHECK(RCVALL_SOCKETLEVELONLY == 2);
  CHECK(RCVALL_MAX == 3);
  sk::socket tcp;
  CHECK_NOTHROW(tcp.ioctl(SIO_KEEPALIVE_VALS, {1, 10000, 3000}));
  sk::socket udp(AF_INET, SOCK_DGRAM);
  CHECK(failure_of([&] { udp.ioctl(SIO_RCVALL, RCVALL_ON); }) != "none");  // raw sockets alone
  const std::string missing = missing_control(SOCK_STREAM, SIO_LOOPBACK_FAST_PATH, 1);
  if (!missing.empty()) SKIP_TEST("SIO_LOOPBACK_FAST_PATH: " + missing);
  CHECK_NOTHROW(tcp.ioctl(SIO_LOOPBACK_FAST_PATH, 1));
}

TEST_CASE("TCP options that only some versions have work or are refused as such",
          "[windows][M57]") {
  sk::socket s;
  for (const int name : {3 /* TCP_KEEPIDLE */, 17 /* TCP_KEEPINTVL */, 16 /* TCP_KEEPCNT */}) {
    CAPTURE(name);
    const std::string outcome = failure_of([&] { s.setsockopt(IPPROTO_TCP, name, 7); });
    CHECK((outcome == "none" ? s.getsockopt(IPPROTO_TCP, name) == 7
                             : outcome == failure("error", ENOPROTOOPT)));
  }
}

TEST_CASE("IPV6_V6ONLY is read right, in one byte or four", "[windows][M5]") {
  sk::socket s(AF_INET6);
  s.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, 1);
  CHECK(s.getsockopt(IPPROTO_IPV6, IPV6_V6ONLY) == 1);
  s.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, 0);
  CHECK(s.getsockopt(IPPROTO_IPV6, IPV6_V6ONLY) == 0);
}

TEST_CASE("a server's port is its own", "[windows][M4]") {
  const sk::socket server = sk::create_server({"127.0.0.1", 0});
  CHECK(server.getsockopt(SOL_SOCKET, SO_EXCLUSIVEADDRUSE) != 0);
  sk::socket thief;
  thief.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
  const std::string outcome = failure_of([&] { thief.bind(server.getsockname()); });
  CHECK(
      (outcome == failure("error", EADDRINUSE) || outcome == failure("permission_error", EACCES)));
}

// ---- datagrams ----

TEST_CASE("a datagram that is too long gives what fits", "[windows][S115][S117][M32]") {
  sk::socket a = bound_udp();
  sk::socket b = bound_udp();
  for (int i = 0; i < 5; ++i) a.sendto("0123456789", b.getsockname());
  CHECK(b.recv(4) == "0123");
  const auto [data, from] = b.recvfrom(4);
  CHECK(data == "0123");
  CHECK(from == a.getsockname());
  char room[3];
  char more[2];
  const auto message = b.recvmsg_into({room, more});
  CHECK(message.nbytes == 5);
  CHECK(std::string(room, 3) + std::string(more, 2) == "01234");
  CHECK((message.flags & MSG_TRUNC) != 0);
  CHECK(message.from == a.getsockname());
  CHECK((b.recvmsg(4, 0, MSG_PEEK).flags & MSG_TRUNC) != 0);
  const auto whole = b.recvmsg(10);
  CHECK(whole.data == "0123456789");
  CHECK((whole.flags & MSG_TRUNC) == 0);
  CHECK(b.recvmsg(100).data == "0123456789");
}

TEST_CASE("messages in several buffers", "[windows][M33][M34]") {
  auto [client, server] = connected();
  CHECK(client.sendmsg({"one ", "two ", "three"}) == 13);
  CHECK(receive(server, 13) == "one two three");
  client.sendmsg({"again"});
  const auto got = server.recvmsg(100, 100);
  CHECK(got.data == "again");
  CHECK_FALSE(got.from);
  CHECK(got.ancdata.empty());
}

TEST_CASE("packet options come as control messages", "[windows][M32]") {
  sk::socket a = bound_udp();
  sk::socket b = bound_udp();
  b.setsockopt(IPPROTO_IP, IP_PKTINFO, 1);
  a.sendto("x", b.getsockname());
  const auto got = b.recvmsg(10, sk::cmsg_space(sizeof(in_pktinfo)));
  CHECK(got.data == "x");
  CHECK(got.from == a.getsockname());
  REQUIRE(got.ancdata.size() == 1);
  const sk::control_message message = *got.ancdata.begin();
  CHECK((message.level == IPPROTO_IP && message.type == IP_PKTINFO));
  CHECK(message.as<in_pktinfo>().ipi_addr.s_addr == sk::htonl(std::uint32_t{INADDR_LOOPBACK}));
}

TEST_CASE("an unreachable receiver does not spoil the next receive", "[windows][M42]") {
  sk::socket s = bound_udp();
  const sk::address nobody = bound_udp().getsockname();
  s.sendto("x", nobody);
  sk::socket friendly = bound_udp();
  friendly.sendto("hello", s.getsockname());
  CHECK(s.recv(10) == "hello");
  CHECK_NOTHROW(s.ioctl(SIO_UDP_CONNRESET, 1));
}

// ---- connections ----

TEST_CASE("a connect that waits sees the refusal", "[windows][S102][S128]") {
  const sk::address nobody = sk::create_server({"127.0.0.1", 0}).getsockname();
  sk::socket s;
  s.settimeout(patience);
  CHECK(failure_of([&] { s.connect(nobody); }) ==
        failure("connection_refused_error", ECONNREFUSED));
  sk::socket t;
  t.setblocking(false);
  CHECK(failure_of([&] { t.connect(nobody); }) == failure("blocking_io_error", EAGAIN));
}
