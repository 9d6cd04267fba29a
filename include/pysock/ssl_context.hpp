// SPDX-License-Identifier: MIT
/// \file
/// What TLS connections have in common: whom to trust, own certificates, versions, ciphers.
#pragma once

#include <functional>   // function
#include <memory>       // shared_ptr
#include <optional>     // optional
#include <string>       // string
#include <type_traits>  // enable_if_t
#include <utility>      // move
#include <vector>       // vector

#include "bytes.hpp"
#include "file_path.hpp"
#include "socket.hpp"
#include "ssl_socket.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

class tls_context;

}  // namespace detail

/// Which end of a connection a context is for. (Python: ssl.PROTOCOL_TLS_CLIENT,
/// ssl.PROTOCOL_TLS_SERVER)
enum ssl_protocol {
  PROTOCOL_TLS_CLIENT,  ///< A client: certificate and host name are verified by default.
  PROTOCOL_TLS_SERVER,  ///< A server: no certificates of clients are requested by default.
};

/// Which peer a default context verifies. (Python: ssl.Purpose)
enum class Purpose {
  SERVER_AUTH,  ///< Servers: the context is for a client.
  CLIENT_AUTH,  ///< Clients: the context is for a server.
};

/// How the peer's certificate is verified. (Python: ssl.VerifyMode)
enum VerifyMode {
  CERT_NONE,      ///< No verification. A server does not ask for a certificate.
  CERT_OPTIONAL,  ///< A server asks its client for one, and verifies it if there is one; for a
                  ///< client as CERT_REQUIRED.
  CERT_REQUIRED,  ///< There must be a certificate, and its verification must succeed.
};

/// How strictly chains are verified; values may be combined. The numbers are OpenSSL's. (Python:
/// ssl.VerifyFlags)
enum VerifyFlags : unsigned long {
  VERIFY_DEFAULT = 0,            ///< OpenSSL's defaults.
  VERIFY_CRL_CHECK_LEAF = 0x4,   ///< The certificate must not be on its issuer's revocation list,
                                 ///< which must have been loaded.
  VERIFY_CRL_CHECK_CHAIN = 0xc,  ///< The same for all of the chain.
  VERIFY_X509_STRICT = 0x20,     ///< Reject certificates that violate RFC 5280.
  VERIFY_X509_TRUSTED_FIRST =
      0x8000,  ///< Prefers issuers from the trust store to those that the peer sent.
  VERIFY_X509_PARTIAL_CHAIN = 0x80000,  ///< Any certificate in the trust store ends a chain.
};

/// Versions of TLS; older versions are not supported. (Python: ssl.TLSVersion)
enum class TLSVersion {
  MINIMUM_SUPPORTED = -2,  ///< The minimum: TLS 1.2.
  MAXIMUM_SUPPORTED = -1,  ///< The newest version of OpenSSL.
  TLSv1_2 = 0x0303,        ///< TLS 1.2.
  TLSv1_3 = 0x0304,        ///< TLS 1.3.
};

/// The password of a private key: text, or a function that returns it, which is called only if the
/// key is encrypted.
class key_password {
 public:
  /// No password: an encrypted key is rejected. The password is never read from a terminal.
  key_password() noexcept = default;
  /// This one.
  template <class T, std::enable_if_t<std::is_convertible_v<T&&, text>, int> = 0>
  key_password(T&& password)
      : ask_([copy = text(std::forward<T>(password)).str()] { return copy; }) {}
  /// The result of `ask()`; `load_cert_chain` throws its exceptions.
  template <class F, std::enable_if_t<!std::is_convertible_v<F&&, text> &&
                                          std::is_convertible_v<F&&, std::function<std::string()>>,
                                      int> = 0>
  key_password(F&& ask) : ask_(std::forward<F>(ask)) {}

  /// The function; empty if there is no password.
  [[nodiscard]] const std::function<std::string()>& ask() const noexcept { return ask_; }

 private:
  std::function<std::string()> ask_;
};

/// Optional parameters of `wrap_socket` and `wrap_server`.
class wrap_options {
 public:
  /// Whether wrapping makes the handshake; default: true. For non-blocking sockets it must be
  /// false; call `do_handshake` later.
  wrap_options& do_handshake_on_connect(bool value) noexcept {
    do_handshake_on_connect_ = value;
    return *this;
  }
  /// Whether the end of a connection without the closing alert is treated as the end of the stream;
  /// default: false. Only for protocols that detect missing data themselves. (Python's default is
  /// true)
  wrap_options& suppress_ragged_eofs(bool value) noexcept {
    suppress_ragged_eofs_ = value;
    return *this;
  }
  /// A session of an earlier connection to the same name, made with the same context, to be resumed
  /// if the server agrees, and if no setting of the context that affects the verification has
  /// changed. Clients only.
  wrap_options& session(ssl_session value) noexcept {
    session_ = std::move(value);
    return *this;
  }

  [[nodiscard]] bool do_handshake_on_connect() const noexcept {
    return do_handshake_on_connect_;
  }  ///< As set.
  [[nodiscard]] bool suppress_ragged_eofs() const noexcept {
    return suppress_ragged_eofs_;
  }                                                                               ///< As set.
  [[nodiscard]] const ssl_session& session() const noexcept { return session_; }  ///< As set.

 private:
  bool do_handshake_on_connect_ = true;
  bool suppress_ragged_eofs_ = false;
  ssl_session session_;
};

PYSOCK_EXPORTED_CLASSES_BEGIN

/// The common settings of TLS connections. (Python: ssl.SSLContext)
///
/// TLS 1.2 or newer, no compression, no renegotiation, ciphers with forward secrecy and without
/// SHA-1, at the security level of the system's OpenSSL configuration. `create_default_context`
/// makes a context that is ready for use.
///
/// **Lifetime.** The context may be destroyed before its connections.
///
/// **Threads.** Any number of threads may wrap sockets with one context, and change its settings at
/// the same time: a connection has the settings of the moment when it was wrapped. Moving and
/// destroying the context require external synchronisation.
///
/// **Sessions.** After a change of a setting that affects the verification of peers, earlier
/// sessions are not resumed: the next handshake is a full one.
class PYSOCK_SSL_API ssl_context {
 public:
  /// \name Making
  /// @{

  /// A context that trusts no authority yet, and has no certificate of its own. A client's context
  /// verifies certificate and host name. \throws sslerror
  explicit ssl_context(ssl_protocol protocol);
  /// `other` can then only be assigned or destroyed.
  ssl_context(ssl_context&& other) noexcept = default;
  /// \overload
  ssl_context& operator=(ssl_context&& other) noexcept = default;
  /// Connections can still be used.
  ~ssl_context();

  /// @}

  /// \name Certificates and authorities
  /// @{

  /// Loads the own certificate, the chain above it, and its private key, from PEM files. A call
  /// that fails changes nothing; one that succeeds replaces all three at once, also while other
  /// threads wrap sockets: a connection has either the old or the new ones.
  /// \param certfile the certificate and then its chain \param keyfile the private key; by default
  /// it is in `certfile` \param password for an encrypted key \throws file_not_found_error,
  /// permission_error \throws sslerror for files without a certificate or key, for a missing or
  /// wrong password (`ssl_errc::password_missing`, `wrong_password`), and for a key that does not
  /// belong to the certificate \throws std::invalid_argument for a NUL in a path, and a password
  /// over 1024 bytes
  void load_cert_chain(const file_path& certfile,
                       const std::optional<file_path>& keyfile = std::nullopt,
                       const key_password& password = key_password());
  /// The same from PEM text in memory. (Python has no such function)
  /// \param certificates the certificate and then its chain \param key the private key; it may be
  /// the same text \param password for an encrypted key \throws as `load_cert_chain`
  void load_cert_chain_data(const text& certificates, const text& key,
                            const key_password& password = key_password());

  /// Adds authorities to the trusted ones. A call that fails changes nothing.
  /// \param cafile a file of PEM certificates and revocation lists \param capath a folder of them,
  /// by hashed names (`openssl rehash`), which is read when it is needed \param cadata PEM
  /// certificates and revocation lists as text \throws std::invalid_argument if all are missing, or
  /// for a NUL in a path \throws file_not_found_error for a file or folder that does not exist,
  /// error ENOTDIR \throws sslerror for files and text without a certificate
  void load_verify_locations(const std::optional<file_path>& cafile,
                             const std::optional<file_path>& capath = std::nullopt,
                             const std::optional<text>& cadata = std::nullopt);

  /// Trusts the authorities of the system: OpenSSL's default file and folder, which SSL_CERT_FILE
  /// and SSL_CERT_DIR in the environment replace; on Windows also the certificates for servers in
  /// the system's stores ROOT and CA; on macOS also the system's, and those that the user or the
  /// administrator trusts for servers in the keychain, less what one of them distrusts. \throws
  /// file_not_found_error if SSL_CERT_FILE names a file that does not exist \throws sslerror
  void load_default_certs();

  /// @}

  /// \name Verification and protocol
  /// @{

  /// How the peer's certificate is verified. \throws std::invalid_argument for CERT_NONE while
  /// host names are checked
  ssl_context& verify_mode(VerifyMode value);
  [[nodiscard]] VerifyMode verify_mode() const noexcept;  ///< As set.

  /// Whether the peer's certificate must be for the requested name; default: true for clients.
  /// Setting it changes CERT_NONE to CERT_REQUIRED. Names are compared only with the certificate's
  /// alternative names, never with its common name; a wildcard matches one whole label. \throws
  /// std::invalid_argument for true on a server's context
  ssl_context& check_hostname(bool value);
  [[nodiscard]] bool check_hostname() const noexcept;  ///< As set.

  /// How chains are verified: VERIFY_*. \throws sslerror
  ssl_context& verify_flags(unsigned long value);
  [[nodiscard]] unsigned long verify_flags() const noexcept;  ///< As set.

  /// The oldest version allowed; default: TLS 1.2, or a higher one of the system's configuration.
  /// \throws std::invalid_argument for one that is above `maximum_version`, or no TLSVersion
  /// \throws sslerror
  ssl_context& minimum_version(TLSVersion value);
  [[nodiscard]] TLSVersion minimum_version() const noexcept;  ///< As set.
  /// The newest version allowed; default: the newest. \throws std::invalid_argument for one that
  /// is below `minimum_version`, or no TLSVersion \throws sslerror
  ssl_context& maximum_version(TLSVersion value);
  [[nodiscard]] TLSVersion maximum_version() const noexcept;  ///< As set.

  /// The ciphers allowed, as a list of OpenSSL: `ECDHE+AESGCM`. Those of TLS 1.3 are always
  /// allowed. \throws sslerror if it selects none
  void set_ciphers(const text& ciphers);

  /// The protocols above TLS for ALPN, the preferred one first: `{"h2", "http/1.1"}`. A server
  /// chooses the first of its own that the client offers; if there is none, no protocol is
  /// negotiated. \throws std::invalid_argument for one that is empty or over 255 bytes, or too many
  void set_alpn_protocols(const std::vector<std::string>& protocols);

  /// How many tickets a server sends after a full handshake of TLS 1.3; default: 2. After a resumed
  /// one it sends one. They are sent with the first data: a client that never receives data gets no
  /// ticket, and cannot resume. 0: none. \throws std::invalid_argument for a negative number, and
  /// on a client's context
  ssl_context& num_tickets(int value);
  [[nodiscard]] int num_tickets() const noexcept;  ///< As set.

  /// @}

  /// \name Server names, key log and OpenSSL
  /// @{

  /// Lets a server choose a context by the name that the client requests (SNI). `choose` is called
  /// at the beginning of each handshake, in its thread, at the same time in several threads, and
  /// with an empty name if the client sends none. It returns a server's context whose certificate,
  /// authorities, verification, versions, ciphers, ALPN and number of tickets apply to this
  /// connection, or a null pointer to go on with this context. If it throws, or returns a client's
  /// context, the handshake fails, and the client gets the alert `unrecognized_name`. `choose` must
  /// not use the connection. An empty function removes the callback. (Python:
  /// `SSLContext.sni_callback`) \throws std::invalid_argument on a client's context
  ssl_context& sni_callback(
      std::function<const ssl_context*(const std::string& server_name)> choose);

  /// Appends the secrets of all connections to this file, for programs such as Wireshark, which can
  /// then decrypt the connections. An empty path ends it. (Python: `SSLContext.keylog_filename`)
  /// \throws file_not_found_error, permission_error, sslerror
  ssl_context& keylog_filename(const file_path& path);
  [[nodiscard]] std::string keylog_filename() const;  ///< As set; empty if there is none.

  /// OpenSSL's `SSL_CTX*`, for functions of OpenSSL that this class does not have. The context owns
  /// it. Do not change the session id context, the callbacks for passwords, ALPN, the client hello
  /// and the key log, and the number of tickets.
  [[nodiscard]] void* native_handle() const noexcept;

  /// @}

  /// \name Wrapping
  /// @{

  /// Makes the handshake as a client over a connected socket, of which it takes ownership. On any
  /// failure the socket is closed. \param s a connected SOCK_STREAM socket; its timeout is for the
  /// whole handshake, and then the session's \param server_hostname the name or the IP address for
  /// which the peer's certificate must be. A name is also sent to the server (SNI).
  ///   Without a name `check_hostname` must be off
  /// \param options handshake, truncation, session
  /// \throws std::invalid_argument, before anything is sent, for a name that is empty, begins with
  /// a dot, holds a NUL or anything but ASCII
  ///   (give international names in their `xn--` form), ends in a number without being an address
  ///   (`127.0.0.1.`), has brackets, or is too long; for a missing name, a
  ///   non-blocking socket with a handshake, one that is not SOCK_STREAM, a session of
  ///   another context or name, and for a context that is a server's
  /// \throws ssl_cert_verification_error and whatever else `ssl_socket::do_handshake` throws
  [[nodiscard]] ssl_socket wrap_socket(socket&& s, const std::optional<text>& server_hostname,
                                       const wrap_options& options = {}) const;

  /// Makes the handshake as a server over an accepted socket, of which it takes ownership.
  /// Otherwise as `wrap_socket`. (Python: `server_side=True`)
  [[nodiscard]] ssl_socket wrap_server(socket&& s, const wrap_options& options = {}) const;

  /// @}

 private:
  std::shared_ptr<detail::tls_context> context_;
};

PYSOCK_EXPORTED_CLASSES_END

/// A context with safe settings. For a client: certificate and host name are verified, strictly,
/// with the authorities in `cafile` or, without it, those of the system. For a server: it needs
/// `load_cert_chain`, and requests no certificates of clients. SSLKEYLOGFILE in the environment
/// names the `keylog_filename`. (Python: `ssl.create_default_context`) \throws
/// file_not_found_error, permission_error, sslerror
[[nodiscard]] PYSOCK_SSL_API ssl_context create_default_context(
    Purpose purpose = Purpose::SERVER_AUTH, const std::optional<file_path>& cafile = std::nullopt);

}  // namespace v1
}  // namespace pysock
