// SPDX-License-Identifier: MIT
// The socket's life, its connections, modes and options.
#include <pysock/socket.hpp>

#include <climits>
#include <pysock/names.hpp>

#include "socket_parts.hpp"

namespace pysock {
inline namespace v1 {
namespace {

// The sign bit of the mode word.
constexpr int compiled_part = INT_MIN;

constexpr int mode_of(std::int64_t timeout) noexcept {
  return timeout < 0 ? 0 : detail::sys::dont_wait;
}

}  // namespace

// ---- life ----

socket::socket(native_handle_type handle, int family, int type, int proto,
               std::int64_t timeout) noexcept
    : handle_(handle),
      mode_(mode_of(timeout)),
      timeout_(timeout),
      family_(family),
      type_(type),
      proto_(proto) {}

socket::socket(int family, int type, int proto)
    : socket(invalid_handle, family, type, proto, detail::default_timeout()) {
  if (detail::sys::strip_type_flags(type_)) {
    timeout_.store(0, std::memory_order_relaxed);
    mode_.store(mode_of(0), std::memory_order_relaxed);
  }
  const native_handle_type handle =
      detail::sys::socket(family, type_, proto, timeout_nanoseconds() >= 0);
  if (handle < 0) {
    detail::throw_result(handle, "socket (" + family_name(family) + ", " + type_name(type_) + ")");
  }
  handle_.store(handle, std::memory_order_relaxed);
}

socket::socket(socket&& other) noexcept
    : socket(other.detach(), other.family_, other.type_, other.proto_,
             other.timeout_nanoseconds()) {
  move_settings(other);
}

socket& socket::operator=(socket&& other) noexcept {
  if (this == &other) return *this;
  close_quietly();
  handle_.store(other.detach(), std::memory_order_relaxed);
  timeout_.store(other.timeout_nanoseconds(), std::memory_order_relaxed);
  family_ = other.family_;
  type_ = other.type_;
  proto_ = other.proto_;
  move_settings(other);
  return *this;
}

void socket::move_settings(const socket& other) noexcept {
  mode_.store(other.mode(), std::memory_order_relaxed);
  prediction_.store(other.prediction_.load(std::memory_order_relaxed), std::memory_order_relaxed);
  hook_ = other.hook_;
  hook_data_ = other.hook_data_;
}

native_handle_type socket::detach() noexcept {
  const native_handle_type handle = fileno();
  handle_.store(invalid_handle, std::memory_order_relaxed);
  return handle;
}

void socket::close_quietly() noexcept {
  const native_handle_type handle = detach();
  if (handle != invalid_handle) detail::sys::close(handle);
}

void socket::close() {
  const native_handle_type handle = detach();
  if (handle == invalid_handle) return;
  const int result = detail::sys::close(handle);
  if (result < 0) detail::throw_result(result, "close");
}

socket socket::dup() const {
  const native_handle_type copy = detail::sys::duplicate(fileno());
  if (copy < 0) detail::throw_result(copy, "dup");
  socket result(copy, family_, type_, proto_, timeout_nanoseconds());
  result.set_interrupt_hook(hook_, hook_data_);
  return result;
}

socket socket::wrap(const char* operation, native_handle_type fd, int family, int type, int proto) {
  int seen_family = AF_UNSPEC;
  int seen_type = 0;
  int seen_proto = 0;
  int result = detail::sys::describe(fd, seen_family, seen_type, seen_proto);
  std::int64_t timeout = detail::default_timeout();
  if (result >= 0) {
    result =
        timeout >= 0 ? detail::sys::set_nonblocking(fd, true) : detail::sys::get_nonblocking(fd);
  }
  if (result < 0) detail::throw_result(result, operation);
  if (timeout < 0 && result == 1) timeout = 0;
  return socket(fd, family < 0 ? seen_family : family, type < 0 ? seen_type : type,
                proto < 0 ? seen_proto : proto, timeout);
}

socket fromfd(native_handle_type fd, int family, int type, int proto) {
  const native_handle_type handle = detail::sys::duplicate(fd);
  if (handle < 0) detail::throw_result(handle, "fromfd");
  descriptor copy(handle);
  socket result = socket::wrap("fromfd", copy.get(), family, type, proto);
  (void)copy.release();
  return result;
}

socket from_fileno(native_handle_type fd, int family, int type, int proto) {
  if (fd < 0) detail::throw_error(bad_argument::negative_descriptor, "from_fileno");
  return socket::wrap("from_fileno", fd, family, type, proto);
}

#ifdef FROM_PROTOCOL_INFO
std::string socket::share(unsigned long process_id) const {
  std::string shared;
  const int result = detail::sys::share(fileno(), process_id, shared);
  if (result < 0) detail::throw_result(result, "share");
  return shared;
}

socket fromshare(const_bytes info) {
  if (info.size() != sizeof(::WSAPROTOCOL_INFOW))
    detail::throw_error(bad_argument::share_length, "fromshare");
  const native_handle_type handle = detail::sys::fromshare(info.data());
  if (handle < 0) detail::throw_result(handle, "fromshare");
  descriptor owner(handle);
  socket result = from_fileno(owner.get());
  (void)owner.release();
  return result;
}
#endif

std::pair<socket, socket> socketpair(int family, int type, int proto) {
  const std::int64_t timeout = detail::sys::strip_type_flags(type) ? 0 : detail::default_timeout();
  native_handle_type ends[2] = {invalid_handle, invalid_handle};
  const int result = detail::sys::socketpair(family, type, proto, timeout >= 0, ends);
  if (result < 0) detail::throw_result(result, "socketpair");
  return {socket(ends[0], family, type, proto, timeout),
          socket(ends[1], family, type, proto, timeout)};
}

// ---- connections ----

address socket::name_from(detail::sockaddr_view name) const {
  if (name.size == 0 && family_ == AF_UNIX) return unix_address();
  return address(name);
}

accept_result socket::accepted(native_handle_type handle, std::int64_t timeout,
                               detail::sockaddr_view from) const noexcept {
  accept_result result{socket(handle, family_, type_, proto_, timeout), name_from(from)};
  result.conn.set_interrupt_hook(hook_, hook_data_);
  return result;
}

accept_result socket::accept(std::error_code& ec) noexcept {
  const std::int64_t new_timeout = detail::default_timeout();
  const detail::call_context calling = context();
  detail::deadline until(calling.timeout);
  detail::operation op(calling, detail::sys::event::read, until);
  detail::sockaddr_any from;
  socklen_t size = 0;
  const auto attempt = [&]() noexcept -> std::ptrdiff_t {
    size = sizeof from;
    return detail::sys::accept(calling.handle, &from.base, &size, new_timeout >= 0);
  };
  // With a timeout poll() comes first, since no flag keeps accept() from waiting where another
  // holder of the descriptor has made it blocking.
  std::ptrdiff_t handle = -1;
  if (calling.timeout <= 0 || op.wait_until_ready(ec))
    handle = detail::complete(op, 0, attempt, ec);
  if (handle < 0) return accept_result{socket(nullptr), address()};
  return accepted(static_cast<native_handle_type>(handle), new_timeout, {&from.base, size});
}

accept_result socket::accept() {
  std::error_code ec;
  accept_result result = accept(ec);
  if (ec) detail::throw_error(ec, "accept");
  return result;
}

void socket::bind(const address& local) {
  endpoint storage;
  std::error_code ec;
  const detail::sockaddr_view target = detail::fit(local, family_, storage, ec);
  if (target.size == 0) detail::throw_failed(ec, "bind", local);
  const int result = detail::sys::bind(fileno(), target.data, target.size);
  if (result < 0) detail::throw_failed(detail::system_code(-result), "bind", local);
}

void socket::connect(const address& remote, std::error_code& ec) noexcept {
  endpoint storage;
  const detail::sockaddr_view target = detail::fit(remote, family_, storage, ec);
  if (target.size == 0) return;
  const detail::call_context calling = context();
  detail::deadline until(calling.timeout);
  detail::operation op(calling, detail::sys::event::connect, until);
  detail::connect(op, calling.handle, target, ec);
}

void socket::connect(const address& remote) {
  std::error_code ec;
  connect(remote, ec);
  if (ec) detail::throw_failed(ec, "connect", remote);
}

int socket::connect_ex(const address& remote) {
  std::error_code ec;
  connect(remote, ec);
  if (!ec) return 0;
  if (ec == errc::timed_out) return detail::sys::numbers().would_block;
  if (ec.category() != detail::sys::category()) detail::throw_failed(ec, "connect_ex", remote);
  return ec.value();
}

void socket::listen(int backlog) {
  const int result = detail::sys::listen(fileno(), backlog < 0 ? 0 : backlog);
  if (result < 0) detail::throw_result(result, "listen");
}

void socket::shutdown(int how) {
  const int result = detail::sys::shutdown(fileno(), how);
  if (result < 0) detail::throw_result(result, "shutdown");
}

address socket::getpeername() const {
  detail::sockaddr_any peer;
  socklen_t size = sizeof peer;
  const int result = detail::sys::getpeername(fileno(), &peer.base, &size);
  if (result < 0) detail::throw_result(result, "getpeername");
  return name_from({&peer.base, size});
}

address socket::getsockname() const {
  detail::sockaddr_any own;
  socklen_t size = sizeof own;
  const int result = detail::sys::getsockname(fileno(), &own.base, &size);
  if (result < 0) detail::throw_result(result, "getsockname");
  return name_from({&own.base, size});
}

// ---- modes and options ----

// Several threads may set it at the same time. The last to store a timeout decides: each repeats
// the rest until that agrees with it, so that no socket with a timeout is left in blocking mode.
void socket::settimeout(timeout_value value) {
  std::int64_t timeout = value.nanoseconds();
  const std::int64_t before = timeout_.exchange(timeout);
  prediction_.store(0, std::memory_order_relaxed);
  for (;;) {
    mode_.store(mode_of(timeout));
    const int result = detail::sys::set_nonblocking(fileno(), timeout >= 0);
    if (result < 0) {
      timeout_.compare_exchange_strong(timeout, before);
      detail::throw_result(result, "settimeout");
    }
    const std::int64_t latest = timeout_.load();
    if (latest == timeout) return;
    timeout = latest;
  }
}

void socket::predict(detail::wait_prediction prediction) noexcept {
  prediction_.store(prediction.bits(), std::memory_order_relaxed);
  if (prediction.is_active() == (mode() < 0)) return;
  if (prediction.is_active()) {
    mode_.fetch_or(compiled_part, std::memory_order_relaxed);
  } else {
    mode_.fetch_and(~compiled_part, std::memory_order_relaxed);
  }
}

bool socket::get_inheritable() const {
  const int inheritable = detail::sys::get_inheritable(fileno());
  if (inheritable < 0) detail::throw_result(inheritable, "get_inheritable");
  return inheritable != 0;
}

void socket::set_inheritable(bool inheritable) {
  const int result = detail::sys::set_inheritable(fileno(), inheritable);
  if (result < 0) detail::throw_result(result, "set_inheritable");
}

socklen_t socket::read_option(int level, int name, void* value, socklen_t size) const {
  const int result = detail::sys::getsockopt(fileno(), level, name, value, &size);
  if (result < 0) detail::throw_result(result, "getsockopt");
  return size;
}

int socket::getsockopt(int level, int name) const {
  int value = 0;
  if (read_option(level, name, &value, sizeof value) != 1) return value;
  unsigned char byte = 0;  // some systems write a flag as one byte, whatever size they are given
  std::memcpy(&byte, &value, 1);
  return byte;
}

std::string socket::getsockopt(int level, int name, int buflen) const {
  if (buflen < 1 || buflen > 1024) detail::throw_error(errc::buflen_out_of_range, "getsockopt");
  std::string value(static_cast<std::size_t>(buflen), '\0');
  const socklen_t size = read_option(level, name, value.data(), static_cast<socklen_t>(buflen));
  if (static_cast<std::size_t>(size) < value.size()) value.resize(static_cast<std::size_t>(size));
  return value;
}

void socket::setsockopt(int level, int name, const_bytes value) {
  if (value.size() > INT_MAX) detail::throw_error(bad_argument::value_range, "setsockopt");
  const int result = detail::sys::setsockopt(fileno(), level, name, value.data(),
                                             static_cast<socklen_t>(value.size()));
  if (result < 0) detail::throw_result(result, "setsockopt");
}

void socket::setsockopt(int level, int name, std::nullptr_t, socklen_t optlen) {
  const int result = detail::sys::setsockopt(fileno(), level, name, nullptr, optlen);
  if (result < 0) detail::throw_result(result, "setsockopt");
}

#ifdef SIO_RCVALL
void socket::ioctl(unsigned long control, unsigned long option) {
  const int result = detail::sys::ioctl(fileno(), control, &option, sizeof option);
  if (result < 0) detail::throw_result(result, "ioctl");
}

void socket::ioctl(unsigned long control, const tcp_keepalive& option) {
  const int result = detail::sys::ioctl(fileno(), control, &option, sizeof option);
  if (result < 0) detail::throw_result(result, "ioctl");
}
#endif

// ---- printing ----

std::string socket::to_string() const {
  std::string out = *this ? "<socket.socket" : "<socket.socket [closed]";
  out += " fd=" + std::to_string(fileno()) + ", family=" + family_name(family_) +
         ", type=" + type_name(type_) + ", proto=" + std::to_string(proto_);
  if (!*this) return out + ">";
  detail::sockaddr_any any;
  const auto add = [&any, &out](const char* label, int result, socklen_t size) {
    const address found = result < 0 ? address() : address(detail::sockaddr_view{&any.base, size});
    if (!found || found.is_unnamed()) return;
    const auto* un = found.get_if<unix_address>();
    // Python quotes names that are bytes, not those that are text.
    const bool path = un != nullptr && un->view().front() != '\0';
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
