// SPDX-License-Identifier: MIT
// Creating sockets, their flags, and closing them.
#include "winsock.hpp"

#include <cstring>
#include <pysock/detail/deadline.hpp>
#include <pysock/detail/sockaddr.hpp>

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

using sys::winsock::outcome;
using sys::winsock::to_handle;
using sys::winsock::to_native;
using sys::winsock::to_socket;

// Owns a socket while it is being made; or holds the negative error number.
class fresh {
 public:
  explicit fresh(native_handle_type s) noexcept : handle_(s) {}
  fresh(const fresh&) = delete;
  fresh& operator=(const fresh&) = delete;
  ~fresh() { close(); }

  [[nodiscard]] native_handle_type get() const noexcept { return handle_; }
  explicit operator bool() const noexcept { return handle_ >= 0; }
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
    if (handle_ >= 0) ::closesocket(to_socket(handle_));
  }

  native_handle_type handle_;
};

native_handle_type open(int family, int type, int proto, WSAPROTOCOL_INFOW* info) noexcept {
  if (!sys::winsock::started()) return outcome(invalid_handle);
  return outcome(to_native(::WSASocketW(family, type, proto, info, 0,
                                        WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT)));
}

// The handle of an existing socket may be inheritable, whatever the flag is.
native_handle_type open(WSAPROTOCOL_INFOW& info) noexcept {
  fresh made(open(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &info));
  const int result = made ? sys::set_inheritable(made.get(), false) : 0;
  return result < 0 ? result : made.release();
}

// Without this the answer to one datagram, "port unreachable" or "time to live exceeded", fails the
// next receive, from any peer. Older systems have only the first control.
void ignore_unreachable(native_handle_type s) noexcept {
  constexpr unsigned long sio_udp_netreset =
      IOC_IN | IOC_VENDOR | 15U;  // older headers do not define it
  const BOOL off = FALSE;
  sys::ioctl(s, SIO_UDP_CONNRESET, &off, sizeof off);
  sys::ioctl(s, sio_udp_netreset, &off, sizeof off);
}

// ---- a pair of sockets over the loopback ----

constexpr std::int64_t pair_patience =
    10'000'000'000;  // nanoseconds, for a connection within this machine

// 0, or the negative error number.
int wait_for(native_handle_type s, sys::event event, deadline& until) noexcept {
  for (;;) {
    const std::int64_t now = until.now();
    const int ready = sys::poll(s, event, until.milliseconds(now));
    if (ready != 0) return ready < 0 ? ready : 0;
    if (until.passed(now)) return -WSAETIMEDOUT;
  }
}

int listen_on_loopback(native_handle_type s, int family, sockaddr_any& name,
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
  int result = sys::setsockopt(s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, &on, sizeof on);
  if (result == 0) result = sys::bind(s, &name.base, size);
  if (result == 0) result = sys::listen(s, backlog);
  if (result == 0) result = sys::getsockname(s, &name.base, &size);
  return result;
}

int connect_to(native_handle_type s, const sockaddr_any& name, socklen_t size,
               deadline& until) noexcept {
  int result = sys::connect(s, &name.base, size);
  if (result == 0 || !sys::connect_pending(-result)) return result;
  result = wait_for(s, sys::event::connect, until);
  if (result < 0) return result;
  int error = 0;
  socklen_t error_size = sizeof error;
  result = sys::getsockopt(s, SOL_SOCKET, SO_ERROR, &error, &error_size);
  return result < 0 ? result : -error;
}

bool same(const sockaddr_any& a, const sockaddr_any& b) noexcept {
  if (a.base.sa_family != b.base.sa_family) return false;
  if (a.base.sa_family == AF_INET6) {
    return a.in6.sin6_port == b.in6.sin6_port &&
           std::memcmp(&a.in6.sin6_addr, &b.in6.sin6_addr, sizeof a.in6.sin6_addr) == 0;
  }
  return a.in.sin_port == b.in.sin_port && a.in.sin_addr.s_addr == b.in.sin_addr.s_addr;
}

// Whether the two are connected to each other.
bool joined(native_handle_type a, native_handle_type b) noexcept {
  sockaddr_any own{};
  sockaddr_any peer{};
  const auto is_peer_of = [&own, &peer](native_handle_type one, native_handle_type other) {
    socklen_t own_size = sizeof own;
    socklen_t peer_size = sizeof peer;
    return sys::getsockname(one, &own.base, &own_size) == 0 &&
           sys::getpeername(other, &peer.base, &peer_size) == 0 && same(own, peer);
  };
  return is_peer_of(a, b) && is_peer_of(b, a);
}

// Accepts until the connection is the one from `client`: any process on this machine can connect to
// the listener, too, and may be first.
int accept_only(native_handle_type client, native_handle_type listener, bool nonblocking,
                deadline& until, fresh& server) noexcept {
  do {
    if (const int result = wait_for(listener, sys::event::read, until); result < 0) return result;
    server.replace(sys::accept(listener, nullptr, nullptr, nonblocking));
    const auto error = server ? 0 : -server.get();
    // A connection that was aborted before it was accepted: try again.
    if (error != 0 && error != WSAEWOULDBLOCK && error != WSAECONNRESET)
      return static_cast<int>(-error);
  } while (!server || !joined(client, server.get()));
  return 0;
}

}  // namespace

native_handle_type sys::socket(int family, int type, int proto, bool nonblocking) noexcept {
  fresh made(open(family, type, proto, nullptr));
  if (!made) return made.release();
  if (nonblocking) {
    if (const int result = set_nonblocking(made.get(), true); result < 0) return result;
  }
  if (type == SOCK_DGRAM) ignore_unreachable(made.get());
  return made.release();
}

int sys::socketpair(int family, int type, int proto, bool nonblocking,
                    native_handle_type (&out)[2]) noexcept {
  if (family != AF_INET && family != AF_INET6) return -WSAEAFNOSUPPORT;
  if (type != SOCK_STREAM) return -WSAESOCKTNOSUPPORT;
  if (proto != 0) return -WSAEPROTONOSUPPORT;

  deadline until(pair_patience);
  until.now();
  sockaddr_any name;
  socklen_t size = 0;
  const fresh listener(socket(family, type, proto, true));
  if (!listener) return static_cast<int>(listener.get());
  int result = listen_on_loopback(listener.get(), family, name, size);
  if (result < 0) return result;
  fresh client(socket(family, type, proto, true));
  if (!client) return static_cast<int>(client.get());
  result = connect_to(client.get(), name, size, until);
  fresh server(invalid_handle);
  if (result == 0) result = accept_only(client.get(), listener.get(), nonblocking, until, server);
  if (result == 0) result = set_nonblocking(client.get(), nonblocking);
  if (result < 0) return result;
  out[0] = server.release();
  out[1] = client.release();
  return 0;
}

native_handle_type sys::accept(native_handle_type s, sockaddr* address, socklen_t* size,
                               bool nonblocking) noexcept {
  fresh made(outcome(to_native(::accept(to_socket(s), address, size))));
  if (!made) return made.release();
  int result = set_inheritable(made.get(), false);
  // Sets blocking mode as well, because the accepted socket inherits the listener's mode.
  if (result == 0) result = set_nonblocking(made.get(), nonblocking);
  return result < 0 ? result : made.release();
}

native_handle_type sys::duplicate(native_handle_type s) noexcept {
  WSAPROTOCOL_INFOW info;
  const int result =
      outcome(::WSADuplicateSocketW(to_socket(s), ::GetCurrentProcessId(), &info) == 0 ? 0 : -1);
  return result < 0 ? result : open(info);
}

int sys::close(native_handle_type s) noexcept {
  int result = outcome(::closesocket(to_socket(s)));
  // A non-blocking socket with SO_LINGER is not closed yet.
  if (result == -WSAEWOULDBLOCK && set_nonblocking(s, false) == 0)
    result = outcome(::closesocket(to_socket(s)));
  return result == -WSAECONNRESET ? 0 : result;
}

int sys::set_nonblocking(native_handle_type s, bool on) noexcept {
  u_long value = on ? 1 : 0;
  return outcome(::ioctlsocket(to_socket(s), static_cast<long>(FIONBIO), &value));
}

// The system does not tell.
int sys::get_nonblocking(native_handle_type /*s*/) noexcept { return 0; }

// (HANDLE)-1 is GetCurrentProcess(), so it is rejected here.
int sys::get_inheritable(native_handle_type s) noexcept {
  DWORD flags = 0;
  if (s < 0) return -WSAENOTSOCK;
  if (::GetHandleInformation(to_handle(s), &flags) == 0) return outcome(-1);
  return (flags & HANDLE_FLAG_INHERIT) != 0 ? 1 : 0;
}

int sys::set_inheritable(native_handle_type s, bool on) noexcept {
  if (s < 0) return -WSAENOTSOCK;
  const DWORD flags = on ? HANDLE_FLAG_INHERIT : 0;
  return outcome(::SetHandleInformation(to_handle(s), HANDLE_FLAG_INHERIT, flags) != 0 ? 0 : -1);
}

int sys::describe(native_handle_type s, int& family, int& type, int& proto) noexcept {
  if (!winsock::started()) return outcome(-1);
  WSAPROTOCOL_INFOW info{};
  int size = sizeof info;
  const int result = outcome(::getsockopt(to_socket(s), SOL_SOCKET, SO_PROTOCOL_INFOW,
                                          reinterpret_cast<char*>(&info), &size));
  if (result < 0) return result;
  family = info.iAddressFamily;
  type = info.iSocketType;
  proto = info.iProtocol;
  return 0;
}

// There are no such flags.
bool sys::strip_type_flags(int& /*type*/) noexcept { return false; }

int sys::share(native_handle_type s, unsigned long process_id, std::string& out) {
  WSAPROTOCOL_INFOW info;
  const int result = outcome(::WSADuplicateSocketW(to_socket(s), process_id, &info) == 0 ? 0 : -1);
  if (result == 0) out.assign(reinterpret_cast<const char*>(&info), sizeof info);
  return result;
}

native_handle_type sys::fromshare(const void* shared) noexcept {
  WSAPROTOCOL_INFOW info;
  std::memcpy(&info, shared, sizeof info);
  return open(info);
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
