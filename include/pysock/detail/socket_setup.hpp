// SPDX-License-Identifier: MIT
// Bodies of the socket's other calls: opening, connecting, options, closing.
#pragma once

#include <climits>  // INT_MAX, INT_MIN

#include "../names.hpp"
#include "../socket.hpp"

namespace pysock {
inline namespace v1 {

// ---- life ----

inline socket::socket(int family, int type, int proto)
    : socket(invalid_handle, family, type, proto, detail::default_timeout()) {
  if (detail::sys::strip_type_flags(type_)) timeout_.store(0, std::memory_order_relaxed);
  const native_handle_type handle =
      detail::sys::socket(family, type_, proto, timeout_nanoseconds() >= 0);
  if (handle == invalid_handle)
    detail::throw_last("socket (" + family_name(family) + ", " + type_name(type_) + ")");
  handle_.store(handle, std::memory_order_relaxed);
}

inline socket::socket(socket&& other) noexcept
    : handle_(other.detach()),
      must_wait_(other.must_wait_.load(std::memory_order_relaxed)),
      timeout_(other.timeout_nanoseconds()),
      family_(other.family_),
      type_(other.type_),
      proto_(other.proto_),
      hook_(other.hook_),
      hook_data_(other.hook_data_) {}

inline socket& socket::operator=(socket&& other) noexcept {
  if (this == &other) return *this;
  close_quietly();
  handle_.store(other.detach(), std::memory_order_relaxed);
  must_wait_.store(other.must_wait_.load(std::memory_order_relaxed), std::memory_order_relaxed);
  timeout_.store(other.timeout_nanoseconds(), std::memory_order_relaxed);
  family_ = other.family_;
  type_ = other.type_;
  proto_ = other.proto_;
  hook_ = other.hook_;
  hook_data_ = other.hook_data_;
  return *this;
}

inline native_handle_type socket::detach() noexcept {
  const native_handle_type handle = fileno();
  handle_.store(invalid_handle, std::memory_order_relaxed);
  return handle;
}

inline void socket::close_quietly() noexcept {
  must_wait_.store(false, std::memory_order_relaxed);
  const native_handle_type handle = detach();
  if (handle != invalid_handle) detail::sys::close(handle);
}

inline void socket::close() {
  must_wait_.store(false, std::memory_order_relaxed);
  const native_handle_type handle = detach();
  if (handle != invalid_handle && detail::sys::close(handle) < 0) detail::throw_last("close");
}

inline socket socket::dup() const {
  const native_handle_type copy = detail::sys::duplicate(fileno());
  if (copy == invalid_handle) detail::throw_last("dup");
  socket made(copy, family_, type_, proto_, timeout_nanoseconds());
  made.set_interrupt_hook(hook_, hook_data_);
  return made;
}

inline socket socket::wrap(const char* operation, native_handle_type fd, int family, int type,
                           int proto) {
  int seen_family = AF_UNSPEC;
  int seen_type = 0;
  int seen_proto = 0;
  const std::int64_t timeout = detail::default_timeout();
  if (detail::sys::describe(fd, seen_family, seen_type, seen_proto) < 0)
    detail::throw_last(operation);
  if (timeout >= 0 && detail::sys::set_nonblocking(fd, true) < 0) detail::throw_last(operation);
  return socket(fd, family < 0 ? seen_family : family, type < 0 ? seen_type : type,
                proto < 0 ? seen_proto : proto, timeout);
}

inline socket fromfd(native_handle_type fd, int family, int type, int proto) {
  descriptor copy(detail::sys::duplicate(fd));
  if (!copy) detail::throw_last("fromfd");
  socket made = socket::wrap("fromfd", copy.get(), family, type, proto);
  (void)copy.release();
  return made;
}

inline socket from_fileno(native_handle_type fd, int family, int type, int proto) {
  if (fd < 0) detail::throw_error(bad_argument::negative_descriptor, "from_fileno");
  return socket::wrap("from_fileno", fd, family, type, proto);
}

#ifdef FROM_PROTOCOL_INFO
inline std::string socket::share(unsigned long process_id) const {
  std::string shared;
  if (!detail::sys::share(fileno(), process_id, shared)) detail::throw_last("share");
  return shared;
}

inline socket fromshare(const_bytes info) {
  if (info.size() != sizeof(::WSAPROTOCOL_INFOW))
    detail::throw_error(bad_argument::share_length, "fromshare");
  descriptor made(detail::sys::fromshare(info.data()));
  if (!made) detail::throw_last("fromshare");
  socket s = from_fileno(made.get());
  (void)made.release();
  return s;
}
#endif

inline std::pair<socket, socket> socketpair(int family, int type, int proto) {
  const std::int64_t timeout = detail::sys::strip_type_flags(type) ? 0 : detail::default_timeout();
  native_handle_type ends[2] = {invalid_handle, invalid_handle};
  if (!detail::sys::socketpair(family, type, proto, timeout >= 0, ends))
    detail::throw_last("socketpair");
  return {socket(ends[0], family, type, proto, timeout),
          socket(ends[1], family, type, proto, timeout)};
}

// ---- connections ----

inline accept_result socket::accepted(native_handle_type handle, std::int64_t timeout,
                                      detail::sockaddr_view from) const noexcept {
  accept_result result{socket(handle, family_, type_, proto_, timeout), address(from)};
  if (from.size == 0 && family_ == AF_UNIX) result.address = unix_address();
  result.conn.set_interrupt_hook(hook_, hook_data_);
  return result;
}

inline accept_result socket::accept(std::error_code& ec) noexcept {
  detail::sockaddr_any from;
  socklen_t size = 0;
  const std::int64_t timeout = detail::default_timeout();
  const auto op = [&from, &size, timeout, s = fileno()]() -> std::ptrdiff_t {
    size = sizeof from;
    return static_cast<std::ptrdiff_t>(detail::sys::accept(s, &from.base, &size, timeout >= 0));
  };
  std::ptrdiff_t handle = op();
  ec.clear();
  if (handle < 0) {
    const detail::call_context calling = context();
    detail::wait_loop loop(calling, detail::sys::event::read);
    handle = detail::complete(loop, true, op, ec);
  }
  if (handle < 0) return accept_result{socket(nullptr), address()};
  return accepted(static_cast<native_handle_type>(handle), timeout, {&from.base, size});
}

inline accept_result socket::accept() {
  std::error_code ec;
  accept_result result = accept(ec);
  if (ec) detail::throw_failed(ec, "accept", nullptr);
  return result;
}

inline void socket::bind(const address& local) {
  endpoint storage;
  std::error_code ec;
  const detail::sockaddr_view target = detail::fit(local, family_, storage, ec);
  if (target.size == 0) detail::throw_failed(ec, "bind", &local);
  if (detail::sys::bind(fileno(), target.data, target.size) < 0)
    detail::throw_failed(detail::last_code(), "bind", &local);
}

inline void socket::connect(const address& remote, std::error_code& ec) noexcept {
  endpoint storage;
  const detail::sockaddr_view target = detail::fit(remote, family_, storage, ec);
  if (target.size != 0) detail::connect(context(), target, ec);
}

inline void socket::connect(const address& remote) {
  std::error_code ec;
  connect(remote, ec);
  if (ec) detail::throw_failed(ec, "connect", &remote);
}

inline int socket::connect_ex(const address& remote) {
  std::error_code ec;
  connect(remote, ec);
  if (!ec) return 0;
  if (ec == errc::timed_out) return detail::sys::numbers().would_block;
  if (ec.category() != detail::sys::category()) detail::throw_failed(ec, "connect_ex", &remote);
  return ec.value();
}

inline void socket::listen(int backlog) {
  if (detail::sys::listen(fileno(), backlog < 0 ? 0 : backlog) < 0) detail::throw_last("listen");
}

inline void socket::shutdown(int how) {
  if (detail::sys::shutdown(fileno(), how) < 0) detail::throw_last("shutdown");
}

inline address socket::getpeername() const {
  detail::sockaddr_any peer;
  socklen_t size = sizeof peer;
  if (detail::sys::getpeername(fileno(), &peer.base, &size) < 0) detail::throw_last("getpeername");
  return size == 0 && family_ == AF_UNIX ? address(unix_address())
                                         : address(detail::sockaddr_view{&peer.base, size});
}

inline address socket::getsockname() const {
  detail::sockaddr_any own;
  socklen_t size = sizeof own;
  if (detail::sys::getsockname(fileno(), &own.base, &size) < 0) detail::throw_last("getsockname");
  return size == 0 && family_ == AF_UNIX ? address(unix_address())
                                         : address(detail::sockaddr_view{&own.base, size});
}

// ---- modes and options ----

inline void socket::settimeout(timeout_value value) {
  if (detail::sys::set_nonblocking(fileno(), value.nanoseconds() >= 0) < 0)
    detail::throw_last("settimeout");
  timeout_.store(value.nanoseconds(), std::memory_order_relaxed);
  must_wait_.store(false, std::memory_order_relaxed);
}

inline bool socket::get_inheritable() const {
  const int inheritable = detail::sys::get_inheritable(fileno());
  if (inheritable < 0) detail::throw_last("get_inheritable");
  return inheritable != 0;
}

inline void socket::set_inheritable(bool inheritable) {
  if (detail::sys::set_inheritable(fileno(), inheritable) < 0)
    detail::throw_last("set_inheritable");
}

inline int socket::getsockopt(int level, int name) const {
  int value = 0;
  socklen_t size = sizeof value;
  if (detail::sys::getsockopt(fileno(), level, name, &value, &size) < 0)
    detail::throw_last("getsockopt");
  if (size != 1) return value;
  unsigned char byte = 0;  // some systems write a flag as one byte, whatever room they are given
  std::memcpy(&byte, &value, 1);
  return byte;
}

inline std::string socket::getsockopt(int level, int name, int buflen) const {
  if (buflen < 1 || buflen > 1024) detail::throw_error(errc::buflen_out_of_range, "getsockopt");
  std::string value(static_cast<std::size_t>(buflen), '\0');
  auto size = static_cast<socklen_t>(buflen);
  if (detail::sys::getsockopt(fileno(), level, name, value.data(), &size) < 0)
    detail::throw_last("getsockopt");
  if (static_cast<std::size_t>(size) < value.size()) value.resize(static_cast<std::size_t>(size));
  return value;
}

template <class T>
T socket::getsockopt(int level, int name) const {
  static_assert(detail::is_plain_v<T>, "an option is a number or a C structure");
  T value{};
  socklen_t size = sizeof value;
  if (detail::sys::getsockopt(fileno(), level, name, &value, &size) < 0)
    detail::throw_last("getsockopt");
  return value;
}

template <class Integer, std::enable_if_t<std::is_integral_v<Integer>, int>>
void socket::setsockopt(int level, int name, Integer value) {
  const auto number = static_cast<int>(value);
  const bool changed = static_cast<Integer>(number) != value || (number < 0) != (value < Integer{});
  if (changed) detail::throw_error(bad_argument::value_range, "setsockopt");
  setsockopt(level, name, const_bytes(&number, sizeof number));
}

inline void socket::setsockopt(int level, int name, const_bytes value) {
  if (value.size() > INT_MAX) detail::throw_error(bad_argument::value_range, "setsockopt");
  if (detail::sys::setsockopt(fileno(), level, name, value.data(),
                              static_cast<socklen_t>(value.size())) < 0)
    detail::throw_last("setsockopt");
}

inline void socket::setsockopt(int level, int name, std::nullptr_t, socklen_t optlen) {
  if (detail::sys::setsockopt(fileno(), level, name, nullptr, optlen) < 0)
    detail::throw_last("setsockopt");
}

#ifdef SIO_RCVALL
inline void socket::ioctl(unsigned long control, unsigned long option) {
  if (detail::sys::ioctl(fileno(), control, &option, sizeof option) < 0)
    detail::throw_last("ioctl");
}

inline void socket::ioctl(unsigned long control, const tcp_keepalive& option) {
  if (detail::sys::ioctl(fileno(), control, &option, sizeof option) < 0)
    detail::throw_last("ioctl");
}
#endif

// ---- printing ----

inline std::string socket::to_string() const {
  std::string out = *this ? "<socket.socket" : "<socket.socket [closed]";
  out += " fd=" + std::to_string(fileno()) + ", family=" + family_name(family_) +
         ", type=" + type_name(type_) + ", proto=" + std::to_string(proto_);
  if (!*this) return out + ">";
  detail::sockaddr_any any;
  const auto add = [&any, &out](const char* label, int result, socklen_t size) {
    const address found = result < 0 ? address() : address(detail::sockaddr_view{&any.base, size});
    if (!found || found.is_unnamed()) return;
    const auto* un = found.get_if<unix_address>();
    const bool path =
        un != nullptr &&
        un->view().front() != '\0';  // Python quotes names that are bytes, not those that are text
    out += label + (path ? found.path() : found.to_string());
  };
  socklen_t size = sizeof any;
  int result = detail::sys::getsockname(fileno(), &any.base, &size);
  add(", laddr=", result, size);
  size = sizeof any;
  result = detail::sys::getpeername(fileno(), &any.base, &size);
  add(", raddr=", result, size);
  return out + ">";
}

}  // namespace v1
}  // namespace pysock
