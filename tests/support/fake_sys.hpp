// SPDX-License-Identifier: MIT
/// \file
/// A scripted fake of the seam: unit tests link it instead of the system's.
///
/// Every function of detail/sys.hpp uses the next step of its script; without one it does what a
/// system normally does. Nothing waits: time is a number that poll() and the steps increase. Error
/// numbers are those of errno on every platform.
///
///     fake::session session;
///     const auto s = fake::adopt();
///     fake::on_recv({fake::fails(EAGAIN), fake::gives("abc")});
///     fake::on_poll({fake::ready_after(20)});
///     ... receive on s ...
///     CHECK(fake::log() == fake::lines{fake::called("recv", s, 10, 0),
///                                      fake::called("poll", s, fake::event::read, 500), ...});
///     CHECK(fake::elapsed() == 20ms);
///     CHECK(fake::problems() == fake::lines{});  // with s closed: nothing leaked or left over
///
/// A call on a descriptor that is not open fails with EBADF and uses no step. A call that succeeds
/// and the clock change last_error(), so a test fails if the library reads the error number too
/// late. Not thread-safe: threads may only use it in turn.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <pysock/detail/sys.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace fake {

namespace sys = pysock::detail::sys;
using handle = pysock::native_handle_type;
using event = sys::event;
using lines = std::vector<std::string>;

// ---- values ----

/// A duration of virtual time: a number of milliseconds, or any chrono duration.
class span {
 public:
  constexpr span(int milliseconds) noexcept : nanoseconds_(std::int64_t{milliseconds} * 1000000) {}
  template <class Rep, class Period>
  constexpr span(std::chrono::duration<Rep, Period> d) noexcept
      : nanoseconds_(std::chrono::duration_cast<std::chrono::nanoseconds>(d).count()) {}
  constexpr std::int64_t nanoseconds() const noexcept { return nanoseconds_; }

 private:
  std::int64_t nanoseconds_;
};

/// A sockaddr of any family, byte by byte. Empty: no address.
struct socket_address {
  std::string bytes;

  const sockaddr* data() const noexcept { return reinterpret_cast<const sockaddr*>(bytes.data()); }
  socklen_t size() const noexcept { return static_cast<socklen_t>(bytes.size()); }
};
socket_address inet(std::array<unsigned char, 4> host, int port);
/// flowinfo in host order
socket_address inet6(std::array<unsigned char, 16> host, int port, std::uint32_t flowinfo = 0,
                     std::uint32_t scope_id = 0);
/// A path, an abstract name (first byte NUL), or "" for unnamed.
socket_address unix_path(std::string_view path);
/// The text of an address in the log: `127.0.0.1:80`, `[0:0:0:0:0:0:0:1]:80%2`, `unix:/tmp/s`,
/// `unix:@abstract`, `null`.
std::string to_string(const socket_address& address);
std::string to_string(const sockaddr* address, socklen_t size);

/// One item of ancillary data.
struct control_item {
  int level;
  int type;
  std::string data;
};

/// One result of wait_poll_set.
struct report {
  handle on;
  event events;
};

// ---- steps ----

/// The result of one call. The functions below make it, and its members change it.
struct step {
  int error = 0;
  std::optional<std::int64_t> value;
  std::string data;
  std::size_t received = 0;  // bytes of `data` that earlier calls received
  std::string more;          // getnameinfo's service
  std::optional<std::vector<socket_address>> addresses;
  std::optional<sys::host_entry> host;
  std::vector<control_item> control;
  std::size_t descriptors = 0;
  int flags = 0;
  int family = 0;
  int type = 0;
  int proto = 0;
  bool has_data = false;
  std::optional<std::vector<handle>> handles;
  std::optional<std::vector<report>> reports;
  std::int64_t delay = -1;  // nanoseconds; -1: not set
  bool forever = false;
  bool used = false;

  /// The call takes that long. For poll: the event occurs after that time.
  step after(span time) && { return delay = time.nanoseconds(), std::move(*this); }
  /// The last step of a script: every further call does the same.
  step always() && { return forever = true, std::move(*this); }
  /// The sender of the data.
  step from(socket_address address) && {
    return addresses = {std::move(address)}, std::move(*this);
  }
  /// Returned instead of the number of bytes transferred (MSG_TRUNC). After fails(), for the
  /// resolver and the hosts: the error number of the system, which failed below them.
  step returning(std::int64_t number) && { return value = number, std::move(*this); }
  /// recvmsg's flags.
  step with_flags(int bits) && { return flags = bits, std::move(*this); }
  step with_control(int level, int kind, std::string bytes) && {
    return control.push_back({level, kind, std::move(bytes)}), std::move(*this);
  }
  /// Passes that many descriptors with the data, as SCM_RIGHTS. Those that do not fit into the
  /// caller's buffer are not opened.
  step with_descriptors(std::size_t count) && { return descriptors = count, std::move(*this); }
  /// getaddrinfo's canonical name, in every result and without the flag, as some systems return it.
  step canonical(std::string name) && { return data = std::move(name), std::move(*this); }
};

/// Fails with that errno; with that EAI_* or h_errno number where the function returns one.
step fails(int error);
/// Does what the call does without a script.
step succeeds();
/// Returns exactly that.
step returns(std::int64_t value);
/// Sends (or reads from a file) at most that many bytes.
step takes(std::size_t bytes);
/// Receives those bytes. A stream keeps the bytes that do not fit into the caller's buffer, a
/// message loses them. Also: the bytes of an option, gethostname's, if_indextoname's and
/// getservbyport's text. For sendfile, with returning(): that many bytes, which the fake does not
/// have.
step gives(std::string bytes);
/// Returns that address: for accept, getsockname and getpeername.
step gives(socket_address address);
/// Returns an int: for getsockopt, mainly SO_ERROR.
step sets(int option);
/// poll: the event has occurred, or occurs after `time`. A poll with a shorter timeout times out,
/// and the rest of the time remains.
step ready();
step ready_after(span time);
/// poll: the descriptor that wakes it is readable, as after interrupt().
step wakes();
/// wait_poll_set: those of these handles that are in the set are ready. Without a script all are.
step ready(std::vector<handle> handles);
/// wait_poll_set: exactly these results. A handle may be in several, and with events that it was
/// registered for until another thread changed them. \pre the handles are in the set
step reports(std::vector<report> results);
/// poll: no event. With after(): it returns after that time.
step times_out();
/// getaddrinfo: returns those addresses in that order. The service's port replaces port 0.
step resolves(std::vector<socket_address> addresses);
/// gethostbyname and gethostbyaddr.
step knows(sys::host_entry host);
step describes(int family, int type, int proto);
/// getnameinfo.
step names(std::string host, std::string service);

/// Appends to the script of a function of the seam. \throws std::invalid_argument if there is no
/// such function
void on(const std::string& function, std::vector<step> steps);

/// Decides the step of every call that has no script. Its argument is the call's line in the log.
/// It may use the library, as another thread or a signal handler would during the call.
using director = std::function<step(const std::string& call)>;
void direct(director directing);

// Every call of the seam that can fail, and its arguments in the log: those of the seam without
// pointers. Addresses are printed; of data the log has the size.
// clang-format off
#define PYSOCK_FAKE_CALLS(CALL) \
  CALL(socket) /* family, type, proto, nonblocking */ \
  CALL(socketpair) /* family, type, proto, nonblocking */ \
  CALL(accept) /* s, nonblocking */ \
  CALL(duplicate) /* s */ \
  CALL(close) /* s */ \
  CALL(set_nonblocking) /* s, on */ \
  CALL(get_nonblocking) /* s */ \
  CALL(get_inheritable) /* s */ \
  CALL(set_inheritable) /* s, on */ \
  CALL(describe) /* s */ \
  CALL(bind) /* s, address */ \
  CALL(listen) /* s, backlog */ \
  CALL(connect) /* s, address */ \
  CALL(shutdown) /* s, how */ \
  CALL(getsockname) /* s */ \
  CALL(getpeername) /* s */ \
  CALL(getsockopt) /* s, level, name */ \
  CALL(setsockopt) /* s, level, name, size */ \
  CALL(poll) /* s, event, milliseconds[, the descriptor that wakes it] */ \
  CALL(pause) /* milliseconds[, the descriptor that wakes it] */ \
  CALL(open_wake) /* none */ \
  CALL(run_detached) /* none */ \
  CALL(open_poll_set) /* none */ \
  CALL(change_poll_set) /* s, before, after */ \
  CALL(wait_poll_set) /* milliseconds */ \
  CALL(send) /* s, size, flags */ \
  CALL(sendto) /* s, size, flags, address */ \
  CALL(recv) /* s, size, flags */ \
  CALL(recvfrom) /* s, size, flags */ \
  CALL(send_now) /* s, size */ \
  CALL(recv_now) /* s, size */ \
  CALL(sendmsg) /* s, size, control size, flags, address */ \
  CALL(recvmsg) /* s, size, control size, flags */ \
  CALL(sendfile) /* s, file, offset, count */ \
  CALL(open_file) /* path */ \
  CALL(close_file) /* file */ \
  CALL(file_size) /* file */ \
  CALL(read_file) /* file, size, offset */ \
  CALL(file_handle) /* none */ \
  CALL(seek_file) /* offset */ \
  CALL(getaddrinfo) /* host, service, family, type, proto, flags */ \
  CALL(getnameinfo) /* address, flags */ \
  CALL(gethostbyname) /* name, family */ \
  CALL(gethostbyaddr) /* size, family */ \
  CALL(getservbyname) /* name, proto */ \
  CALL(getservbyport) /* port, proto */ \
  CALL(getprotobyname) /* name */ \
  CALL(gethostname) /* none */ \
  CALL(sethostname) /* name */ \
  CALL(if_nameindex) /* none */ \
  CALL(if_nametoindex) /* name */ \
  CALL(if_indextoname) /* index */
// clang-format on

#define PYSOCK_FAKE_SCRIPT(function) \
  inline void on_##function(std::vector<step> steps) { on(#function, std::move(steps)); }
PYSOCK_FAKE_CALLS(PYSOCK_FAKE_SCRIPT)
#undef PYSOCK_FAKE_SCRIPT

// ---- the log ----

namespace printing {
inline std::string text(const std::string& s) { return s; }
inline std::string text(const char* s) { return s != nullptr ? s : "null"; }
inline std::string text(const socket_address& a) { return to_string(a); }
std::string text(event e);
// Flags and types are enumerators on some systems.
template <class T, std::enable_if_t<std::is_integral_v<T> || std::is_enum_v<T>, int> = 0>
std::string text(T number) {
  if constexpr (std::is_same_v<T, bool>) return number ? "true" : "false";
  return std::to_string(+number);
}
std::string join(const char* function, std::initializer_list<std::string> arguments);
}  // namespace printing

/// A line of the log: `called("recv", s, 10, MSG_PEEK)` is "recv(1000, 10, 2)".
template <class... Arguments>
std::string called(const char* function, const Arguments&... arguments) {
  return printing::join(function, {printing::text(arguments)...});
}

/// Every call since the last reset; those that cannot fail (now, classify, last_error,
/// freeaddrinfo...) are not in it.
const lines& log();
/// The calls of one function.
lines log(const std::string& function);
std::size_t count(const std::string& function);
void clear_log();

/// Calls the function that run_detached() has kept, after a step `returns(0)`. Without such a step
/// run_detached() calls it before it returns.
void run_held_thread();

/// Makes process_id() return that number, as after fork(). It is 1 after a reset.
void set_process_id(std::int64_t id);
/// Calls `action` once, at the next call of process_id(), as another thread would run there.
void at_process_id(std::function<void()> action);

/// What one successful call sent.
struct sent_message {
  handle on;
  std::string data;
  std::string to;       // as the log prints it, "null" if none was given
  std::string control;  // ancillary data as passed down
};
const std::vector<sent_message>& sent_messages();
/// All bytes that were sent.
std::string sent();

// ---- time ----

/// The virtual clock in nanoseconds; does not start at 0.
std::int64_t clock();
/// The time since the last reset.
std::chrono::nanoseconds elapsed();
void advance(span time);
/// How often the clock was read.
int clock_reads();

// ---- descriptors ----

/// An open socket that the library has not made; numbers start at 1000. It counts as opened.
handle adopt(int family = AF_INET, int type = SOCK_STREAM, int proto = 0);
/// The same for a file with that content.
handle adopt_file(std::string content);
/// Makes open_file(path) succeed.
void add_file(const std::string& path, std::string content);

/// The interfaces of if_nameindex and the similar functions; initially 1 is lo and 2 is eth0.
void set_interfaces(std::vector<sys::interface_entry> interfaces);

bool is_open(handle h);
/// Whether a descriptor of open_wake() is readable.
bool is_awake(handle h);
bool is_nonblocking(handle h);
bool is_inheritable(handle h);
/// The bytes that setsockopt stored; empty if it did not.
std::string option(handle h, int level, int name);

int open_count();
/// In the order of opening and of closing.
const std::vector<handle>& opened();
const std::vector<handle>& closed();

// ---- failures and problems ----

/// Makes the n-th call from now on that opens descriptors fail; 1 is the next.
void fail_nth_open(int n, int error);
/// Makes the n-th call from now on of any function fail with that error number of the system; 1 is
/// the next.
void fail_nth_call(int n, int error);
/// Whether such a failure has happened.
bool failure_fired();

/// Errors of the code under test: a descriptor closed twice or used after it was closed, a file
/// closed as a socket, a list freed twice, a poll without end.
const lines& errors();
/// Scripts with steps left, as `recv: 2 steps left`.
lines unused();
bool all_consumed();
/// Lists of getaddrinfo not freed.
int addrinfo_count();
/// All of these, open descriptors included, to compare with `lines{}`.
lines problems();

/// Resets the fake.
void reset();

/// Resets the fake at its begin and its end.
struct session {
  session() { reset(); }
  ~session() { reset(); }
  session(const session&) = delete;
  session& operator=(const session&) = delete;
};

/// Runs `scenario()` once for every call of the seam in it, with that call failing, and a last time
/// without a failure. Each run begins after a reset. The scenario sets its scripts, catches
/// exceptions and makes its checks. Returns the number of calls that failed.
template <class Scenario>
int fail_each_call(int error, Scenario scenario) {
  for (int n = 1;; ++n) {
    const session run;
    fail_nth_call(n, error);
    scenario();
    if (!failure_fired()) return n - 1;
  }
}

}  // namespace fake
