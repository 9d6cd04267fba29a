// SPDX-License-Identifier: MIT
/// \file
/// The additional exceptions of the component `ssl`, and their error codes.
///
/// There are three categories for failures of TLS: `ssl_category()` for the state of the session
/// (`ssl_errc`, Python's SSL_ERROR_* numbers), `openssl_category()` for OpenSSL's own reasons
/// (`wrong version number`, `tlsv1 alert unknown ca`), and `verification_category()` for a
/// certificate whose verification failed (`certificate has expired`). Failures of the connection
/// below and expired timeouts are the same as without TLS: `connection_reset_error`,
/// `broken_pipe_error`, `timeout`.
#pragma once

#include <string>        // string
#include <system_error>  // error_code, error_category
#include <type_traits>   // true_type

#include "error.hpp"

// Macros, as OpenSSL has them: its headers may come before or after this one. The values of the
// last three are Python's.
#ifndef SSL_ERROR_SSL
#define SSL_ERROR_SSL 1               ///< The library failed, or the peer sent something invalid.
#define SSL_ERROR_WANT_READ 2         ///< Something must be received first.
#define SSL_ERROR_WANT_WRITE 3        ///< Something must be sent first.
#define SSL_ERROR_WANT_X509_LOOKUP 4  ///< Never seen here.
#define SSL_ERROR_SYSCALL 5           ///< The connection below failed, without saying how.
#define SSL_ERROR_ZERO_RETURN 6       ///< The peer has closed the session.
#define SSL_ERROR_WANT_CONNECT 7      ///< Never seen here.
#endif
#ifndef SSL_ERROR_EOF
#define SSL_ERROR_EOF 8  ///< The connection ended without the peer having closed the session.
#define SSL_ERROR_INVALID_ERROR_CODE 10  ///< Never seen here.
#endif

#if defined(PYSOCK_SSL_BUILDING)
#define PYSOCK_SSL_API PYSOCK_EXPORT
#else
/// Marks the exported symbols of the library of the component `ssl`, which imports those of the
/// core.
#define PYSOCK_SSL_API PYSOCK_IMPORT
#endif

namespace pysock {
inline namespace v1 {

/// The state of a TLS session. The numbers up to 10 are Python's SSL_ERROR_*.
enum class ssl_errc {
  ssl = SSL_ERROR_SSL,  ///< A failure without a more precise reason.
  want_read =
      SSL_ERROR_WANT_READ,  ///< In non-blocking mode: go on once the descriptor is readable.
  want_write =
      SSL_ERROR_WANT_WRITE,  ///< In non-blocking mode: go on once the descriptor is writable.
  want_x509_lookup = SSL_ERROR_WANT_X509_LOOKUP,  ///< Never seen here.
  syscall = SSL_ERROR_SYSCALL,  ///< The connection below failed, without saying how.
  zero_return =
      SSL_ERROR_ZERO_RETURN,  ///< The peer closed the session in the middle of an operation.
  want_connect = SSL_ERROR_WANT_CONNECT,  ///< Never seen here.
  eof = SSL_ERROR_EOF,  ///< The connection ended without a closing alert: data may be missing.
  invalid_error_code = SSL_ERROR_INVALID_ERROR_CODE,  ///< Never seen here.
  handshake_missing = 101,                            ///< Data before the handshake.
  key_and_certificate,                                ///< `ssl()` with one of the two files.
  password_missing,  ///< The private key is encrypted, and there is no password.
  wrong_password,    ///< The password does not decrypt the private key.
};

/// The category of `ssl_errc`. want_read and want_write are
/// `std::errc::resource_unavailable_try_again`. Thread-safe.
[[nodiscard]] PYSOCK_SSL_API const std::error_category& ssl_category() noexcept;
/// The category of OpenSSL's own error codes. Its messages are Python's: `[SSL:
/// WRONG_VERSION_NUMBER] wrong version number`. Thread-safe.
[[nodiscard]] PYSOCK_SSL_API const std::error_category& openssl_category() noexcept;
/// The category of verification errors of certificates: X509_V_ERR_* numbers. Messages: `[SSL:
/// CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired`. Thread-safe.
[[nodiscard]] PYSOCK_SSL_API const std::error_category& verification_category() noexcept;

/// For `std::error_code ec = ssl_errc::eof`.
[[nodiscard]] inline std::error_code make_error_code(ssl_errc e) noexcept {
  return {static_cast<int>(e), ssl_category()};
}

PYSOCK_EXPORTED_CLASSES_BEGIN

/// Any failure of TLS. `errnum()` is one of SSL_ERROR_*. (Python: `socket.sslerror`, today
/// `ssl.SSLError`) Copying never throws.
class PYSOCK_SSL_API sslerror : public error {
 public:
  using error::error;

  /// The part of OpenSSL that failed: `SSL`, `X509`, `PEM`; empty if the failure is not OpenSSL's.
  /// (Python: `e.library`)
  [[nodiscard]] std::string library() const;
  /// The reason as a word: `WRONG_VERSION_NUMBER`, `CERTIFICATE_VERIFY_FAILED`; empty if there is
  /// none. A failure has the same word with OpenSSL 3.0 to 3.6. (Python: `e.reason`)
  [[nodiscard]] std::string reason() const;
};

/// In non-blocking mode: the session needs data from the connection. Wait until the descriptor is
/// readable. (Python: ssl.SSLWantReadError)
class PYSOCK_SSL_API ssl_want_read_error : public sslerror {
  using sslerror::sslerror;
};

/// In non-blocking mode: nothing can be sent. Wait until the descriptor is writable. (Python:
/// ssl.SSLWantWriteError)
class PYSOCK_SSL_API ssl_want_write_error : public sslerror {
  using sslerror::sslerror;
};

/// The peer closed the session in the middle of an operation; for a receive that is not an error,
/// but the end of the stream. (Python: ssl.SSLZeroReturnError)
class PYSOCK_SSL_API ssl_zero_return_error : public sslerror {
  using sslerror::sslerror;
};

/// The connection ended without a closing alert: data may be missing, for example because of an
/// attacker. (Python: ssl.SSLEOFError)
class PYSOCK_SSL_API ssl_eof_error : public sslerror {
  using sslerror::sslerror;
};

/// The verification of the peer's certificate failed. (Python: ssl.SSLCertVerificationError)
class PYSOCK_SSL_API ssl_cert_verification_error : public sslerror {
 public:
  using sslerror::sslerror;

  /// The X509_V_ERR_* number. (Python: `e.verify_code`)
  [[nodiscard]] int verify_code() const noexcept { return code().value(); }
  /// The reason: `certificate has expired`, `hostname mismatch`. (Python:
  /// `e.verify_message`)
  [[nodiscard]] std::string verify_message() const;
};

PYSOCK_EXPORTED_CLASSES_END

}  // namespace v1
}  // namespace pysock

/// Lets `ssl_errc` values be compared with error codes.
template <>
struct std::is_error_code_enum<pysock::ssl_errc> : std::true_type {};
