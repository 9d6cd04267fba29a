// SPDX-License-Identifier: MIT
/// \file
/// The socket class, its members by topic. The code of sends and receives that succeed is inline at
/// the end of this file; everything else is compiled, in src/common/socket*.cpp.
#pragma once

#include <atomic>        // atomic
#include <cstddef>       // size_t
#include <cstdint>       // int64_t
#include <optional>      // optional
#include <string>        // string
#include <system_error>  // error_code
#include <type_traits>   // enable_if_t
#include <utility>       // pair

#include "address.hpp"
#include "bytes.hpp"
#include "descriptor.hpp"
#include "detail/operation.hpp"
#include "file_source.hpp"
#include "incomplete_read.hpp"
#include "interrupter.hpp"
#include "message.hpp"
#include "timeout.hpp"

namespace pysock {
inline namespace v1 {

class file;
struct accept_result;
struct recvfrom_result;
struct recvfrom_into_result;
struct recvmsg_result;
struct recvmsg_into_result;

namespace detail {

// Values that setsockopt passes on as their own bytes.
template <class T>
inline constexpr bool is_option_struct_v =
    is_c_structure_v<T> && !std::is_convertible_v<const T&, const_bytes>;

// Numbers other than int in place of flags: with `send(buffer, n)`, C's order, the length would
// become the flags and the whole buffer would be sent.
template <class T>
using if_no_flags = std::enable_if_t<std::is_arithmetic_v<T> && !std::is_same_v<T, int>, int>;

// Access for other parts of the library.
struct socket_access;

// A message to be received.
struct incoming;

}  // namespace detail

/// Always true: the library supports AF_INET6. A bind shows whether the host does. (Python:
/// `socket.has_ipv6`)
inline constexpr bool has_ipv6 = true;

PYSOCK_EXPORTED_CLASSES_BEGIN
/// A socket: owns one descriptor, closes it, does not pass it to child processes and never raises
/// SIGPIPE. (Python: `socket.socket`)
///
/// **Modes.** A socket blocks, waits at most its timeout, or never waits; `settimeout` sets the
/// mode, and new sockets have `getdefaulttimeout()`. In timeout mode every call that can block ends
/// with `timeout` when that time is over, measured from the start of the call: signals, partial
/// sends and spurious wake-ups do not extend it. The timeout does not limit the lookup of a host
/// name. In non-blocking mode such calls throw `blocking_io_error` instead of waiting. A blocking
/// call that a signal interrupts goes on, unless the interrupt hook ends it.
///
/// **Errors.** Calls throw `error` or a class derived from it; each call lists its other
/// exceptions. After `close`, `detach` or a move every call fails with EBADF, except those that
/// read attributes (`fileno` is then -1). Addresses that do not fit the family are
/// `std::invalid_argument` (wrong form), `gaierror` (numeric, of the other family) or `error`.
/// Functions with a trailing `std::error_code&` report the same failures there and throw nothing;
/// on success they clear it. (The construction of an argument may throw.) The number of bytes
/// transferred is returned also on failure.
///
/// **Threads.** One thread may receive while another sends; any thread may at the same time call
/// shutdown, settimeout, setblocking, gettimeout, fileno, getsockopt, setsockopt, getsockname and
/// getpeername. close, detach, moves and destruction must not run at the same time as another call.
/// On Linux close does not wake a thread that is blocked in a call; shutdown does.
class PYSOCK_API socket {
 public:
  /// The backlog of `listen()`.
  static constexpr int default_backlog = SOMAXCONN < 128 ? SOMAXCONN : 128;

  /// \name Opening
  /// @{

  /// Opens a socket. \param family AF_* \param type SOCK_*, SOCK_NONBLOCK, if the system has it,
  /// sets the timeout to 0 \param proto IPPROTO_*, 0 for the family's own \throws error
  /// EAFNOSUPPORT, EPROTONOSUPPORT, EINVAL, EMFILE
  explicit socket(int family = AF_INET, int type = SOCK_STREAM, int proto = 0);
  /// A closed socket, to be assigned later.
  explicit socket(std::nullptr_t) noexcept
      : socket(invalid_handle, AF_UNSPEC, 0, 0, detail::no_timeout) {}
  /// Leaves `other` closed.
  socket(socket&& other) noexcept;
  /// Closes this socket first, then leaves `other` closed.
  socket& operator=(socket&& other) noexcept;
  /// Closes; failures are ignored. (Python: garbage collection, `with`)
  ~socket() { close_quietly(); }

  /// A second socket on the same connection, with the same timeout and hook; not inheritable. Both
  /// share the blocking mode. \throws error EBADF, EMFILE
  [[nodiscard]] socket dup() const;

#ifdef FROM_PROTOCOL_INFO
  /// A duplicate for another process, as bytes to send to it, which it passes to `fromshare` once.
  /// Only on Windows. (Python: `socket.share`; WSADuplicateSocket) \param process_id the process
  /// that will use it \throws error WSAEINVAL if there is no such process
  [[nodiscard]] std::string share(unsigned long process_id) const;
#endif

  /// @}

  /// \name Connecting
  /// @{

  /// Accepts a connection. The new socket has the default timeout, not that of the listener. Blocks
  /// as its mode says. \returns the connection and the peer's address \throws timeout,
  /// blocking_io_error, connection_aborted_error, error EINVAL if not listening
  [[nodiscard]] accept_result accept();
  /// \overload
  /// On failure the socket returned is closed.
  [[nodiscard]] accept_result accept(std::error_code& ec) noexcept;

  /// Binds to a local address; an AF_UNIX path is created; the program must remove it. Blocks only
  /// to look up a host name. \throws gaierror, error EADDRINUSE, EADDRNOTAVAIL, EINVAL if bound
  /// already, permission_error
  void bind(const address& local);
  /// \overload
  void bind(const address& local, std::error_code& ec) noexcept;

  /// Connects to a remote address; in timeout mode waits at most the timeout. An attempt that timed
  /// out goes on in the background: close the socket. \throws gaierror, connection_refused_error,
  /// timeout, blocking_io_error (EINPROGRESS), interrupted_error, error
  void connect(const address& remote);
  /// \overload
  void connect(const address& remote, std::error_code& ec) noexcept;

  /// As `connect`, but returns the system's error number, 0 for success; EWOULDBLOCK if the timeout
  /// expired. \throws gaierror, std::invalid_argument, error for invalid addresses
  [[nodiscard]] int connect_ex(const address& remote);

  /// Starts to accept connections. \param backlog how many may queue; a negative number is 0, the
  /// system limits large ones
  void listen(int backlog = default_backlog);
  /// \overload
  void listen(int backlog, std::error_code& ec) noexcept;

  /// @}

  /// \name Sending
  /// @{

  /// Sends some of the bytes. \param data the bytes \param flags MSG_* \returns bytes sent, which
  /// may be fewer than given \throws timeout, blocking_io_error, broken_pipe_error,
  /// connection_reset_error, error
  [[nodiscard]] inline std::size_t send(const_bytes data, int flags = 0);
  /// \overload
  [[nodiscard]] std::size_t send(const_bytes data, std::error_code& ec) noexcept {
    return send(data, 0, ec);
  }
  /// \overload
  [[nodiscard]] inline std::size_t send(const_bytes data, int flags, std::error_code& ec) noexcept;
  /// Does not compile: the length is not flags. Write `send({buffer, length})`.
  template <class Number, detail::if_no_flags<Number> = 0>
  std::size_t send(const_bytes data, Number length) = delete;
  /// \overload
  template <class Number, detail::if_no_flags<Number> = 0>
  std::size_t send(const_bytes data, Number length, std::error_code& ec) = delete;

  /// Sends all the bytes; the timeout is for the whole of it. \returns bytes sent: all
  /// \throws as `send`; `transferred()` is the number of bytes sent
  inline std::size_t sendall(const_bytes data, int flags = 0);
  /// \overload
  /// \returns bytes sent, also on failure
  std::size_t sendall(const_bytes data, std::error_code& ec) noexcept {
    return sendall(data, 0, ec);
  }
  /// \overload
  /// \returns bytes sent, also on failure
  inline std::size_t sendall(const_bytes data, int flags, std::error_code& ec) noexcept;
  /// Does not compile: the length is not flags. Write `sendall({buffer, length})`.
  template <class Number, detail::if_no_flags<Number> = 0>
  std::size_t sendall(const_bytes data, Number length) = delete;
  /// \overload
  template <class Number, detail::if_no_flags<Number> = 0>
  std::size_t sendall(const_bytes data, Number length, std::error_code& ec) = delete;

  /// Sends to an address. Blocks as the mode says, and to look up a host name.
  /// \returns bytes sent \throws as `send`, gaierror, permission_error for a broadcast without
  /// SO_BROADCAST, error EMSGSIZE
  [[nodiscard]] std::size_t sendto(const_bytes data, const address& to) {
    return sendto(data, 0, to);
  }
  /// \overload
  [[nodiscard]] std::size_t sendto(const_bytes data, int flags, const address& to);
  /// \overload
  [[nodiscard]] std::size_t sendto(const_bytes data, int flags, const address& to,
                                   std::error_code& ec) noexcept;
  /// As above, to an address in the system's form: does not resolve, convert or allocate.
  [[nodiscard]] std::size_t sendto(const_bytes data, const endpoint& to) {
    return sendto(data, 0, to);
  }
  /// \overload
  [[nodiscard]] inline std::size_t sendto(const_bytes data, int flags, const endpoint& to);
  /// \overload
  [[nodiscard]] inline std::size_t sendto(const_bytes data, int flags, const endpoint& to,
                                          std::error_code& ec) noexcept;
  /// Does not compile: the length is not flags. Write `sendto({buffer, length}, to)`.
  template <class Number, detail::if_no_flags<Number> = 0>
  std::size_t sendto(const_bytes data, Number length, const address& to) = delete;
  /// \overload
  template <class Number, detail::if_no_flags<Number> = 0>
  std::size_t sendto(const_bytes data, Number length, const address& to,
                     std::error_code& ec) = delete;
  /// \overload
  template <class Number, detail::if_no_flags<Number> = 0>
  std::size_t sendto(const_bytes data, Number length, const endpoint& to) = delete;
  /// \overload
  template <class Number, detail::if_no_flags<Number> = 0>
  std::size_t sendto(const_bytes data, Number length, const endpoint& to,
                     std::error_code& ec) = delete;

  /// Sends several buffers as one message, with control messages. Blocks as the mode says, and to
  /// look up a host name. \param buffers the data, sent one after the other \param flags MSG_*
  /// \param ancdata descriptors, credentials, packet options: `{{SOL_SOCKET, SCM_RIGHTS, {fd}}}`.
  /// On a stream they are sent with the first byte, and lost without one \param to the destination;
  /// by default the connected peer \returns bytes of the buffers sent, which on a stream may be
  /// fewer than given \throws as `sendto`, error EMSGSIZE for more buffers than the system takes
  /// (1024 on Linux), EINVAL for invalid control messages
  [[nodiscard]] std::size_t sendmsg(const const_buffers& buffers,
                                    const ancillary_data& ancdata = {}, int flags = 0,
                                    const address& to = {});
  /// \overload
  [[nodiscard]] std::size_t sendmsg(const const_buffers& buffers, std::error_code& ec) noexcept {
    return sendmsg(buffers, {}, 0, {}, ec);
  }
  /// \overload
  /// Allocates only for more than 16 buffers; without memory for that it reports
  /// `std::errc::not_enough_memory`.
  [[nodiscard]] std::size_t sendmsg(const const_buffers& buffers, const ancillary_data& ancdata,
                                    int flags, const address& to, std::error_code& ec) noexcept;

  /// Sends a file, by the system's call if it has one, otherwise by reading and sending. The
  /// timeout is for each wait without progress, not for the whole of it; a deadline is for the
  /// whole. (Python: `socket.sendfile`; sendfile(2)) \param file a descriptor, a `std::FILE*`, a
  /// path or a `std::istream` \param offset the start in the file; its position is not used \param
  /// count how many bytes, at least 1; by default all to the end of the file, where sending ends in
  /// any case \returns bytes sent; 0 for an empty file, and for an offset beyond the end \throws
  /// std::invalid_argument if the socket is not SOCK_STREAM or is non-blocking, for the count, or
  /// for a negative offset \throws as `send`, file_not_found_error, permission_error, error ESPIPE
  /// for a pipe; `transferred()` is the number of bytes sent
  std::size_t sendfile(const file_source& file, std::int64_t offset = 0,
                       std::optional<std::int64_t> count = std::nullopt);
  /// \overload
  /// \returns bytes sent, also on failure
  std::size_t sendfile(const file_source& file, std::int64_t offset,
                       std::optional<std::int64_t> count, std::error_code& ec) noexcept;

  /// @}

  /// \name Receiving
  /// @{

  /// A buffered stream on a duplicate of the descriptor; include `<pysock/file.hpp>`.
  /// \param mode any mix of r, w and b \param bufsize 0 unbuffered, 1 line-buffered, else the size
  /// in bytes; negative is 8192 \throws std::invalid_argument for another mode \throws error EBADF,
  /// EMFILE
  [[nodiscard]] file makefile(text mode = "r", int bufsize = -1);

  /// Receives at most `bufsize` bytes; empty at the end of the stream. 0 returns at once, without a
  /// system call. Allocates only the result, if `bufsize` is at most 4 KiB. Blocks as the mode
  /// says. \param bufsize the maximum in bytes \param flags MSG_* \throws timeout,
  /// blocking_io_error, connection_reset_error, error \throws std::invalid_argument for a negative
  /// size \throws std::bad_alloc; if it is the result that has no memory, what was received is
  /// lost. `recv_into` allocates nothing.
  [[nodiscard]] std::string recv(std::size_t bufsize, int flags = 0);

  /// Receives exactly `size` bytes of a stream; the timeout is for the whole of it. The memory
  /// grows with the received data. (Python: `asyncio.StreamReader.readexactly`) \param size how
  /// many bytes; 0 returns at once, without a system call \throws incomplete_read_error at the end
  /// of the stream, with the bytes that arrived \throws as `recv`; `transferred()` is the number of
  /// bytes received, which are lost: `recv_exactly_into` keeps them
  [[nodiscard]] std::string recv_exactly(std::size_t size);

  /// Fills the caller's buffer from a stream; the timeout is for the whole of it. \param buffer
  /// where to \returns the buffer's size \throws as `recv_exactly`; `transferred()` bytes are in
  /// the buffer
  std::size_t recv_exactly_into(mutable_bytes buffer);
  /// \overload
  /// \returns bytes in the buffer, also on failure, which is `errc::incomplete_read` at the end of
  /// the stream
  std::size_t recv_exactly_into(mutable_bytes buffer, std::error_code& ec) noexcept;

  /// Receives a datagram, or some bytes of a stream, and the sender's address: no address if the
  /// sender is unnamed or the socket is a connected stream. The part of a datagram that does not
  /// fit into `bufsize` is lost. \throws as `recv`
  [[nodiscard]] recvfrom_result recvfrom(std::size_t bufsize, int flags = 0);

  /// Receives a datagram, or some bytes of a stream, with its control messages. Descriptors in
  /// them, not inheritable, are numbers that the caller must close; if the call throws, it has
  /// closed them. `recv_fds` returns owning objects instead. \param bufsize the maximum of data in
  /// bytes \param flags MSG_* \param ancbufsize space for control messages, by `cmsg_len` or
  /// `cmsg_space`, including those that options add. Messages that do not fit are lost, their
  /// descriptors are closed, and the result's flags have MSG_CTRUNC. They have MSG_TRUNC if a
  /// datagram was longer than `bufsize` \throws as `recv`, std::invalid_argument for a negative
  /// size
  [[nodiscard]] recvmsg_result recvmsg(std::size_t bufsize, std::size_t ancbufsize = 0,
                                       int flags = 0);

  /// As `recvmsg`, into the caller's buffers, filled one after the other; with none of them a
  /// datagram is received and lost. \throws as `recvmsg`
  recvmsg_into_result recvmsg_into(const mutable_buffers& buffers, std::size_t ancbufsize = 0,
                                   int flags = 0);
  /// \overload
  recvmsg_into_result recvmsg_into(const mutable_buffers& buffers, std::error_code& ec) noexcept;
  /// \overload
  /// Allocates only for received control messages, and for more than 16 buffers or 4 KiB of
  /// `ancbufsize`. Without memory it reports `std::errc::not_enough_memory`; `nbytes` is the number
  /// of bytes received, and received descriptors are closed.
  recvmsg_into_result recvmsg_into(const mutable_buffers& buffers, std::size_t ancbufsize,
                                   int flags, std::error_code& ec) noexcept;

  /// As `recvfrom`, into the caller's buffer.
  /// \param buffer where to \param nbytes at most so many; 0 for all of the buffer \param flags
  /// MSG_* \throws as `recv` \throws std::invalid_argument if `nbytes` exceeds the buffer
  recvfrom_into_result recvfrom_into(mutable_bytes buffer, std::size_t nbytes = 0, int flags = 0);
  /// \overload
  recvfrom_into_result recvfrom_into(mutable_bytes buffer, std::size_t nbytes, int flags,
                                     std::error_code& ec) noexcept;
  /// As above, with the sender in the system's form: does not allocate or convert. \returns
  /// bytes received
  inline std::size_t recvfrom_into(mutable_bytes buffer, endpoint& from, int flags = 0);
  /// \overload
  inline std::size_t recvfrom_into(mutable_bytes buffer, endpoint& from, int flags,
                                   std::error_code& ec) noexcept;

  /// Receives into the caller's buffer.
  /// \param buffer where to \param nbytes at most so many; 0 for all of the buffer \param flags
  /// MSG_* \returns bytes received, 0 at the end of the stream \throws as `recv` \throws
  /// std::invalid_argument if `nbytes` exceeds the buffer
  inline std::size_t recv_into(mutable_bytes buffer, std::size_t nbytes = 0, int flags = 0);
  /// \overload
  std::size_t recv_into(mutable_bytes buffer, std::error_code& ec) noexcept {
    return recv_into(buffer, 0, 0, ec);
  }
  /// \overload
  inline std::size_t recv_into(mutable_bytes buffer, std::size_t nbytes, int flags,
                               std::error_code& ec) noexcept;

  /// @}

  /// \name Timeouts and interruption
  /// @{

  /// Whether calls may wait: true also in timeout mode.
  [[nodiscard]] bool getblocking() const noexcept { return timeout_word() != 0; }

  /// The timeout; `std::nullopt` if calls wait without limit, 0 if they never wait. For a deadline
  /// the time that is left, and 1 ns after it.
  [[nodiscard]] std::optional<seconds> gettimeout() const noexcept {
    return detail::timeout_left(timeout_word());
  }

  /// `settimeout(std::nullopt)` or `settimeout(0)`.
  void setblocking(bool flag) { settimeout(flag ? timeout_value(std::nullopt) : timeout_value(0)); }

  /// Sets how long calls may wait: `std::nullopt` without limit, 0 not at all; a time point of
  /// `std::chrono::steady_clock` is a deadline for all later calls together. The descriptor is
  /// non-blocking unless `value` is `std::nullopt`, and its mode is shared with every duplicate of
  /// it. Calls that already wait keep their limit. \throws error EBADF; the timeout is then
  /// unchanged
  void settimeout(timeout_value value);

  /// Waits until a receive or an accept would not block: for data, the end of the stream, a
  /// connection, or a failure. The mode of the socket does not matter. (Python: `select.select`)
  /// \param timeout for this wait; 0 does not wait \returns whether it is ready; false after the
  /// timeout \throws interrupted_error, error EBADF
  [[nodiscard]] bool wait_readable(timeout_value timeout);
  /// \overload
  [[nodiscard]] bool wait_readable(timeout_value timeout, std::error_code& ec) noexcept;
  /// Waits until a send would not block, or until a connect in the background has ended. As
  /// `wait_readable`.
  [[nodiscard]] bool wait_writable(timeout_value timeout);
  /// \overload
  [[nodiscard]] bool wait_writable(timeout_value timeout, std::error_code& ec) noexcept;

  /// Sets a hook: when a signal interrupts a blocking call, the call continues with the same
  /// deadline if `hook(data)` returns true, and ends with `interrupted_error` if it returns false;
  /// the bytes transferred are reported. Null, the default, always continues. Accepted and
  /// duplicated sockets inherit it. Must not be called while a call runs.
  void set_interrupt_hook(interrupt_hook hook, void* data) noexcept {
    hook_ = hook;
    hook_data_ = data;
  }

  /// Lets `stop.interrupt()` end every call on this socket, from any thread and from a signal
  /// handler: see `interrupter`. Accepted and duplicated sockets, files and TLS sessions made
  /// afterwards inherit it. The descriptor is then non-blocking (O_NONBLOCK), and stays so after
  /// `detach`; SO_RCVTIMEO and SO_SNDTIMEO have no effect. Must not be called while a call runs.
  /// \throws error EBADF; the interrupter is then unchanged
  void set_interrupter(const interrupter& stop);
  /// Removes the interrupter; the descriptor has the mode of the timeout again. \throws error
  /// EBADF
  void set_interrupter(std::nullptr_t);

  /// @}

  /// \name Options
  /// @{

  /// Whether child processes inherit the descriptor; false by default. \throws error EBADF
  [[nodiscard]] bool get_inheritable() const;

  /// An integer option. \param level SOL_SOCKET, IPPROTO_* \param name SO_*, TCP_*, ... \throws
  /// error ENOPROTOOPT
  [[nodiscard]] int getsockopt(int level, int name) const;
  /// The bytes of an option, as many as the system returns. \param level SOL_SOCKET, IPPROTO_*
  /// \param name SO_*, TCP_*, ... \param buflen the size of the buffer, 1..1024 \throws error
  /// `errc::buflen_out_of_range`, ENOPROTOOPT
  [[nodiscard]] std::string getsockopt(int level, int name, int buflen) const;
  /// An option that is a C structure: `s.getsockopt<linger>(SOL_SOCKET, SO_LINGER)`. \tparam T a
  /// number or a C structure
  template <class T>
  [[nodiscard]] T getsockopt(int level, int name) const {
    static_assert(detail::is_plain_v<T>, "an option is a number or a C structure");
    T value{};
    read_option(level, name, &value, sizeof value);
    return value;
  }

#ifdef SIO_RCVALL
  /// A control of Winsock with a number as its argument: `s.ioctl(SIO_RCVALL, RCVALL_ON)`,
  /// SIO_LOOPBACK_FAST_PATH, SIO_UDP_CONNRESET (which the library turns off for datagram sockets).
  /// Only on Windows. (Python: `socket.ioctl`; WSAIoctl) \throws error WSAEOPNOTSUPP, WSAEINVAL
  void ioctl(unsigned long control, unsigned long option);
  /// Keep-alive probes, times in milliseconds: `s.ioctl(SIO_KEEPALIVE_VALS, {1, 10000, 3000})`.
  /// \throws error WSAEOPNOTSUPP, WSAEINVAL
  void ioctl(unsigned long control, const tcp_keepalive& option);
#endif

  /// Sets whether child processes inherit the descriptor. \throws error EBADF
  void set_inheritable(bool inheritable);

  /// Sets an integer option. \throws error ENOPROTOOPT, EINVAL \throws std::out_of_range beyond an
  /// int
  template <class Integer, std::enable_if_t<std::is_integral_v<Integer>, int> = 0>
  void setsockopt(int level, int name, Integer value) {
    const auto number = static_cast<int>(value);
    const bool changed =
        static_cast<Integer>(number) != value || (number < 0) != (value < Integer{});
    if (changed) detail::throw_error(bad_argument::value_range, "setsockopt");
    setsockopt(level, name, const_bytes(&number, sizeof number));
  }
  /// Sets an integer option to a value of an unscoped enumeration, such as IPPROTO_TCP. \throws as
  /// above
  template <
      class Enum,
      std::enable_if_t<std::is_enum_v<Enum> && std::is_convertible_v<Enum, long long>, int> = 0>
  void setsockopt(int level, int name, Enum value) {
    setsockopt(level, name, static_cast<std::underlying_type_t<Enum>>(value));
  }
  /// Sets an option from bytes. \throws error ENOPROTOOPT, EINVAL
  void setsockopt(int level, int name, const_bytes value);
  /// Sets an option from a C structure, such as `linger` or `ip_mreq`. \throws error ENOPROTOOPT,
  /// EINVAL
  template <class T, std::enable_if_t<detail::is_option_struct_v<T>, int> = 0>
  void setsockopt(int level, int name, const T& value) {
    setsockopt(level, name, const_bytes(&value, sizeof value));
  }
  /// Passes a null pointer with a length. (Python: `setsockopt(level, name, None, optlen)`) \throws
  /// error
  void setsockopt(int level, int name, std::nullptr_t, socklen_t optlen);

  /// @}

  /// \name Names and the descriptor
  /// @{

  /// The descriptor, still owned; -1 if closed.
  [[nodiscard]] native_handle_type fileno() const noexcept {
    return handle_.load(std::memory_order_relaxed);
  }

  /// The peer's address. \throws error ENOTCONN
  [[nodiscard]] address getpeername() const;

  /// The local address; it shows which port `bind` to port 0 has chosen.
  [[nodiscard]] address getsockname() const;

  /// The family given when it was made: AF_*.
  [[nodiscard]] int family() const noexcept { return family_; }
  /// The type given when it was made, without flags: SOCK_*.
  [[nodiscard]] int type() const noexcept { return type_; }
  /// The protocol given when it was made; 0 stays 0.
  [[nodiscard]] int proto() const noexcept { return proto_; }

  /// Whether it is open.
  explicit operator bool() const noexcept { return fileno() != invalid_handle; }

  /// Python's repr, with names for family and type: ``<socket.socket fd=3, family=AF_INET,
  /// type=SOCK_STREAM, proto=0, laddr=('127.0.0.1', 40000)>``.
  [[nodiscard]] std::string to_string() const;

  /// @}

  /// \name Closing
  /// @{

  /// Closes the descriptor; the system still sends the data given to it before. Does nothing if
  /// closed. Never repeated, even after EINTR. \throws error the system's error, EBADF if other
  /// code has closed the descriptor; the socket is closed in any case
  void close();
  /// \overload
  void close(std::error_code& ec) noexcept;

  /// Ends a connection so that the peer gets all data: ends the stream, receives and drops data
  /// until the peer ends its stream too, and closes. It closes in any case, and never fails; an
  /// interrupter ends the wait. Python has no such function. \param timeout for the whole call; the
  /// socket's own is not used \param limit the maximum of bytes to drop, approximately; 1 MiB by
  /// default \returns whether the peer ended its stream
  bool close_gracefully(timeout_value timeout, std::size_t limit = 1048576) noexcept;

  /// Releases the descriptor: this socket is then closed, the descriptor stays open. \returns the
  /// descriptor, -1 if there was none
  [[nodiscard]] native_handle_type detach() noexcept;

  /// Ends receiving, sending, or both, for every duplicate of the descriptor. Wakes threads blocked
  /// on the socket (on Linux). \param how SHUT_RD, SHUT_WR or SHUT_RDWR \throws error ENOTCONN,
  /// EINVAL
  void shutdown(int how);
  /// \overload
  void shutdown(int how, std::error_code& ec) noexcept;

  /// @}

  /// Prints `to_string()`.
  template <class Traits>
  friend std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& out,
                                                      const socket& s) {
    return out << s.to_string();
  }

 private:
  friend socket fromfd(native_handle_type fd, int family, int type, int proto);
  friend socket from_fileno(native_handle_type fd, int family, int type, int proto);
  friend std::pair<socket, socket> socketpair(int family, int type, int proto);
  friend struct detail::socket_access;

  socket(native_handle_type handle, int family, int type, int proto, std::int64_t timeout) noexcept;

  // Takes ownership of an open descriptor, with the default timeout if one is set. If this throws,
  // the descriptor stays open.
  static socket wrap(const char* operation, native_handle_type fd, int family, int type, int proto);
  accept_result accepted(native_handle_type handle, std::int64_t timeout,
                         const address& from) const noexcept;
  address name_from(const sockaddr* name, socklen_t size) const noexcept;
  void close_quietly() noexcept;
  void move_settings(const socket& other) noexcept;
  socklen_t read_option(int level, int name, void* value, socklen_t size) const;

  [[nodiscard]] std::int64_t timeout_word() const noexcept {
    return timeout_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] detail::call_context context() const noexcept {
    return {fileno(), timeout_word(), hook_, hook_data_, interrupter_.get()};
  }
  [[nodiscard]] bool is_nonblocking(std::int64_t timeout) const noexcept {
    return timeout != detail::no_timeout || interrupter_;
  }
  [[nodiscard]] int mode_for(std::int64_t timeout) const noexcept;
  void change_interrupter(detail::interrupt_link link);
  // The flags that the mode adds to a send or receive. Negative if the compiled part must do the
  // call.
  [[nodiscard]] int mode() const noexcept { return mode_.load(std::memory_order_relaxed); }

  // The rest of a call that has not succeeded at once: `error` is the reason, 0 if it was not
  // tried. The arguments are passed by value so that the fast path keeps them in registers.
  PYSOCK_COLD std::size_t finish_send(const_bytes data, int flags, int error);
  PYSOCK_COLD std::size_t finish_send(const_bytes data, int flags, int error,
                                      std::error_code& ec) noexcept;
  PYSOCK_COLD std::size_t finish_sendall(const_bytes data, int flags, std::size_t sent, int error);
  PYSOCK_COLD std::size_t finish_sendall(const_bytes data, int flags, std::size_t sent, int error,
                                         std::error_code& ec) noexcept;
  PYSOCK_COLD std::size_t finish_sendto(const_bytes data, int flags, const endpoint& to, int error,
                                        std::error_code& ec) noexcept;
  PYSOCK_COLD std::size_t finish_sendto(const_bytes data, int flags, const endpoint& to, int error);
  PYSOCK_COLD std::size_t finish_recv_into(mutable_bytes buffer, int flags, int error);
  PYSOCK_COLD std::size_t finish_recv_into(mutable_bytes buffer, int flags, int error,
                                           std::error_code& ec) noexcept;
  PYSOCK_COLD std::size_t finish_recvfrom_into(mutable_bytes buffer, endpoint& from, int flags,
                                               int error);
  PYSOCK_COLD std::size_t finish_recvfrom_into(mutable_bytes buffer, endpoint& from, int flags,
                                               int error, std::error_code& ec) noexcept;

  template <bool Receives, class Call>
  bool attempt_at_once(int& error, std::size_t& count, const Call& call) noexcept;
  template <class Attempt>
  std::ptrdiff_t finish_receive(int flags, int error, const Attempt& attempt,
                                std::error_code& ec) noexcept;
  template <class Send>
  std::size_t send_connecting(int flags, int error, std::error_code& ec, const Send& send) noexcept;
  std::size_t receive_message(detail::incoming& message, int flags, std::error_code& ec) noexcept;
  bool wait_for(detail::sys::event events, timeout_value timeout, std::error_code& ec) noexcept;
  void predict(detail::wait_prediction prediction) noexcept;

  std::atomic<native_handle_type> handle_;
  // The result of mode(). The sign bit is set if the next receive is predicted to wait, and always
  // if there is an interrupter.
  std::atomic<int> mode_;
  std::atomic<unsigned char> prediction_{0};  // of the thread that receives
  std::atomic<std::int64_t> timeout_;         // a word as in timeout.hpp
  int family_;
  int type_;
  int proto_;
  interrupt_hook hook_ = nullptr;
  void* hook_data_ = nullptr;
  detail::interrupt_link interrupter_;
};
PYSOCK_EXPORTED_CLASSES_END

/// Another name for the class, which is not ambiguous with the C function `socket`. (Python:
/// `socket.SocketType`)
using SocketType = socket;

/// The result of `accept`. (Python: `(conn, address)`)
struct accept_result {
  socket conn;              ///< The connection.
  pysock::address address;  ///< The peer's address.
};

/// What `recvfrom` returns.
struct recvfrom_result {
  std::string data;  ///< What was received.
  address from;      ///< Who sent it; no address if unnamed.
};

/// What `recvfrom_into` returns.
struct recvfrom_into_result {
  std::size_t nbytes = 0;  ///< Bytes received.
  address from;            ///< Who sent it; no address if unnamed.
};

/// What `recvmsg` returns. (Python: `(data, ancdata, msg_flags, address)`)
struct recvmsg_result {
  std::string data;  ///< What was received.
  ancillary_data
      ancdata;    ///< The control messages. Descriptors among them are the caller's to close.
  int flags = 0;  ///< MSG_TRUNC, MSG_CTRUNC, MSG_EOR, ...: what the system says of the message.
  address from;   ///< Who sent it; no address if unnamed.
};

/// What `recvmsg_into` returns.
struct recvmsg_into_result {
  std::size_t nbytes = 0;  ///< Bytes received.
  ancillary_data
      ancdata;    ///< The control messages. Descriptors among them are the caller's to close.
  int flags = 0;  ///< MSG_TRUNC, MSG_CTRUNC, MSG_EOR, ...: what the system says of the message.
  address from;   ///< Who sent it; no address if unnamed.
};

/// Two sockets connected to each other, with the default timeout. (Python: `socket.socketpair`;
/// socketpair(2)) \param family AF_UNIX where the system has such pairs. On Windows, which has
/// none, it is AF_INET or AF_INET6: a connection over the loopback, both ends of which are checked
/// to be each other's peer \param type SOCK_* \param proto IPPROTO_* \throws error EOPNOTSUPP,
/// EPROTONOSUPPORT, EMFILE
[[nodiscard]] PYSOCK_API std::pair<socket, socket> socketpair(int family = detail::pair_family,
                                                              int type = SOCK_STREAM,
                                                              int proto = 0);

/// A socket on a duplicate of `fd`; the two close independently. Without a default timeout the
/// socket takes on the descriptor's mode: with O_NONBLOCK its timeout is 0. Windows cannot tell,
/// and there it is blocking. (Python: `socket.fromfd`, which takes it to be blocking) \throws error
/// EBADF, ENOTSOCK, EMFILE
[[nodiscard]] PYSOCK_API socket fromfd(native_handle_type fd, int family, int type, int proto = 0);

/// A socket that takes over `fd`, which stays open if this throws. Arguments left at -1 are queried
/// from the system, others are used unchecked. The mode is taken on as by `fromfd`. SOCK_NONBLOCK
/// in `type` makes the timeout 0, also in `fromfd`. (Python: `socket.socket(fileno=fd)`) \throws
/// std::invalid_argument for a negative descriptor \throws error EBADF, ENOTSOCK
[[nodiscard]] PYSOCK_API socket from_fileno(native_handle_type fd, int family = -1, int type = -1,
                                            int proto = -1);

#ifdef FROM_PROTOCOL_INFO
/// The socket that another process shared by `socket::share`, with the default timeout. On Windows
/// alone. (Python: `socket.fromshare`) \throws std::invalid_argument for bytes of another length
/// \throws error WSAEINVAL for bytes used before
[[nodiscard]] PYSOCK_API socket fromshare(const_bytes info);
#endif

// ---- sends and receives that succeed at once ----

namespace detail {

// How many bytes to receive into `buffer`; more than `buffer` holds if the caller asks for what it
// cannot.
inline std::size_t wanted(mutable_bytes buffer, std::size_t nbytes) noexcept {
  return nbytes != 0 ? nbytes : buffer.size();
}

inline std::ptrdiff_t receive_from(native_handle_type s, mutable_bytes buffer, int flags,
                                   endpoint& from) {
  socklen_t from_size = endpoint::capacity();
  const std::ptrdiff_t count =
      sys::recvfrom(s, buffer.data(), buffer.size(), flags, from.buffer(), &from_size);
  from.resize(count < 0 ? 0 : from_size);
  return count;
}

}  // namespace detail

inline std::size_t socket::send(const_bytes data, int flags) {
  int error = 0;
  const int mode = this->mode();
  if (PYSOCK_LIKELY(mode >= 0)) {
    const std::ptrdiff_t count =
        detail::sys::send(fileno(), data.data(), data.size(), flags | mode);
    if (PYSOCK_LIKELY(count >= 0)) return static_cast<std::size_t>(count);
    error = detail::sys::last_error();
  }
  return finish_send(data, flags, error);
}

inline std::size_t socket::send(const_bytes data, int flags, std::error_code& ec) noexcept {
  int error = 0;
  const int mode = this->mode();
  if (PYSOCK_LIKELY(mode >= 0)) {
    const std::ptrdiff_t count =
        detail::sys::send(fileno(), data.data(), data.size(), flags | mode);
    if (PYSOCK_LIKELY(count >= 0)) {
      ec.clear();
      return static_cast<std::size_t>(count);
    }
    error = detail::sys::last_error();
  }
  return finish_send(data, flags, error, ec);
}

inline std::size_t socket::sendall(const_bytes data, int flags) {
  int error = 0;
  std::size_t sent = 0;
  const int mode = this->mode();
  if (PYSOCK_LIKELY(mode >= 0)) {
    const std::ptrdiff_t count =
        detail::sys::send(fileno(), data.data(), data.size(), flags | mode);
    if (PYSOCK_LIKELY(count >= 0)) {
      sent = static_cast<std::size_t>(count);
      if (PYSOCK_LIKELY(sent == data.size())) return sent;
    } else {
      error = detail::sys::last_error();
    }
  }
  return finish_sendall(data, flags, sent, error);
}

inline std::size_t socket::sendall(const_bytes data, int flags, std::error_code& ec) noexcept {
  int error = 0;
  std::size_t sent = 0;
  const int mode = this->mode();
  if (PYSOCK_LIKELY(mode >= 0)) {
    const std::ptrdiff_t count =
        detail::sys::send(fileno(), data.data(), data.size(), flags | mode);
    if (PYSOCK_LIKELY(count >= 0)) {
      sent = static_cast<std::size_t>(count);
      if (PYSOCK_LIKELY(sent == data.size())) {
        ec.clear();
        return sent;
      }
    } else {
      error = detail::sys::last_error();
    }
  }
  return finish_sendall(data, flags, sent, error, ec);
}

inline std::size_t socket::sendto(const_bytes data, int flags, const endpoint& to) {
  int error = 0;
  const int mode = this->mode();
  if (PYSOCK_LIKELY(mode >= 0)) {
    const std::ptrdiff_t count =
        detail::sys::sendto(fileno(), data.data(), data.size(), flags | mode, to.data(), to.size());
    if (PYSOCK_LIKELY(count >= 0)) return static_cast<std::size_t>(count);
    error = detail::sys::last_error();
  }
  return finish_sendto(data, flags, to, error);
}

inline std::size_t socket::sendto(const_bytes data, int flags, const endpoint& to,
                                  std::error_code& ec) noexcept {
  int error = 0;
  const int mode = this->mode();
  if (PYSOCK_LIKELY(mode >= 0)) {
    const std::ptrdiff_t count =
        detail::sys::sendto(fileno(), data.data(), data.size(), flags | mode, to.data(), to.size());
    if (PYSOCK_LIKELY(count >= 0)) {
      ec.clear();
      return static_cast<std::size_t>(count);
    }
    error = detail::sys::last_error();
  }
  return finish_sendto(data, flags, to, error, ec);
}

inline std::size_t socket::recv_into(mutable_bytes buffer, std::size_t nbytes, int flags) {
  const std::size_t size = detail::wanted(buffer, nbytes);
  if (size > buffer.size()) detail::throw_error(bad_argument::buffer_too_small, "recv_into");
  if (size == 0) return 0;
  int error = 0;
  const int mode = this->mode();
  if (PYSOCK_LIKELY(mode >= 0)) {
    const std::ptrdiff_t count = detail::sys::recv(fileno(), buffer.data(), size, flags | mode);
    if (PYSOCK_LIKELY(count >= 0)) return static_cast<std::size_t>(count);
    error = detail::sys::last_error();
  }
  return finish_recv_into({buffer.data(), size}, flags, error);
}

inline std::size_t socket::recv_into(mutable_bytes buffer, std::size_t nbytes, int flags,
                                     std::error_code& ec) noexcept {
  const std::size_t size = detail::wanted(buffer, nbytes);
  ec.clear();
  if (size > buffer.size()) ec = bad_argument::buffer_too_small;
  if (size == 0 || size > buffer.size()) return 0;
  int error = 0;
  const int mode = this->mode();
  if (PYSOCK_LIKELY(mode >= 0)) {
    const std::ptrdiff_t count = detail::sys::recv(fileno(), buffer.data(), size, flags | mode);
    if (PYSOCK_LIKELY(count >= 0)) return static_cast<std::size_t>(count);
    error = detail::sys::last_error();
  }
  return finish_recv_into({buffer.data(), size}, flags, error, ec);
}

inline std::size_t socket::recvfrom_into(mutable_bytes buffer, endpoint& from, int flags) {
  int error = 0;
  const int mode = this->mode();
  if (PYSOCK_LIKELY(mode >= 0)) {
    const std::ptrdiff_t count = detail::receive_from(fileno(), buffer, flags | mode, from);
    if (PYSOCK_LIKELY(count >= 0)) return static_cast<std::size_t>(count);
    error = detail::sys::last_error();
  }
  return finish_recvfrom_into(buffer, from, flags, error);
}

inline std::size_t socket::recvfrom_into(mutable_bytes buffer, endpoint& from, int flags,
                                         std::error_code& ec) noexcept {
  int error = 0;
  const int mode = this->mode();
  if (PYSOCK_LIKELY(mode >= 0)) {
    const std::ptrdiff_t count = detail::receive_from(fileno(), buffer, flags | mode, from);
    if (PYSOCK_LIKELY(count >= 0)) {
      ec.clear();
      return static_cast<std::size_t>(count);
    }
    error = detail::sys::last_error();
  }
  return finish_recvfrom_into(buffer, from, flags, error, ec);
}

}  // namespace v1
}  // namespace pysock
