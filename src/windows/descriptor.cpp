// SPDX-License-Identifier: MIT
// Sockets: how they come to be, their flags, and their end.
#include "winsock.hpp"

#include <cstring>
#include <pysock/detail/sockaddr.hpp>

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

using sys::winsock::fail;
using sys::winsock::to_handle;
using sys::winsock::to_native;
using sys::winsock::to_socket;

// Owns a socket while it is being made. A failure it closes for keeps its reason.
class fresh {
 public:
  explicit fresh(native_handle_type s) noexcept : handle_(s) {}
  fresh(const fresh&) = delete;
  fresh& operator=(const fresh&) = delete;
  ~fresh() { close(); }

  [[nodiscard]] native_handle_type get() const noexcept { return handle_; }
  explicit operator bool() const noexcept { return handle_ != invalid_handle; }
  void replace(native_handle_type s) noexcept {
    close();
    handle_ = s;
  }
  native_handle_type release() noexcept {
    const native_handle_type s = handle_;
    handle_ = invalid_handle;
    return s;
  }

 private:
  void close() noexcept {
    if (handle_ == invalid_handle) return;
    const int reason = ::WSAGetLastError();
    ::closesocket(to_socket(handle_));
    ::WSASetLastError(reason);
  }

  native_handle_type handle_;
};

native_handle_type open(int family, int type, int proto, WSAPROTOCOL_INFOW* info) noexcept {
  if (!sys::winsock::started()) return invalid_handle;
  return to_native(
      ::WSASocketW(family, type, proto, info, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT));
}

// One that exists already may come with a handle that is inheritable, whatever the flag says.
native_handle_type open(WSAPROTOCOL_INFOW& info) noexcept {
  fresh made(open(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &info));
  if (!made || sys::set_inheritable(made.get(), false) != 0) return invalid_handle;
  return made.release();
}

// Without this the answer to one datagram, "port unreachable" or "time to live exceeded", fails the
// next receive, whoever it would be from. An older system knows only the first.
void ignore_unreachable(native_handle_type s) noexcept {
  constexpr unsigned long sio_udp_netreset =
      IOC_IN | IOC_VENDOR | 15U;  // older headers have no name for it
  const BOOL off = FALSE;
  sys::ioctl(s, SIO_UDP_CONNRESET, &off, sizeof off);
  sys::ioctl(s, sio_udp_netreset, &off, sizeof off);
}

// ---- a pair of sockets over the loopback ----

constexpr std::int64_t pair_patience =
    10'000'000'000;  // nanoseconds, for a connection within this machine

bool wait_until(std::int64_t deadline, native_handle_type s, sys::event what) noexcept {
  const std::int64_t left = deadline - sys::now();
  if (left <= 0) return fail(WSAETIMEDOUT) == 0;
  const int ready = sys::poll(s, what, static_cast<int>(left / 1000000 + 1));
  if (ready == 0) fail(WSAETIMEDOUT);
  return ready > 0;
}

bool listen_on_loopback(native_handle_type s, int family, sockaddr_any& name,
                        socklen_t& size) noexcept {
  name = sockaddr_any{};
  if (family == AF_INET6) {
    name.in6.sin6_family = AF_INET6;
    name.in6.sin6_addr = in6addr_loopback;
    size = sizeof name.in6;
  } else {
    name.in.sin_family = AF_INET;
    name.in.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    size = sizeof name.in;
  }
  constexpr int backlog = 8;
  const BOOL on = TRUE;
  return sys::setsockopt(s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, &on, sizeof on) == 0 &&
         sys::bind(s, &name.base, size) == 0 && sys::listen(s, backlog) == 0 &&
         sys::getsockname(s, &name.base, &size) == 0;
}

bool is_connected(native_handle_type s) noexcept {
  int outcome = 0;
  socklen_t size = sizeof outcome;
  if (sys::getsockopt(s, SOL_SOCKET, SO_ERROR, &outcome, &size) != 0) return false;
  if (outcome != 0) fail(outcome);
  return outcome == 0;
}

bool same(const sockaddr_any& a, const sockaddr_any& b) noexcept {
  if (a.base.sa_family != b.base.sa_family) return false;
  if (a.base.sa_family == AF_INET6) {
    return a.in6.sin6_port == b.in6.sin6_port &&
           std::memcmp(&a.in6.sin6_addr, &b.in6.sin6_addr, sizeof a.in6.sin6_addr) == 0;
  }
  return a.in.sin_port == b.in.sin_port && a.in.sin_addr.s_addr == b.in.sin_addr.s_addr;
}

// Whether each is what the other is connected to.
bool joined(native_handle_type a, native_handle_type b) noexcept {
  sockaddr_any own{};
  sockaddr_any peer{};
  const auto faces = [&own, &peer](native_handle_type one, native_handle_type other) {
    socklen_t own_size = sizeof own;
    socklen_t peer_size = sizeof peer;
    return sys::getsockname(one, &own.base, &own_size) == 0 &&
           sys::getpeername(other, &peer.base, &peer_size) == 0 && same(own, peer);
  };
  return faces(a, b) && faces(b, a);
}

// Accepts until the connection is the one from `client`: anybody on this machine can connect to the
// listener too, and may come first.
bool accept_only(native_handle_type client, native_handle_type listener, bool nonblocking,
                 std::int64_t deadline, fresh& server) noexcept {
  do {
    if (!wait_until(deadline, listener, sys::event::read)) return false;
    server.replace(sys::accept(listener, nullptr, nullptr, nonblocking));
    const int reason = server ? 0 : ::WSAGetLastError();
    if (reason != 0 && reason != WSAEWOULDBLOCK && reason != WSAECONNRESET)
      return false;  // no affair of one that came and went
  } while (!server || !joined(client, server.get()));
  return true;
}

}  // namespace

native_handle_type sys::socket(int family, int type, int proto, bool nonblocking) noexcept {
  fresh made(open(family, type, proto, nullptr));
  if (!made) return invalid_handle;
  if (nonblocking && set_nonblocking(made.get(), true) != 0) return invalid_handle;
  if (type == SOCK_DGRAM) ignore_unreachable(made.get());
  return made.release();
}

bool sys::socketpair(int family, int type, int proto, bool nonblocking,
                     native_handle_type (&out)[2]) noexcept {
  const int refused = family != AF_INET && family != AF_INET6 ? WSAEAFNOSUPPORT
                      : type != SOCK_STREAM                   ? WSAESOCKTNOSUPPORT
                      : proto != 0                            ? WSAEPROTONOSUPPORT
                                                              : 0;
  if (refused != 0) return fail(refused) == 0;

  const std::int64_t deadline = now() + pair_patience;
  sockaddr_any name;
  socklen_t size = 0;
  const fresh listener(socket(family, type, proto, true));
  if (!listener || !listen_on_loopback(listener.get(), family, name, size)) return false;
  fresh client(socket(family, type, proto, true));
  if (!client || (connect(client.get(), &name.base, size) != 0 && !connect_pending(last_error())))
    return false;
  if (!wait_until(deadline, client.get(), event::connect) || !is_connected(client.get()))
    return false;
  fresh server(invalid_handle);
  if (!accept_only(client.get(), listener.get(), nonblocking, deadline, server)) return false;
  if (set_nonblocking(client.get(), nonblocking) != 0) return false;
  out[0] = server.release();
  out[1] = client.release();
  return true;
}

native_handle_type sys::accept(native_handle_type s, sockaddr* address, socklen_t* size,
                               bool nonblocking) noexcept {
  fresh made(to_native(::accept(to_socket(s), address, size)));
  // The mode both ways: the listener's is handed on.
  if (!made || set_inheritable(made.get(), false) != 0 ||
      set_nonblocking(made.get(), nonblocking) != 0)
    return invalid_handle;
  return made.release();
}

native_handle_type sys::duplicate(native_handle_type s) noexcept {
  WSAPROTOCOL_INFOW info;
  if (::WSADuplicateSocketW(to_socket(s), ::GetCurrentProcessId(), &info) != 0)
    return invalid_handle;
  return open(info);
}

int sys::close(native_handle_type s) noexcept {
  if (::closesocket(to_socket(s)) == 0) return 0;
  const int reason = ::WSAGetLastError();
  // A non-blocking socket that is told to linger is not closed yet.
  if (reason == WSAEWOULDBLOCK && set_nonblocking(s, false) == 0 &&
      ::closesocket(to_socket(s)) == 0)
    return 0;
  return reason == WSAECONNRESET ? 0 : fail(reason);
}

int sys::set_nonblocking(native_handle_type s, bool on) noexcept {
  u_long value = on ? 1 : 0;
  return ::ioctlsocket(to_socket(s), static_cast<long>(FIONBIO), &value);
}

int sys::get_inheritable(native_handle_type s) noexcept {
  if (s == invalid_handle) return fail(WSAENOTSOCK);  // which as a HANDLE means this process
  DWORD flags = 0;
  if (::GetHandleInformation(to_handle(s), &flags) == 0) return -1;
  return (flags & HANDLE_FLAG_INHERIT) != 0 ? 1 : 0;
}

int sys::set_inheritable(native_handle_type s, bool on) noexcept {
  if (s == invalid_handle) return fail(WSAENOTSOCK);
  return ::SetHandleInformation(to_handle(s), HANDLE_FLAG_INHERIT, on ? HANDLE_FLAG_INHERIT : 0) !=
                 0
             ? 0
             : -1;
}

int sys::describe(native_handle_type s, int& family, int& type, int& proto) noexcept {
  if (!winsock::started()) return -1;
  WSAPROTOCOL_INFOW info{};
  int size = sizeof info;
  if (::getsockopt(to_socket(s), SOL_SOCKET, SO_PROTOCOL_INFOW, reinterpret_cast<char*>(&info),
                   &size) != 0)
    return -1;
  family = info.iAddressFamily;
  type = info.iSocketType;
  proto = info.iProtocol;
  return 0;
}

// There are no such flags.
bool sys::strip_type_flags(int& /*type*/) noexcept { return false; }

bool sys::share(native_handle_type s, unsigned long process_id, std::string& out) {
  WSAPROTOCOL_INFOW info;
  if (::WSADuplicateSocketW(to_socket(s), process_id, &info) != 0) return false;
  out.assign(reinterpret_cast<const char*>(&info), sizeof info);
  return true;
}

native_handle_type sys::fromshare(const void* shared) noexcept {
  WSAPROTOCOL_INFOW info;
  std::memcpy(&info, shared, sizeof info);
  return open(info);
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
