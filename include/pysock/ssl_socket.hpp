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

/// The result of `ssl_socket::cipher`. (Python: a tuple of three)
struct cipher_info {
  std::string name;      ///< `TLS_AES_256_GCM_SHA384`, `ECDHE-RSA-AES128-GCM-SHA256`.
  std::string protocol;  ///< The version of TLS that defined it.
  int bits = 0;          ///< The number of secret bits of the key.
};

/// The state of a client's connection, with which the next one has a shorter handshake:
/// `wrap_options().session(s)`. A small handle; copies share the session. Thread-safe. (Python:
/// ssl.SSLSession)
class ssl_session {
 public:
  /// No session.
  ssl_session() noexcept = default;

  /// Whether there is one.
  explicit operator bool() const noexcept { return session_ != nullptr; }
  /// Whether it can be resumed; with TLS 1.3 only after the server's ticket has arrived, after the
  /// handshake, with the first data.
  [[nodiscard]] PYSOCK_SSL_API bool resumable() const noexcept;

 private:
  friend class ssl_context;
  friend class ssl_socket;

  std::shared_ptr<const detail::tls_session> session_;
};

PYSOCK_EXPORTED_CLASSES_BEGIN

/// A TLS session over a connection that it owns. (Python: ssl.SSLSocket)
///
/// **Modes.** As for `socket`: it has the timeout of the socket from which it was made. The timeout
/// is for one call as a whole, with all its receives and sends: a handshake, a read, a write, the
/// exchange of closing alerts. In non-blocking mode calls throw `ssl_want_read_error` or
/// `ssl_want_write_error`, depending on what the session needs next; their `error_code` overloads
/// report `ssl_errc::want_read` and `want_write`, which are
/// `std::errc::resource_unavailable_try_again`. Poll does not report data that is `pending()`.
///
/// **Records.** TLS sends records of at most 16 KiB. If the time runs out, a signal ends the call,
/// or waiting fails, when only a part of a record is written, the record counts as sent: the
/// session keeps the rest, and every later call sends it first. In non-blocking mode such a record
/// counts as not sent, the call reports `want_write`, and the next `send` must begin with the same
/// bytes.
///
/// **The end.** If the peer closes the session with a closing alert, receiving returns nothing. If
/// the connection ends without the alert, data may be missing, and receiving throws
/// `ssl_eof_error`, unless `suppress_ragged_eofs` is set, or this end was shut down for receiving.
/// A client that only sends must call `close()` or `unwrap()`: the destructor does not wait, and
/// data can be lost if the server's tickets arrive after it.
///
/// **fork.** Only the process that made the handshake sends the closing alert when a connection is
/// closed or destroyed. `detach` leaves a connection to a child.
///
/// **Errors.** `sslerror` and the classes below it, `timeout`, `connection_reset_error`,
/// `broken_pipe_error`, `error`. After `close`, `unwrap` or a move every call fails with EBADF,
/// except those that read attributes; before the handshake sending and receiving fail with
/// `ssl_errc::handshake_missing`. After an `sslerror` that is neither want-read, want-write nor eof
/// the session cannot be used: close it. If sending fails because the peer has closed, or because
/// this end was shut down for sending, data that has arrived can still be received. SIGPIPE is
/// never raised.
///
/// **Threads.** OpenSSL allows only one thread at a time to use a session; the session has a lock,
/// which a call releases while it waits and after every few records. One thread may receive while
/// another sends, and any thread may call shutdown, settimeout, setblocking, gettimeout, fileno,
/// pending and the functions that read attributes. The data of two threads that send, or two that
/// receive, is mixed. close, unwrap, moves and destruction must not run at the same time as another
/// call.
class PYSOCK_SSL_API ssl_socket {
 public:
  /// \name Opening
  /// @{

  /// A closed session, to be assigned later.
  explicit ssl_socket(std::nullptr_t) noexcept {}
  /// Leaves `other` closed.
  ssl_socket(ssl_socket&& other) noexcept = default;
  /// Closes this session first, as destruction does, then leaves `other` closed.
  ssl_socket& operator=(ssl_socket&& other) noexcept;
  /// Closes without waiting, and ignores failures: the closing alert is sent if it can be written
  /// at once.
  ~ssl_socket();

  /// Makes the handshake, after `wrap_options::do_handshake_on_connect(false)`; does nothing the
  /// second time. The timeout is for the whole handshake. \throws ssl_cert_verification_error if
  /// the verification of the peer's certificate fails \throws sslerror, ssl_eof_error,
  /// ssl_want_read_error, ssl_want_write_error, timeout, connection_reset_error, error ENOTCONN
  void do_handshake();
  /// \overload
  void do_handshake(std::error_code& ec) noexcept;

  /// @}

  /// \name Sending and receiving
  /// @{

  /// Receives at most `bufsize` bytes, and at most one record of TLS, 16 KiB; empty at the end of
  /// the stream, also for later calls. \throws ssl_eof_error if the connection ended without a
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
  /// stream, with the received bytes \throws as `recv`; `transferred()` is the number of received
  /// bytes, which are lost: `recv_exactly_into` keeps them
  [[nodiscard]] std::string recv_exactly(std::size_t size);

  /// Fills the caller's buffer; the timeout is for the whole of it. As `socket::recv_exactly_into`.
  /// \param buffer where to \returns the buffer's size \throws as `recv_exactly`; `transferred()`
  /// bytes are in the buffer
  std::size_t recv_exactly_into(mutable_bytes buffer);
  /// \overload
  /// \returns bytes in the buffer, also on failure, which is `errc::incomplete_read` at the end of
  /// the stream
  std::size_t recv_exactly_into(mutable_bytes buffer, std::error_code& ec) noexcept;

  /// Sends some of the bytes, at most one record of TLS, 16 KiB, and returns when the whole record
  /// is written. After a timeout a part of the record may be written: `transferred()` includes the
  /// record if it counts as sent; continue after it. After a want-write call it again with the same
  /// bytes, or more that begin with them; others are rejected (`bad write retry`). \returns bytes
  /// sent \throws timeout, ssl_want_read_error, ssl_want_write_error, sslerror, broken_pipe_error,
  /// connection_reset_error
  [[nodiscard]] std::size_t send(const_bytes data);
  /// \overload
  /// \returns bytes sent, also on failure
  [[nodiscard]] std::size_t send(const_bytes data, std::error_code& ec) noexcept;

  /// Sends all the bytes; the timeout is for the whole of it. \returns bytes sent: all
  /// \throws as `send`; `transferred()` is the number of bytes that count as sent, up to all;
  /// continue after them
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

  /// A buffered stream over the session; include `<pysock/file.hpp>`. File and socket share the
  /// session: the closing alert is sent when the last of the two is closed. \param mode any mix of
  /// r, w and b \param bufsize 0 unbuffered, 1 line-buffered, else the size in bytes; negative is
  /// 8192 \throws std::invalid_argument for another mode \throws error EBADF
  [[nodiscard]] file makefile(text mode = "r", int bufsize = -1);

  /// How many bytes can be received without waiting for the connection. Call it before polling.
  /// (Python: `SSLSocket.pending`)
  [[nodiscard]] std::size_t pending() const noexcept;

  /// Waits until a receive would return: with data, which may be `pending` already, with the end of
  /// the stream, or with a failure of the session. It processes records without data, for example
  /// tickets; for other threads it counts as a receive. Before the handshake it waits for the
  /// connection below. The mode and the timeout of the session have no effect. \param timeout for
  /// this wait; 0 does not wait \returns whether a receive would return; false after the timeout
  /// \throws interrupted_error, error EBADF
  [[nodiscard]] bool wait_readable(timeout_value timeout);
  /// \overload
  [[nodiscard]] bool wait_readable(timeout_value timeout, std::error_code& ec) noexcept;
  /// Waits until a send would accept data: sends the rest of a record of which only a part is
  /// written, and then waits until the connection can be written. For other threads it counts as a
  /// send. Otherwise as `wait_readable`.
  [[nodiscard]] bool wait_writable(timeout_value timeout);
  /// \overload
  [[nodiscard]] bool wait_writable(timeout_value timeout, std::error_code& ec) noexcept;

  /// @}

  /// \name Closing
  /// @{

  /// Closes the session, waits until the peer has closed it too, and returns the connection for
  /// clear text; data received after the session can be received from it. The timeout is for the
  /// whole exchange. On failure the session keeps the connection, and after a timeout, a want-read
  /// or a want-write the call may be repeated. \throws timeout, ssl_want_read_error,
  /// ssl_want_write_error, ssl_eof_error; sslerror if the peer sends data instead
  [[nodiscard]] socket unwrap();
  /// \overload
  /// \returns a closed socket on failure
  [[nodiscard]] socket unwrap(std::error_code& ec) noexcept;

  /// Ends sending, receiving, or both. Ending sending includes the closing alert: with SHUT_WR it
  /// is sent like data, with SHUT_RDWR only if it can be written at once, so that shutdown can wake
  /// a waiting thread in any case. \param how SHUT_RD, SHUT_WR or SHUT_RDWR \throws timeout,
  /// ssl_want_write_error, error ENOTCONN, EINVAL
  void shutdown(int how);
  /// \overload
  void shutdown(int how, std::error_code& ec) noexcept;

  /// Sends the closing alert, waiting as the mode allows until it is written, and closes; does not
  /// wait for the peer's alert. After a failure of the session, and in another process than the one
  /// that made the handshake, it sends none. A client with TLS 1.3 that has sent data and received
  /// no ticket of its server ends sending and reads until the server closes, for the smaller of the
  /// timeout and 2 s, because a late ticket would otherwise cause a reset that destroys the data;
  /// in non-blocking mode it does not wait. Does nothing if closed. \throws timeout,
  /// ssl_want_write_error, interrupted_error, error if the alert could not be sent although the
  /// peer may be there: it then sees the end without the alert; the connection is closed in any
  /// case
  void close();
  /// \overload
  void close(std::error_code& ec) noexcept;

  /// Releases the descriptor without a closing alert and leaves this closed; the rest of a record
  /// is dropped. The caller must close the descriptor. A parent does this to leave its connection
  /// to a child. (Python: `detach`) \returns the descriptor; -1 if closed
  [[nodiscard]] native_handle_type detach() noexcept;

  /// @}

  /// \name The peer and the session
  /// @{

  /// The peer's certificate, if the handshake of this connection verified it; nothing if the peer
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
  /// The protocol negotiated by ALPN; nothing if there is none.
  [[nodiscard]] std::optional<std::string> selected_alpn_protocol() const;
  /// `TLSv1.2`, `TLSv1.3`; nothing before the handshake.
  [[nodiscard]] std::optional<std::string> version() const;
  /// The cipher in use; nothing before the handshake.
  [[nodiscard]] std::optional<cipher_info> cipher() const;

  /// The session, for the next connection to the same server. With TLS 1.3 call it after data was
  /// received, because the server's tickets arrive after the handshake. No session before the
  /// handshake, or on the server's side.
  [[nodiscard]] ssl_session session() const;
  /// Whether the handshake resumed an earlier session.
  [[nodiscard]] bool session_reused() const noexcept;
  /// The name that the client requested (SNI), on either side; empty if none. (Python:
  /// `server_hostname`, only of a client)
  [[nodiscard]] std::string server_hostname() const;
  /// Whether this is the server's end.
  [[nodiscard]] bool server_side() const noexcept;

  /// OpenSSL's `SSL*`, for functions of OpenSSL that this class does not have; null if closed. The
  /// connection owns it. Do not receive, send or shut down through it, and do not use it while
  /// another thread uses the connection.
  [[nodiscard]] void* native_handle() const noexcept;

  /// @}

  /// \name The connection below
  /// @{

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
  /// @}

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
