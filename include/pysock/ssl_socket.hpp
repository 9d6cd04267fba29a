// SPDX-License-Identifier: MIT
/// \file
/// A TLS session over a connection. `ssl_context::wrap_socket` and `ssl_context::wrap_server` make
/// them.
#pragma once

#include <cstddef>       // size_t
#include <cstdint>       // int64_t
#include <memory>        // shared_ptr
#include <optional>      // optional
#include <ostream>       // ostream
#include <string>        // string
#include <system_error>  // error_code
#include <vector>        // vector

#include "bytes.hpp"
#include "file_source.hpp"
#include "socket.hpp"
#include "ssl_certificate.hpp"
#include "ssl_error.hpp"
#include "timeout.hpp"

namespace pysock {
inline namespace v1 {

class file;
class ssl_context;

namespace detail {

class tls_connection;
struct tls_session;

}  // namespace detail

/// What `ssl_socket::cipher` returns. (Python: a tuple of three)
struct cipher_info {
  std::string name;      ///< `TLS_AES_256_GCM_SHA384`, `ECDHE-RSA-AES128-GCM-SHA256`.
  std::string protocol;  ///< The version of TLS that defined it.
  int bits = 0;          ///< How many bits of key are secret.
};

/// What a client keeps of one connection to make the next one cheaper: `wrap_options().session(s)`.
/// A small handle; copies share the session. Thread-safe. (Python: ssl.SSLSession)
class ssl_session {
 public:
  /// No session.
  ssl_session() noexcept = default;

  /// Whether there is one.
  explicit operator bool() const noexcept { return session_ != nullptr; }
  /// Whether it can be resumed. Under TLS 1.3 not before the server's ticket has come, which is
  /// after the handshake, with the first data.
  [[nodiscard]] PYSOCK_SSL_API bool resumable() const noexcept;

 private:
  friend class ssl_context;
  friend class ssl_socket;

  std::shared_ptr<const detail::tls_session> session_;
};

PYSOCK_EXPORTED_CLASSES_BEGIN

/// A TLS session over a connection that it owns. (Python: ssl.SSLSocket)
///
/// **Modes.** As for `socket`: it takes the timeout of the socket that it was made from. The
/// timeout is for the whole of one call, of as many receives and sends as that takes: a handshake,
/// a read, a write, the exchange of closing alerts. In non-blocking mode calls throw
/// `ssl_want_read_error` or `ssl_want_write_error`, whichever the session needs next, whatever the
/// call; their `error_code` overloads report `ssl_errc::want_read` and `want_write`, which are
/// `std::errc::resource_unavailable_try_again`. Poll does not show what is `pending()`.
///
/// **Records.** TLS sends records of at most 16 KiB, and a record counts as a whole. If the time
/// runs out, or a signal ends the call, while the connection has taken only a part of a record, the
/// record counts as sent: the rest is kept, and every later call sends it first. In non-blocking
/// mode such a record counts as not sent, the call reports `want_write`, and the next `send` must
/// begin with the same bytes.
///
/// **The end.** A peer that closes the session properly ends the stream: receiving returns nothing.
/// Where the connection ends without its closing alert, something may be missing: that is
/// `ssl_eof_error`, unless `suppress_ragged_eofs` was asked for, or this end was shut down for
/// receiving. A client that only sends must call `close()` or `unwrap()`: the destructor does not
/// wait, and data can be lost if the server's tickets arrive after it.
///
/// **fork.** Only the process that made the handshake sends the closing alert when a connection is
/// closed or destroyed. `detach` leaves a connection to a child.
///
/// **Errors.** `sslerror` and the classes below it, `timeout`, `connection_reset_error`,
/// `broken_pipe_error`, `error`. After `close`, `unwrap` or a move every call fails with EBADF, but
/// for the readers; before the handshake nothing is sent or received
/// (`ssl_errc::handshake_missing`). After an `sslerror` that is neither want-read, want-write nor
/// eof the session is lost: close it. If sending fails because the peer has closed, or because this
/// end was shut down for sending, what has come can still be received. SIGPIPE is never raised.
///
/// **Threads.** OpenSSL wants a session used by one thread at a time; the session has a lock, which
/// is not held while a call waits, and which a thread gets after a bounded step of another. One
/// thread may receive while another sends,
/// and any thread may call shutdown, settimeout, setblocking, gettimeout, fileno, pending and the
/// readers of the session. Two threads that send, or two that receive, mix up each other's bytes.
/// close, unwrap, moves and destruction need the object to themselves.
class PYSOCK_SSL_API ssl_socket {
 public:
  /// A closed one, to be assigned later.
  explicit ssl_socket(std::nullptr_t) noexcept {}
  /// Leaves `other` closed.
  ssl_socket(ssl_socket&& other) noexcept = default;
  /// Closes this one first, as destruction does, then leaves `other` closed.
  ssl_socket& operator=(ssl_socket&& other) noexcept;
  /// Closes without waiting, and ignores failures: the closing alert is sent if the connection
  /// takes it at once.
  ~ssl_socket();

  /// Shakes hands, where `wrap_options::do_handshake_on_connect(false)` put that off; does nothing
  /// the second time. The timeout is for the whole of it. \throws ssl_cert_verification_error if
  /// the peer's certificate does not pass \throws sslerror, ssl_eof_error, ssl_want_read_error,
  /// ssl_want_write_error, timeout, connection_reset_error, error ENOTCONN
  void do_handshake();
  /// \overload
  void do_handshake(std::error_code& ec) noexcept;

  /// Receives at most `bufsize` bytes, and at most what one record of TLS holds, 16 KiB; empty at
  /// the end of the stream, which lasts. \throws ssl_eof_error if the connection ended without a
  /// closing alert \throws timeout, ssl_want_read_error, ssl_want_write_error, sslerror,
  /// connection_reset_error \throws std::invalid_argument for a negative size
  [[nodiscard]] std::string recv(std::size_t bufsize = 1024);

  /// Receives into the caller's buffer.
  /// \param buffer where to \param nbytes at most so many; 0 for all of the buffer \returns bytes
  /// received, 0 at the end of the stream \throws as `recv` \throws std::invalid_argument if
  /// `nbytes` exceeds the buffer
  std::size_t recv_into(mutable_bytes buffer, std::size_t nbytes = 0);
  /// \overload
  std::size_t recv_into(mutable_bytes buffer, std::error_code& ec) noexcept {
    return recv_into(buffer, 0, ec);
  }
  /// \overload
  std::size_t recv_into(mutable_bytes buffer, std::size_t nbytes, std::error_code& ec) noexcept;

  /// Receives exactly `size` bytes; the timeout is for the whole of it. As `socket::recv_exactly`.
  /// \param size how many bytes; 0 returns at once \throws incomplete_read_error at the end of the
  /// stream, with what came \throws as `recv`; `transferred()` tells how many bytes had come, which
  /// are lost: `recv_exactly_into` keeps them
  [[nodiscard]] std::string recv_exactly(std::size_t size);

  /// Fills the caller's buffer; the timeout is for the whole of it. As `socket::recv_exactly_into`.
  /// \param buffer where to \returns the buffer's size \throws as `recv_exactly`; `transferred()`
  /// bytes are in the buffer
  std::size_t recv_exactly_into(mutable_bytes buffer);
  /// \overload
  /// \returns bytes in the buffer, also on failure, which is `errc::incomplete_read` at the end of
  /// the stream
  std::size_t recv_exactly_into(mutable_bytes buffer, std::error_code& ec) noexcept;

  /// Sends some of the bytes, at most one record of TLS, 16 KiB, and returns when the connection
  /// has taken the whole record. After a timeout the record may be on its way: `transferred()`
  /// tells whether it counts, go on after it. After a want-write call again with the same bytes, or
  /// more that begin with them; others are refused (`bad write retry`). \returns bytes sent \throws
  /// timeout, ssl_want_read_error, ssl_want_write_error, sslerror, broken_pipe_error,
  /// connection_reset_error
  [[nodiscard]] std::size_t send(const_bytes data);
  /// \overload
  /// \returns bytes sent, also on failure
  [[nodiscard]] std::size_t send(const_bytes data, std::error_code& ec) noexcept;

  /// Sends all the bytes; the timeout is for the whole of it. \returns bytes sent: all
  /// \throws as `send`; `transferred()` tells how many count as sent, up to all, and the next call
  /// goes on after them
  std::size_t sendall(const_bytes data);
  /// \overload
  /// \returns bytes sent, also on failure
  std::size_t sendall(const_bytes data, std::error_code& ec) noexcept;

  /// Sends a file, by reading and sending. Parameters, result and failures are those of
  /// `socket::sendfile`; the timeout is for each wait without progress, a deadline for the whole.
  std::size_t sendfile(const file_source& file, std::int64_t offset = 0,
                       std::optional<std::int64_t> count = std::nullopt);
  /// \overload
  /// \returns bytes sent, also on failure
  std::size_t sendfile(const file_source& file, std::int64_t offset,
                       std::optional<std::int64_t> count, std::error_code& ec) noexcept;

  /// A buffered stream over the session; include `<pysock/file.hpp>`. It shares the session: the
  /// closing alert is sent when the last of the two is closed. \param mode any mix of r, w and b
  /// \param bufsize 0 unbuffered, 1 line-buffered, else the size in bytes; negative is 8192 \throws
  /// std::invalid_argument for another mode \throws error EBADF
  [[nodiscard]] file makefile(text mode = "r", int bufsize = -1);

  /// How many bytes can be received without waiting for the connection. To be asked before polling.
  /// (Python: `SSLSocket.pending`)
  [[nodiscard]] std::size_t pending() const noexcept;

  /// Waits until a receive would find something: data, which may be `pending` already, the end of
  /// the stream, or a failure of the session. Records without data, tickets for example, are taken
  /// meanwhile; it counts as a receive for other threads. Before the handshake it waits for the
  /// connection below. Mode and timeout of the session do not matter. \param timeout for this wait;
  /// 0 asks without waiting \returns whether there is something; false after the timeout \throws
  /// interrupted_error, error EBADF
  [[nodiscard]] bool wait_readable(timeout_value timeout);
  /// \overload
  [[nodiscard]] bool wait_readable(timeout_value timeout, std::error_code& ec) noexcept;
  /// Waits until a send would take something: sends what is kept of a record, and then waits until
  /// the connection takes more. It counts as a send for other threads. Otherwise as
  /// `wait_readable`.
  [[nodiscard]] bool wait_writable(timeout_value timeout);
  /// \overload
  [[nodiscard]] bool wait_writable(timeout_value timeout, std::error_code& ec) noexcept;

  /// Closes the session, waits until the peer has closed it too, and gives the connection back, to
  /// go on in clear text; what was received after the session is in it. The timeout is for the
  /// whole exchange. On failure the connection stays here, and after a timeout, a want-read or a
  /// want-write the call may be repeated. \throws timeout, ssl_want_read_error,
  /// ssl_want_write_error, ssl_eof_error; sslerror if the peer sends data instead
  [[nodiscard]] socket unwrap();
  /// \overload
  /// \returns a closed socket on failure
  [[nodiscard]] socket unwrap(std::error_code& ec) noexcept;

  /// Ends sending, receiving, or both. Ending to send includes the closing alert, so that the peer
  /// sees a clean end: with SHUT_WR it is sent as data are, with SHUT_RDWR only if that can be done
  /// at once, so that a thread that waits can be woken in any case. \param how SHUT_RD, SHUT_WR or
  /// SHUT_RDWR \throws timeout, ssl_want_write_error, error ENOTCONN, EINVAL
  void shutdown(int how);
  /// \overload
  void shutdown(int how, std::error_code& ec) noexcept;

  /// Sends the closing alert, waiting as the mode says until the connection has taken it, and
  /// closes; does not wait for the peer's. After a failure of the session, and in another process
  /// than the one that made the handshake, it sends none. A client under TLS 1.3 that has sent data
  /// and received no ticket of its server ends sending and reads until the server closes, for the
  /// smaller of the timeout and 2 s, so that a ticket that comes late does not destroy the data; in
  /// non-blocking mode it does not wait. Closing twice is silent. \throws timeout,
  /// ssl_want_write_error, interrupted_error if the alert could not be sent: the peer will then
  /// find the stream cut off; the connection is closed all the same
  void close();
  /// \overload
  void close(std::error_code& ec) noexcept;

  /// Gives up the descriptor without a closing alert and leaves this closed; what is kept of a
  /// record is dropped. The caller closes the descriptor: so a parent leaves its connection to a
  /// child. (Python: `detach`) \returns the descriptor; -1 if closed
  [[nodiscard]] native_handle_type detach() noexcept;

  /// The peer's certificate, as the handshake of this connection verified it; nothing if the peer
  /// sent none, if it was not verified, and before the handshake. (Python: None, an empty
  /// dictionary, and before the handshake ValueError)
  [[nodiscard]] std::optional<certificate> getpeercert() const;
  /// The peer's certificate as DER, verified or not; empty if it sent none, and before the
  /// handshake. (Python: `getpeercert(binary_form=True)`)
  [[nodiscard]] std::string getpeercert_der() const;
  /// The chain that was verified, as DER, from the peer's certificate to the trusted authority;
  /// empty if nothing was verified, before the handshake, and on a server that resumed a session. A
  /// client that resumed has the chain of the first handshake. (Python: `get_verified_chain`)
  [[nodiscard]] std::vector<std::string> get_verified_chain() const;
  /// The certificates that the peer sent, as DER, its own first; otherwise as
  /// `get_verified_chain`. (Python: `get_unverified_chain`)
  [[nodiscard]] std::vector<std::string> get_unverified_chain() const;
  /// The protocol that was agreed on by ALPN; nothing if there was none.
  [[nodiscard]] std::optional<std::string> selected_alpn_protocol() const;
  /// `TLSv1.2`, `TLSv1.3`; nothing before the handshake.
  [[nodiscard]] std::optional<std::string> version() const;
  /// The cipher in use; nothing before the handshake.
  [[nodiscard]] std::optional<cipher_info> cipher() const;

  /// The session, for the next connection to the same server. Under TLS 1.3 ask after something was
  /// received: the server's tickets come after the handshake. No session before it, or on the
  /// server's side.
  [[nodiscard]] ssl_session session() const;
  /// Whether the handshake resumed an earlier session.
  [[nodiscard]] bool session_reused() const noexcept;
  /// The name that this client asked for, or that the client of this server asked for (SNI); empty
  /// if none. (Python: `server_hostname`, which is a client's)
  [[nodiscard]] std::string server_hostname() const;
  /// Whether this is the server's end.
  [[nodiscard]] bool server_side() const noexcept;

  /// OpenSSL's `SSL*`, for what this class has no name for; null if closed. It belongs to the
  /// connection. Do not receive, send or shut down through it, and do not use it while another
  /// thread uses the connection.
  [[nodiscard]] void* native_handle() const noexcept;

  /// The descriptor, for poll(); call `pending` first. -1 if closed.
  [[nodiscard]] native_handle_type fileno() const noexcept;
  /// Whether calls may wait: true also in timeout mode.
  [[nodiscard]] bool getblocking() const noexcept;
  /// The timeout; `std::nullopt` if calls wait without limit, 0 if they never wait.
  [[nodiscard]] std::optional<seconds> gettimeout() const noexcept;
  /// `settimeout(std::nullopt)` or `settimeout(0)`.
  void setblocking(bool flag) { settimeout(flag ? timeout_value(std::nullopt) : timeout_value(0)); }
  /// As `socket::settimeout`. \throws error EBADF
  void settimeout(timeout_value value);
  /// As `socket::getpeername`.
  [[nodiscard]] address getpeername() const;
  /// As `socket::getsockname`.
  [[nodiscard]] address getsockname() const;
  /// As `socket::getsockopt`, for integers.
  [[nodiscard]] int getsockopt(int level, int name) const;
  /// As `socket::setsockopt`, for integers.
  void setsockopt(int level, int name, int value);

  /// Whether it is open.
  explicit operator bool() const noexcept { return fileno() != invalid_handle; }

  /// Python's repr, as `socket::to_string`: `<ssl.SSLSocket fd=3, ...>`.
  [[nodiscard]] std::string to_string() const;
  /// Prints `to_string()`.
  friend std::ostream& operator<<(std::ostream& out, const ssl_socket& s) {
    return out << s.to_string();
  }

 private:
  friend class ssl_context;
  friend class ssl_object;

  explicit ssl_socket(std::shared_ptr<detail::tls_connection> connection) noexcept;
  [[nodiscard]] detail::tls_connection& open(const char* operation) const;
  void shake_hands(const char* operation);

  std::shared_ptr<detail::tls_connection> connection_;
};

PYSOCK_EXPORTED_CLASSES_END

}  // namespace v1
}  // namespace pysock
