// SPDX-License-Identifier: MIT
// Constructors and destructor of the socket, its connections and modes.
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
  return timeout == detail::no_timeout ? 0 : detail::sys::dont_wait;
}

// The outcome of a call of the seam.
void set(std::error_code& ec, int result) noexcept {
  ec = result < 0 ? detail::failure_code(result) : std::error_code();
}

}  // namespace

// ---- construction ----

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
      detail::sys::socket(family, type_, proto, is_nonblocking(timeout_word()));
  if (handle < 0) {
    detail::throw_result(handle, "socket (" + family_name(family) + ", " + type_name(type_) + ")");
  }
  handle_.store(handle, std::memory_order_relaxed);
}

socket::socket(socket&& other) noexcept
    : socket(other.detach(), other.family_, other.type_, other.proto_, other.timeout_word()) {
  move_settings(other);
}

socket& socket::operator=(socket&& other) noexcept {
  if (this == &other) return *this;
  close_quietly();
  handle_.store(other.detach(), std::memory_order_relaxed);
  timeout_.store(other.timeout_word(), std::memory_order_relaxed);
  family_ = other.family_;
  type_ = other.type_;
  proto_ = other.proto_;
  move_settings(other);
  return *this;
}

// `other` is closed, but its attributes do not change.
void socket::move_settings(const socket& other) noexcept {
  mode_.store(other.mode(), std::memory_order_relaxed);
  prediction_.store(other.prediction_.load(std::memory_order_relaxed), std::memory_order_relaxed);
  hook_ = other.hook_;
  hook_data_ = other.hook_data_;
  interrupter_ = other.interrupter_;
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

void socket::close(std::error_code& ec) noexcept {
  const native_handle_type handle = detach();
  set(ec, handle == invalid_handle ? 0 : detail::sys::close(handle));
}

void socket::close() {
  std::error_code ec;
  close(ec);
  if (ec) detail::throw_error(ec, "close");
}

// ---- connections ----

address socket::name_from(const sockaddr* name, socklen_t size) const noexcept {
  if (size == 0 && family_ == AF_UNIX) return unix_address();
  return address(name, size);
}

accept_result socket::accepted(native_handle_type handle, std::int64_t timeout,
                               const address& from) const noexcept {
  accept_result result{socket(handle, family_, type_, proto_, timeout), from};
  result.conn.set_interrupt_hook(hook_, hook_data_);
  result.conn.interrupter_ = interrupter_;
  result.conn.mode_.store(result.conn.mode_for(timeout), std::memory_order_relaxed);
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
    return detail::sys::accept(calling.handle, &from.base, &size, is_nonblocking(new_timeout));
  };
  // With a timeout or an interrupter it calls poll() first, because accept() has no flag for not
  // waiting if other code has made the descriptor blocking.
  const bool polls_first = !calling.waits_in_system() && calling.timeout != 0;
  std::ptrdiff_t handle = -1;
  if (!polls_first || op.wait_until_ready(ec)) handle = detail::complete(op, 0, attempt, ec);
  if (handle < 0) return accept_result{socket(nullptr), address()};
  return accepted(static_cast<native_handle_type>(handle), new_timeout,
                  name_from(&from.base, size));
}

accept_result socket::accept() {
  std::error_code ec;
  accept_result result = accept(ec);
  if (ec) detail::throw_error(ec, "accept");
  return result;
}

void socket::bind(const address& local, std::error_code& ec) noexcept {
  const endpoint target = detail::resolve(local, family_, ec);
  if (!ec) set(ec, detail::sys::bind(fileno(), target.data(), target.size()));
}

void socket::bind(const address& local) {
  std::error_code ec;
  bind(local, ec);
  if (ec) detail::throw_failed(ec, "bind", local);
}

void socket::connect(const address& remote, std::error_code& ec) noexcept {
  const endpoint target = detail::resolve(remote, family_, ec);
  if (ec) return;
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

void socket::listen(int backlog, std::error_code& ec) noexcept {
  set(ec, detail::sys::listen(fileno(), backlog < 0 ? 0 : backlog));
}

void socket::listen(int backlog) {
  std::error_code ec;
  listen(backlog, ec);
  if (ec) detail::throw_error(ec, "listen");
}

void socket::shutdown(int how, std::error_code& ec) noexcept {
  set(ec, detail::sys::shutdown(fileno(), how));
}

void socket::shutdown(int how) {
  std::error_code ec;
  shutdown(how, ec);
  if (ec) detail::throw_error(ec, "shutdown");
}

// ---- modes ----

// Several threads may set it at the same time. The last one to store a timeout decides: each thread
// sets the mode again until it agrees with the stored timeout, so no socket with a timeout stays in
// blocking mode.
void socket::settimeout(timeout_value value) {
  std::int64_t timeout = detail::timeout_word(value);
  const std::int64_t before = timeout_.exchange(timeout);
  prediction_.store(0, std::memory_order_relaxed);
  for (;;) {
    mode_.store(mode_for(timeout));
    const int result = detail::sys::set_nonblocking(fileno(), is_nonblocking(timeout));
    if (result < 0) {
      timeout_.compare_exchange_strong(timeout, before);
      detail::throw_result(result, "settimeout");
    }
    const std::int64_t latest = timeout_.load();
    if (latest == timeout) return;
    timeout = latest;
  }
}

int socket::mode_for(std::int64_t timeout) const noexcept {
  return interrupter_ ? compiled_part | detail::sys::dont_wait : mode_of(timeout);
}

void socket::change_interrupter(detail::interrupt_link link) {
  interrupter_ = std::move(link);
  mode_.store(mode_for(timeout_word()));
}

void socket::set_interrupter(const interrupter& stop) {
  const int result = detail::sys::set_nonblocking(fileno(), true);
  if (result < 0) detail::throw_result(result, "set_interrupter");
  change_interrupter(detail::interrupter_access::link(stop));
}

void socket::set_interrupter(std::nullptr_t) {
  const bool nonblocking = timeout_word() != detail::no_timeout;
  const int result = detail::sys::set_nonblocking(fileno(), nonblocking);
  if (result < 0) detail::throw_result(result, "set_interrupter");
  prediction_.store(0, std::memory_order_relaxed);
  change_interrupter({});
}

void socket::predict(detail::wait_prediction prediction) noexcept {
  prediction_.store(prediction.bits(), std::memory_order_relaxed);
  const bool compiled = prediction.is_active() || interrupter_;
  if (compiled == (mode() < 0)) return;
  if (compiled) {
    mode_.fetch_or(compiled_part, std::memory_order_relaxed);
  } else {
    mode_.fetch_and(~compiled_part, std::memory_order_relaxed);
  }
}

}  // namespace v1
}  // namespace pysock
