// SPDX-License-Identifier: MIT
// Behaviour and functions that only Windows has.
#include <fcntl.h>
#include <io.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <numeric>
#include <pysock/create.hpp>
#include <pysock/resolver.hpp>
#include <thread>

#include "support/background.hpp"
#include "support/catch.hpp"
#include "support/failure.hpp"
#include "support/files.hpp"
#include "support/sockets.hpp"
#include "support/temporary_directory.hpp"

namespace sk = pysock;
namespace sys = pysock::detail::sys;
using namespace test_support;

// ---- Winsock's functions as the library calls them ----

namespace {

// What the replaced Winsock functions received, and what they answer. Every `scripted_winsock`
// resets all of it.
std::atomic<std::size_t> largest_offer{0};
std::atomic<std::size_t> bytes_taken{0};
std::atomic<std::size_t> memory{SIZE_MAX};  // a larger send fails with WSAENOBUFS
std::atomic<int> refusals{0};               // failures until there is memory again; 0: no limit
std::atomic<bool> readable{false};          // select() reports readiness always

std::atomic<int> retransmissions{-1};  // the number that connect set; -1: none

template <class Function>
Function* winsock_function(const char* name) {
  return reinterpret_cast<Function*>(
      reinterpret_cast<void (*)()>(::GetProcAddress(::GetModuleHandleA("ws2_32.dll"), name)));
}

bool refuse(std::size_t size) {
  for (std::size_t seen = largest_offer; seen < size;) {
    if (largest_offer.compare_exchange_weak(seen, size)) break;
  }
  if (size <= memory) return false;
  if (refusals > 0 && --refusals == 0) memory = SIZE_MAX;
  ::WSASetLastError(WSAENOBUFS);
  return true;
}

int WSAAPI counted_send(SOCKET s, const char* data, int size, int flags) {
  static auto* const real = winsock_function<decltype(counted_send)>("send");
  const int count = refuse(static_cast<std::size_t>(size)) ? -1 : real(s, data, size, flags);
  if (count > 0) bytes_taken += static_cast<std::size_t>(count);
  return count;
}

int WSAAPI counted_sendto(SOCKET s, const char* data, int size, int flags, const sockaddr* address,
                          int address_size) {
  static auto* const real = winsock_function<decltype(counted_sendto)>("sendto");
  return refuse(static_cast<std::size_t>(size)) ? -1
                                                : real(s, data, size, flags, address, address_size);
}

int WSAAPI counted_gather(SOCKET s, WSABUF* buffers, DWORD count, DWORD* sent, DWORD flags,
                          const sockaddr* address, int address_size, OVERLAPPED* overlapped,
                          LPWSAOVERLAPPED_COMPLETION_ROUTINE routine) {
  static auto* const real = winsock_function<decltype(counted_gather)>("WSASendTo");
  const auto size = std::accumulate(buffers, buffers + count, std::size_t{0},
                                    [](std::size_t sum, const WSABUF& b) { return sum + b.len; });
  return refuse(size)
             ? -1
             : real(s, buffers, count, sent, flags, address, address_size, overlapped, routine);
}

int WSAAPI seen_control(SOCKET s, DWORD control, void* in, DWORD in_size, void* out, DWORD out_size,
                        DWORD* returned, OVERLAPPED* overlapped,
                        LPWSAOVERLAPPED_COMPLETION_ROUTINE routine) {
  static auto* const real = winsock_function<decltype(seen_control)>("WSAIoctl");
  if (control == SIO_TCP_INITIAL_RTO)
    retransmissions = static_cast<TCP_INITIAL_RTO_PARAMETERS*>(in)->MaxSynRetransmissions;
  return real(s, control, in, in_size, out, out_size, returned, overlapped, routine);
}

int WSAAPI scripted_select(int count, fd_set* read, fd_set* write, fd_set* failed,
                           const timeval* limit) {
  static auto* const real = winsock_function<decltype(scripted_select)>("select");
  return readable ? 1 : real(count, read, write, failed, limit);
}

}  // namespace

// If the library is linked statically, these definitions replace MinGW's import table entries for
// the library, too.
#if defined(__MINGW32__) && defined(_WIN64) && !defined(PYSOCK_SHARED)
constexpr const char* why_not_scripted = nullptr;
extern "C" {
decltype(&counted_send) __imp_send = &counted_send;
decltype(&counted_sendto) __imp_sendto = &counted_sendto;
decltype(&counted_gather) __imp_WSASendTo = &counted_gather;
decltype(&seen_control) __imp_WSAIoctl = &seen_control;
decltype(&scripted_select) __imp_select = &scripted_select;
}
#else
constexpr const char* why_not_scripted = "the calls of Winsock cannot be replaced in this build";
#endif

namespace {

struct scripted_winsock {
  scripted_winsock() { reset(); }
  scripted_winsock(const scripted_winsock&) = delete;
  scripted_winsock& operator=(const scripted_winsock&) = delete;
  ~scripted_winsock() { reset(); }
  static void reset() {
    largest_offer = bytes_taken = 0;
    refusals = 0;
    retransmissions = -1;
    memory = SIZE_MAX;
    readable = false;
  }
};

// Winsock has not been started when these are constructed.
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

// Why this control does not work here; empty if it does.
std::string missing_control(int type, DWORD control, DWORD option) {
  const sk::socket probe(AF_INET, type);
  DWORD written = 0;
  const int outcome = ::WSAIoctl(static_cast<SOCKET>(probe.fileno()), control, &option,
                                 sizeof option, nullptr, 0, &written, nullptr, nullptr);
  return outcome == 0 ? "" : "WSAIoctl fails with " + std::to_string(::WSAGetLastError());
}

}  // namespace

// ---- errors ----

TEST_CASE("every Winsock error number maps to its std::errc", "[windows]") {
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

TEST_CASE("error messages have the number that Python shows", "[windows]") {
  sk::socket s;
  s.settimeout(patience);
  const int port = sk::create_server({"127.0.0.1", 0}).getsockname().port();
  const std::string where = "('127.0.0.1', " + std::to_string(port) + ")";
  CHECK(message_of([&] {
          s.connect({"127.0.0.1", port});
        }) == "connect " + where + ": [WinError 10061] Connection refused");
  s.close();
  CHECK(message_of([&] { (void)s.send("x"); }) == "send: [WinError 10038] Not a socket");
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

TEST_CASE("functions that Windows lacks report it", "[windows]") {
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

// ---- names and texts ----

TEST_CASE("error numbers without a text in the library have the system's text in UTF-8",
          "[windows][strerror]") {
  constexpr int number = ERROR_DISK_FULL;
  wchar_t wide[256];
  const DWORD size = ::FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS,
                                      nullptr, number, 0, wide, 256, nullptr);
  REQUIRE(size > 0);
  const std::string text = std::filesystem::path(std::wstring(wide, size)).u8string();
  const std::string message = winsock_code(number).message();
  CHECK(text.substr(0, message.size()) == message);
  CHECK(text.size() - message.size() <= 3);  // ".\r\n"
  CHECK(winsock_code(31337).message() == "Windows error 31337");
}

TEST_CASE("names are passed to the resolver and returned as UTF-8", "[windows][getaddrinfo]") {
  const std::string host = sk::gethostname();
  const auto results = sk::getaddrinfo(host, 80, AF_UNSPEC, SOCK_STREAM, 0, AI_CANONNAME);
  REQUIRE_FALSE(results.empty());
  CHECK_FALSE(results.front().canonname.empty());
  for (std::size_t i = 1; i < results.size(); ++i) CHECK(results[i].canonname.empty());
  CHECK(failure_of([] { return sk::getaddrinfo("\xC3\xA9\xC3\xA9.invalid", 80); }) != "none");
  CHECK(failure_of([] { return sk::getaddrinfo("\xFF", 80); }) == failure("gaierror", EAI_NONAME));
  CHECK(failure_of([] { return sk::getaddrinfo("localhost", "\xFF"); }) ==
        failure("gaierror", EAI_SERVICE));
}

TEST_CASE("gethostbyname_ex and gethostbyaddr do not use Winsock's deprecated functions",
          "[windows][gethostbyname_ex]") {
  const sk::host_info by_name = sk::gethostbyname_ex("localhost");
  CHECK_FALSE(by_name.hostname.empty());
  CHECK(by_name.ipaddrlist == std::vector<std::string>{"127.0.0.1"});
  CHECK(by_name.aliaslist.empty());
  const sk::host_info by_number = sk::gethostbyname_ex("127.0.0.1");
  CHECK(by_number.ipaddrlist == std::vector<std::string>{"127.0.0.1"});
  const sk::host_info by_address = sk::gethostbyaddr("127.0.0.1");
  CHECK_FALSE(by_address.hostname.empty());
  CHECK(by_address.ipaddrlist == std::vector<std::string>{"127.0.0.1"});
  const std::string nameless = failure_of([] { return sk::gethostbyaddr("192.0.2.1"); });
  CHECK((nameless == failure("herror", WSAHOST_NOT_FOUND) ||
         nameless == failure("herror", WSATRY_AGAIN)));
  sys::host_entry entry;
  CHECK(sys::gethostbyname("name.invalid", AF_INET, entry) == WSAHOST_NOT_FOUND);
  CHECK(sys::gethostbyname("\xFF", AF_INET, entry) == WSAHOST_NOT_FOUND);
}

// ---- handles ----

TEST_CASE("the first call starts Winsock", "[windows]") {
  CHECK(before_main.fileno() >= 0);
  CHECK(looked_up_before_main == "127.0.0.1");
}

TEST_CASE("fileno is the SOCKET, not a number of the C library", "[windows]") {
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

TEST_CASE("no call returns an inheritable handle", "[windows]") {
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

TEST_CASE("an accepted connection has the requested mode, whatever the listener's is",
          "[windows]") {
  sk::socket listener = listening();  // in timeout mode its handle is non-blocking
  sk::socket client;
  client.connect(listener.getsockname());
  sk::socket conn = listener.accept().conn;
  background<std::string> waiting(
      [&conn] { return conn.recv(10); });  // fails at once if the socket is non-blocking
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK_FALSE(waiting.done());
  (void)client.send("now");
  CHECK(waiting.get() == "now");
}

TEST_CASE("fromshare opens a socket that share described", "[windows]") {
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

TEST_CASE("socketpair connects over the loopback", "[windows]") {
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

TEST_CASE("pairs made at the same time do not mix", "[windows]") {
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

TEST_CASE("ioctl takes numbers and keep-alive times", "[windows]") {
  CHECK(RCVALL_OFF == 0);
  CHECK(RCVALL_ON == 1);
  CHECK(RCVALL_SOCKETLEVELONLY == 2);
  CHECK(RCVALL_MAX == 3);
  sk::socket tcp;
  CHECK_NOTHROW(tcp.ioctl(SIO_KEEPALIVE_VALS, {1, 10000, 3000}));
  sk::socket udp(AF_INET, SOCK_DGRAM);
  CHECK(failure_of([&] { udp.ioctl(SIO_RCVALL, RCVALL_ON); }) != "none");  // only for raw sockets
  const std::string missing = missing_control(SOCK_STREAM, SIO_LOOPBACK_FAST_PATH, 1);
  if (!missing.empty()) SKIP_TEST("SIO_LOOPBACK_FAST_PATH: " + missing);
  CHECK_NOTHROW(tcp.ioctl(SIO_LOOPBACK_FAST_PATH, 1));
}

TEST_CASE("TCP options that only some versions have work or fail with WSAENOPROTOOPT",
          "[windows]") {
  sk::socket s;
  for (const int name : {3 /* TCP_KEEPIDLE */, 17 /* TCP_KEEPINTVL */, 16 /* TCP_KEEPCNT */}) {
    CAPTURE(name);
    const std::string outcome = failure_of([&] { s.setsockopt(IPPROTO_TCP, name, 7); });
    CHECK((outcome == "none" ? s.getsockopt(IPPROTO_TCP, name) == 7
                             : outcome == failure("error", ENOPROTOOPT)));
  }
}

TEST_CASE("IPV6_V6ONLY is read correctly from one byte or four", "[windows]") {
  sk::socket s(AF_INET6);
  s.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, 1);
  CHECK(s.getsockopt(IPPROTO_IPV6, IPV6_V6ONLY) == 1);
  s.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, 0);
  CHECK(s.getsockopt(IPPROTO_IPV6, IPV6_V6ONLY) == 0);
}

TEST_CASE("another process cannot bind a server's port", "[windows]") {
  const sk::socket server = sk::create_server({"127.0.0.1", 0});
  CHECK(server.getsockopt(SOL_SOCKET, SO_EXCLUSIVEADDRUSE) != 0);
  sk::socket thief;
  thief.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
  const std::string outcome = failure_of([&] { thief.bind(server.getsockname()); });
  CHECK(
      (outcome == failure("error", EADDRINUSE) || outcome == failure("permission_error", EACCES)));
}

// ---- sends ----

TEST_CASE("a stream send passes at most 256 KiB to Winsock", "[windows][send]") {
  if (why_not_scripted != nullptr) SKIP_TEST(why_not_scripted);
  const scripted_winsock script;
  const std::string data = pattern(1000000);
  CHECK((arrives(connected(), patience, [&](sk::socket& s) {
           const std::size_t sent = s.send(data);
           CHECK((sent > 0 && sent <= 262144));
           s.sendall(sk::const_bytes(data).after(sent));
         }) == data));
  CHECK(largest_offer == 262144);
  scripted_winsock::reset();
  std::size_t gathered = 0;
  const std::string received = arrives(connected(), std::nullopt, [&](sk::socket& s) {
    const sk::const_bytes all(data);
    gathered = s.sendmsg({sk::const_bytes(all.data(), 200000), all.after(200000)});
  });
  CHECK((received == data.substr(0, gathered)));
  CHECK(gathered == 262144);
  CHECK(largest_offer == 262144);
}

TEST_CASE("a send for which the kernel lacks memory is repeated with less data, then would block",
          "[windows][send]") {
  if (why_not_scripted != nullptr) SKIP_TEST(why_not_scripted);
  const scripted_winsock script;
  const std::string data = pattern(300000);
  const std::string first = data.substr(0, 100000);
  const std::string second = data.substr(100000);
  memory = 20000;
  CHECK((arrives(connected(), patience, [&](sk::socket& s) {
           CHECK(s.send(data) == 16384);
           CHECK(s.sendmsg({first, second}) == 16384);
         }) == data.substr(0, 16384) + data.substr(0, 16384)));
  std::size_t sent = 0;
  const std::string received = arrives(connected(), patience, [&](sk::socket& s) {
    memory = 0;
    refusals = 9;  // every size of the first attempt, and two of the second
    sent = s.sendmsg({first, second});
  });
  CHECK(sent == 65536);
  CHECK((received == data.substr(0, sent)));
  auto [client, server] = connected();
  client.setblocking(false);
  for (const std::size_t nothing : {0, 4095}) {
    memory = nothing;
    CHECK(failure_of([&client = client, &data] { return client.send(data); }) ==
          failure("blocking_io_error", EAGAIN));
    CHECK(failure_of([&client = client, &first, &second] {
            return client.sendmsg({first, second});
          }) == failure("blocking_io_error", EAGAIN));
  }
  memory = 0;
  CHECK(failure_of([&client = client] { return client.send("x"); }) ==
        failure("blocking_io_error", EAGAIN));
  sk::socket udp = bound_udp();
  CHECK(failure_of([&] { return udp.sendto("x", udp.getsockname()); }) ==
        failure("error", ENOBUFS));
  memory = SIZE_MAX;
  CHECK(failure_of([&] { return udp.sendto(data, udp.getsockname()); }) ==
        failure("error", EMSGSIZE));
}

TEST_CASE("sendall to a reader that stops ends in time and reports the bytes sent",
          "[windows][sendall]") {
  auto [client, server] = connected();
  client.settimeout(1);
  const std::string data(std::size_t{256} << 20, 'x');
  background<std::size_t> reading([&server = server] { return receive(server, 1 << 20).size(); });
  std::size_t sent = 0;
  try {
    client.sendall(data);
    FAIL("not thrown");
  } catch (const sk::timeout& e) {
    sent = e.transferred();
  }
  CHECK(reading.get() == std::size_t{1} << 20);
  client.close();
  CHECK(sent == (std::size_t{1} << 20) + drain(server));
  CHECK(sent < data.size() / 2);
}

// ---- files ----

TEST_CASE("sendfile to a peer that resets reports exactly the bytes that Winsock accepted",
          "[windows][sendfile]") {
  if (why_not_scripted != nullptr) SKIP_TEST(why_not_scripted);
  const file_with file(pattern(std::size_t{64} << 20));
  for (const sk::timeout_value mode :
       {sk::timeout_value(std::nullopt), sk::timeout_value(patience)}) {
    auto [client, server] = connected();
    client.settimeout(mode);
    background<bool> reading([&server = server] {
      const bool all = receive(server, 8 << 20).size() == 8 << 20;
      const linger at_once{1, 0};
      server.setsockopt(SOL_SOCKET, SO_LINGER,
                        sk::const_bytes(reinterpret_cast<const char*>(&at_once), sizeof at_once));
      server.close();
      return all;
    });
    const scripted_winsock script;
    std::size_t sent = 0;
    try {
      client.sendfile(file.path);
      FAIL("not thrown");
    } catch (const sk::error& e) {
      CHECK((e.code() == std::errc::connection_reset || e.code() == std::errc::connection_aborted));
      sent = e.transferred();
    }
    CHECK(reading.get());
    CHECK(sent >= std::size_t{8} << 20);
    CHECK(sent < file.content.size());
    CHECK(sent == bytes_taken);
  }
}

TEST_CASE("sendfile takes handles and not the numbers of the C runtime", "[windows][sendfile]") {
  STATIC_REQUIRE_FALSE(std::is_constructible_v<sk::file_source, int>);
  const file_with file("0123456789");
  const int number = ::_open(file.path.c_str(), _O_RDONLY | _O_BINARY);
  REQUIRE(number >= 0);
  const HANDLE handle = reinterpret_cast<HANDLE>(::_get_osfhandle(number));
  CHECK(arrives(connected(), patience, [&](sk::socket& s) {
          s.sendfile(::_get_osfhandle(number), 2, 3);
          s.sendfile(reinterpret_cast<sk::native_handle_type>(handle), 7);
        }) == "234789");
  ::_close(number);
}

TEST_CASE("paths are UTF-8, and may be longer than 260 characters", "[windows][sendfile]") {
  namespace fs = std::filesystem;
  const temporary_directory folder;
  const std::string part = std::string(40, 'd') + "\xD0\xBF\xC3\xA9";
  std::string path = fs::path(folder / "x").parent_path().u8string();
  while (path.size() < 400) {
    path += "\\" + part;
    const std::wstring wide = LR"(\\?\)" + fs::u8path(path).wstring();
    REQUIRE(::CreateDirectoryW(wide.c_str(), nullptr) != 0);
  }
  path += "\\\xE2\x82\xAC";
  const std::wstring wide = LR"(\\?\)" + fs::u8path(path).wstring();
  const HANDLE file =
      ::CreateFileW(wide.c_str(), GENERIC_WRITE, 0, nullptr, CREATE_NEW, 0, nullptr);
  REQUIRE(file != INVALID_HANDLE_VALUE);
  DWORD written = 0;
  CHECK(::WriteFile(file, "content", 7, &written, nullptr) != 0);
  ::CloseHandle(file);
  std::string with_slashes = path;
  std::replace(with_slashes.begin(), with_slashes.end(), '\\', '/');
  std::string with_dots = path;
  with_dots.insert(with_dots.find("\\ddd"), "\\.\\" + part + "\\..");
  for (const std::string& name : {path, R"(\\?\)" + path, with_slashes, with_dots}) {
    CAPTURE(name);
    CHECK(arrives(connected(), patience, [&](sk::socket& s) { s.sendfile(name); }) == "content");
  }
  CHECK(failure_of([&] { return connected().first.sendfile(path + "x"); }) ==
        failure("file_not_found_error", ENOENT));
  CHECK(failure_of([&] { return connected().first.sendfile("\xFF"); }) == failure("error", EILSEQ));
  ::DeleteFileW(wide.c_str());
  for (std::string up = path.substr(0, path.rfind('\\')); up.find("\\ddd") != std::string::npos;
       up = up.substr(0, up.rfind('\\')))
    ::RemoveDirectoryW((LR"(\\?\)" + fs::u8path(up).wstring()).c_str());
}

// ---- receives ----

TEST_CASE("recvmsg returns only flags that describe the message", "[windows][recvmsg]") {
  sk::socket udp = bound_udp();
  (void)udp.sendto("0123456789", udp.getsockname());
  CHECK(udp.recvmsg(10, 0, MSG_PEEK).flags == 0);
  CHECK(udp.recvmsg(10, 100, MSG_PEEK).flags == 0);
  CHECK(udp.recvmsg(4, 0, MSG_PEEK).flags == MSG_TRUNC);
  auto [client, server] = connected();
  client.sendall("0123456789");
  CHECK(server.recvmsg(10, 0, MSG_PEEK).flags == 0);
  server.settimeout(std::nullopt);
  CHECK(server.recvmsg(10, 0, MSG_WAITALL).flags == 0);
}

TEST_CASE("recv_now does not wait if another reader took the data", "[windows][recv]") {
  if (why_not_scripted != nullptr) SKIP_TEST(why_not_scripted);
  auto [client, server] = connected();
  server.settimeout(std::nullopt);
  char data[8];
  const scripted_winsock script;
  readable = true;
  for (int i = 0; i < 3; ++i) {
    CHECK(sys::recv_now(server.fileno(), data, sizeof data) == -WSAEWOULDBLOCK);
    client.sendall("more");
    scripted_winsock::reset();
    REQUIRE(sys::poll(server.fileno(), sys::event::read, 30000) == 1);
    readable = true;
    CHECK(sys::recv_now(server.fileno(), data, sizeof data) == 4);
    CHECK(std::string(data, 4) == "more");
  }
  client.close();
  scripted_winsock::reset();
  CHECK(sys::poll(server.fileno(), sys::event::read, 30000) == 1);
  CHECK(sys::recv_now(server.fileno(), data, sizeof data) == 0);
}

TEST_CASE("two readers that do not wait get every byte once", "[windows][recv]") {
  auto [client, server] = connected();
  server.settimeout(std::nullopt);
  constexpr int bytes = 200;
  std::atomic<int> received{0};
  const auto read = [&received, s = server.fileno()] {
    char byte;
    while (received < bytes) {
      if (sys::recv_now(s, &byte, 1) == 1) ++received;
    }
    return true;
  };
  background<bool> one(read);
  background<bool> other(read);
  for (int i = 0; i < bytes; ++i) client.sendall("x");
  CHECK((one.get() && other.get()));
  CHECK(received == bytes);
  CHECK(sys::recv_now(server.fileno(), &received, 1) == -WSAEWOULDBLOCK);
}

// ---- datagrams ----

TEST_CASE("a datagram that is too long returns the bytes that fit", "[windows]") {
  sk::socket a = bound_udp();
  sk::socket b = bound_udp();
  for (int i = 0; i < 5; ++i) (void)a.sendto("0123456789", b.getsockname());
  CHECK(b.recv(4) == "0123");
  const auto [data, from] = b.recvfrom(4);
  CHECK(data == "0123");
  CHECK(from == a.getsockname());
  char buffer[3];
  char more[2];
  const auto message = b.recvmsg_into({buffer, more});
  CHECK(message.nbytes == 5);
  CHECK(std::string(buffer, 3) + std::string(more, 2) == "01234");
  CHECK((message.flags & MSG_TRUNC) != 0);
  CHECK(message.from == a.getsockname());
  CHECK((b.recvmsg(4, 0, MSG_PEEK).flags & MSG_TRUNC) != 0);
  const auto whole = b.recvmsg(10);
  CHECK(whole.data == "0123456789");
  CHECK((whole.flags & MSG_TRUNC) == 0);
  CHECK(b.recvmsg(100).data == "0123456789");
}

TEST_CASE("messages in several buffers", "[windows]") {
  auto [client, server] = connected();
  CHECK(client.sendmsg({"one ", "two ", "three"}) == 13);
  CHECK(receive(server, 13) == "one two three");
  (void)client.sendmsg({"again"});
  const auto got = server.recvmsg(100, 100);
  CHECK(got.data == "again");
  CHECK_FALSE(got.from);
  CHECK(got.ancdata.empty());
}

TEST_CASE("recvmsg returns packet options as control messages", "[windows]") {
  sk::socket a = bound_udp();
  sk::socket b = bound_udp();
  b.setsockopt(IPPROTO_IP, IP_PKTINFO, 1);
  (void)a.sendto("x", b.getsockname());
  const auto got = b.recvmsg(10, sk::cmsg_space(sizeof(in_pktinfo)));
  CHECK(got.data == "x");
  CHECK(got.from == a.getsockname());
  REQUIRE(got.ancdata.size() == 1);
  const sk::control_message message = *got.ancdata.begin();
  CHECK((message.level == IPPROTO_IP && message.type == IP_PKTINFO));
  CHECK(message.as<in_pktinfo>().ipi_addr.s_addr == sk::htonl(std::uint32_t{INADDR_LOOPBACK}));
}

TEST_CASE("an unreachable receiver does not fail the next receive", "[windows]") {
  sk::socket s = bound_udp();
  const sk::address nobody = bound_udp().getsockname();
  (void)s.sendto("x", nobody);
  sk::socket friendly = bound_udp();
  (void)friendly.sendto("hello", s.getsockname());
  CHECK(s.recv(10) == "hello");
  CHECK_NOTHROW(s.ioctl(SIO_UDP_CONNRESET, 1));
}

// ---- connections ----

TEST_CASE("a connect on the loopback reports the first refusal", "[windows][connect]") {
  if (why_not_scripted != nullptr) SKIP_TEST(why_not_scripted);
  const scripted_winsock script;
  for (const int family : {AF_INET, AF_INET6}) {
    scripted_winsock::reset();
    sk::socket s(family);
    s.settimeout(patience);
    (void)s.connect_ex({loopback(family), 9});
    CHECK((retransmissions == 0xFE || retransmissions == 1));
  }
  scripted_winsock::reset();
  sk::socket udp(AF_INET, SOCK_DGRAM);  // sends nothing
  (void)udp.connect_ex({"192.0.2.1", 9});
  CHECK(retransmissions == -1);
}

TEST_CASE("a connect that waits reports the refusal", "[windows]") {
  const sk::address nobody = sk::create_server({"127.0.0.1", 0}).getsockname();
  sk::socket s;
  s.settimeout(patience);
  CHECK(failure_of([&] { s.connect(nobody); }) ==
        failure("connection_refused_error", ECONNREFUSED));
  sk::socket t;
  t.setblocking(false);
  CHECK(failure_of([&] { t.connect(nobody); }) == failure("blocking_io_error", EAGAIN));
}
