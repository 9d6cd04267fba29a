// SPDX-License-Identifier: MIT
/// \file
/// `ssl()` and its objects, as in Python 2.4: encrypted, without verification.
#pragma once

#include <cstddef>   // size_t, ptrdiff_t
#include <optional>  // optional
#include <string>    // string

#include "bytes.hpp"
#include "socket.hpp"
#include "ssl_error.hpp"
#include "ssl_socket.hpp"

namespace pysock {
inline namespace v1 {

PYSOCK_EXPORTED_CLASSES_BEGIN

/// The result of `ssl()`. It has a duplicate of the socket's descriptor and a copy of its timeout:
/// either may be closed first. It moves and cannot be copied; its destructor sends the closing
/// alert if it can be written at once, closes the duplicate, and does not read. Only one thread at
/// a time may use it. (Python 2.4: SSLObject)
class PYSOCK_SSL_API ssl_object {
 public:
  /// Receives `n` bytes, fewer only at the end of the stream, or everything up to it. Blocks as the
  /// mode says; the timeout is for the whole call. The data that a failed call has received is kept
  /// for the next one. \param n how many; negative for all \throws ssl_eof_error if the connection
  /// ended without a closing alert; `transferred()` bytes before the end can still be read \throws
  /// timeout, ssl_want_read_error, ssl_want_write_error, sslerror, connection_reset_error
  [[nodiscard]] std::string read(std::ptrdiff_t n = -1);

  /// Sends all the bytes. \returns how many: all \throws timeout, ssl_want_read_error,
  /// ssl_want_write_error, sslerror, broken_pipe_error, connection_reset_error; `transferred()`
  /// is the number of bytes that count as sent; continue after them
  std::size_t write(const_bytes s);

  /// The subject of the peer's certificate, which is not verified:
  /// `/C=US/O=Example/CN=www.example.com`.
  [[nodiscard]] std::string server() const;
  /// The issuer of the peer's certificate, likewise.
  [[nodiscard]] std::string issuer() const;

 private:
  friend ssl_object ssl(const socket& sock, const std::optional<file_path>& keyfile,
                        const std::optional<file_path>& certfile);

  explicit ssl_object(ssl_socket&& session);

  ssl_socket session_;
  std::string received_;  // data of failed calls
};

PYSOCK_EXPORTED_CLASSES_END

/// Makes the handshake as a client over a connected socket, which the caller keeps. It verifies
/// NOTHING: it accepts any peer, also an attacker. For programs that connect to old servers as
/// Python 2.4 did. (Python 2.4: `socket.ssl`)
///
/// \param sock a connected socket; its timeout is for the whole handshake, and a copy of it then
/// the object's \param keyfile a private key in PEM form \param certfile the certificate of that
/// key, in PEM form, with its chain; both or neither \throws sslerror if one of the files is
/// missing, cannot be used, or the handshake fails \throws timeout, connection_reset_error, error
/// ENOTCONN, EBADF; file_not_found_error
[[nodiscard,
  deprecated("ssl() verifies nothing; use create_default_context().wrap_socket(std::move(sock), "
             "server_hostname)")]] PYSOCK_SSL_API ssl_object
ssl(const socket& sock, const std::optional<file_path>& keyfile = std::nullopt,
    const std::optional<file_path>& certfile = std::nullopt);

/// Whether OpenSSL's source of random numbers is initialised, which OpenSSL does itself.
/// Thread-safe. (Python: `RAND_status`)
[[nodiscard]] PYSOCK_SSL_API bool RAND_status() noexcept;
/// Mixes bytes into OpenSSL's source of random numbers. Thread-safe. (Python: `RAND_add`;
/// OpenSSL no longer has `RAND_egd`) \param bytes the bytes \param entropy a lower bound of the
/// entropy in bytes
PYSOCK_SSL_API void RAND_add(const_bytes bytes, double entropy) noexcept;

}  // namespace v1
}  // namespace pysock
