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
  PROTOCOL_TLS_CLIENT,  ///< A client: certificate and host name are verified until told otherwise.
  PROTOCOL_TLS_SERVER,  ///< A server: clients are not asked for a certificate until told otherwise.
};

/// Which peer a default context verifies. (Python: ssl.Purpose)
enum class Purpose {
  SERVER_AUTH,  ///< Servers: the context is for a client.
  CLIENT_AUTH,  ///< Clients: the context is for a server.
};

/// What is asked of the peer's certificate. (Python: ssl.VerifyMode)
enum VerifyMode {
  CERT_NONE,      ///< No verification. A server does not ask for a certificate.
  CERT_OPTIONAL,  ///< A server asks its client for one, and verifies it if there is one; for a
                  ///< client as CERT_REQUIRED.
  CERT_REQUIRED,  ///< There must be one, and it must pass.
};

/// How strictly chains are verified; values may be combined. The numbers are OpenSSL's. (Python:
/// ssl.VerifyFlags)
enum VerifyFlags : unsigned long {
  VERIFY_DEFAULT = 0,            ///< OpenSSL's own ways.
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
  MINIMUM_SUPPORTED = -2,  ///< The oldest: TLS 1.2.
  MAXIMUM_SUPPORTED = -1,  ///< The newest that OpenSSL knows.
  TLSv1_2 = 0x0303,        ///< TLS 1.2.
  TLSv1_3 = 0x0304,        ///< TLS 1.3.
};

/// The password of a private key: text, or something to call that returns it, called only if the
/// key is encrypted.
class key_password {
 public:
  /// None: an encrypted key is refused. Nobody is ever asked at a terminal.
  key_password() noexcept = default;
  /// This one.
  template <class T, std::enable_if_t<std::is_convertible_v<T&&, text>, int> = 0>
  key_password(T&& password)
      : ask_([copy = text(std::forward<T>(password)).str()] { return copy; }) {}
  /// What `ask()` returns; what it throws comes out of `load_cert_chain`.
  template <class F, std::enable_if_t<!std::is_convertible_v<F&&, text> &&
                                          std::is_convertible_v<F&&, std::function<std::string()>>,
                                      int> = 0>
  key_password(F&& ask) : ask_(std::forward<F>(ask)) {}

  /// What to call; empty if there is no password.
  [[nodiscard]] const std::function<std::string()>& ask() const noexcept { return ask_; }

 private:
  std::function<std::string()> ask_;
};

/// What `wrap_socket` and `wrap_server` take beyond the socket and the name.
class wrap_options {
 public:
  /// Whether the handshake is done while wrapping; default: true. Non-blocking sockets must say
  /// false, and call `do_handshake` later.
  wrap_options& do_handshake_on_connect(bool value) noexcept {
    do_handshake_on_connect_ = value;
    return *this;
  }
  /// Whether a connection that ends without the closing alert passes for a proper end; default:
  /// false. To be used where the protocol above tells by itself whether something is missing.
  /// (Python's default is true)
  wrap_options& suppress_ragged_eofs(bool value) noexcept {
    suppress_ragged_eofs_ = value;
    return *this;
  }
  /// A session of an earlier connection to the same name, made with the same context, to be resumed
  /// if the server agrees, and if no setting of the context has changed that could refuse the peer.
  /// Clients only.
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

/// What TLS connections have in common. (Python: ssl.SSLContext)
///
/// TLS 1.2 or newer, no compression, no renegotiation, ciphers with forward secrecy and without
/// SHA-1, at the security level of the system's OpenSSL configuration. `create_default_context`
/// makes one that is ready for use.
///
/// **Lifetime.** Connections keep what they need: the context may be destroyed before them.
///
/// **Threads.** Any number of threads may wrap sockets with one context, and change its settings
/// meanwhile: a connection has the settings of the moment when it was wrapped. Moving and
/// destroying the context require external synchronisation.
///
/// **Sessions.** A change of a setting by which peers are judged ends the resumption of earlier
/// sessions: the next handshake is a full one.
class PYSOCK_SSL_API ssl_context {
 public:
  /// A context that trusts no authority yet, and has no certificate of its own. A client's verifies
  /// certificate and host name. \throws sslerror
  explicit ssl_context(ssl_protocol protocol);
  /// Leaves `other` fit only for assignment and destruction.
  ssl_context(ssl_context&& other) noexcept = default;
  /// \overload
  ssl_context& operator=(ssl_context&& other) noexcept = default;
  /// Connections live on.
  ~ssl_context();

  /// Loads the own certificate, the chain above it, and its private key, from PEM files. A call
  /// that fails changes nothing; one that succeeds replaces all three at once, also while other
  /// threads wrap sockets: a connection has either the old or the new ones.
  /// \param certfile the certificate and then its chain \param keyfile the private key; by default
  /// it is in `certfile` \param password for an encrypted key \throws file_not_found_error,
  /// permission_error \throws sslerror for files without a certificate or key, for a missing or
  /// wrong password (`ssl_errc::password_missing`, `wrong_password`), and for a key that is another
  /// certificate's \throws std::invalid_argument for a NUL in a path, and a password over 1024
  /// bytes
  void load_cert_chain(const file_path& certfile,
                       const std::optional<file_path>& keyfile = std::nullopt,
                       const key_password& password = key_password());
  /// The same from PEM text in memory. (Python has no such function)
  /// \param certificates the certificate and then its chain \param key the private key; it may be
  /// the same text \param password for an encrypted key \throws as `load_cert_chain`
  void load_cert_chain_data(const text& certificates, const text& key,
                            const key_password& password = key_password());

  /// Trusts these authorities, besides those trusted already. A call that fails changes nothing.
  /// \param cafile a file of PEM certificates and revocation lists \param capath a folder of them,
  /// by hashed names (`openssl rehash`), which is read when it is needed \param cadata PEM
  /// certificates and revocation lists as text \throws std::invalid_argument if all are missing, or
  /// for a NUL in a path \throws file_not_found_error for a file or folder that does not exist,
  /// error ENOTDIR \throws sslerror for files and text without a certificate
  void load_verify_locations(const std::optional<file_path>& cafile,
                             const std::optional<file_path>& capath = std::nullopt,
                             const std::optional<text>& cadata = std::nullopt);

  /// Trusts whom the system trusts: OpenSSL's default file and folder, which SSL_CERT_FILE and
  /// SSL_CERT_DIR in the environment replace; on Windows also the system's stores ROOT and CA, as
  /// far as they are for servers. \throws file_not_found_error if SSL_CERT_FILE names a file that
  /// does not exist \throws sslerror
  void load_default_certs();

  /// What is asked of the peer's certificate. \throws std::invalid_argument for CERT_NONE while
  /// host names are checked
  ssl_context& verify_mode(VerifyMode value);
  [[nodiscard]] VerifyMode verify_mode() const noexcept;  ///< As set.

  /// Whether the peer's certificate must be for the name that is asked for; default: true for
  /// clients. Setting it turns CERT_NONE into CERT_REQUIRED. Names are compared with the
  /// certificate's alternative names alone, never with its common name; a wildcard stands for one
  /// whole label. \throws std::invalid_argument for true on a server's context
  ssl_context& check_hostname(bool value);
  [[nodiscard]] bool check_hostname() const noexcept;  ///< As set.

  /// How chains are verified: VERIFY_*. \throws sslerror
  ssl_context& verify_flags(unsigned long value);
  [[nodiscard]] unsigned long verify_flags() const noexcept;  ///< As set.

  /// The oldest version allowed; default: TLS 1.2, or what the system's configuration has above
  /// that. \throws std::invalid_argument for one that is above `maximum_version`, or no TLSVersion
  /// \throws sslerror
  ssl_context& minimum_version(TLSVersion value);
  [[nodiscard]] TLSVersion minimum_version() const noexcept;  ///< As set.
  /// The newest version allowed; default: the newest. \throws std::invalid_argument for one that
  /// is below `minimum_version`, or no TLSVersion \throws sslerror
  ssl_context& maximum_version(TLSVersion value);
  [[nodiscard]] TLSVersion maximum_version() const noexcept;  ///< As set.

  /// The ciphers allowed, in OpenSSL's words: `ECDHE+AESGCM`. Those of TLS 1.3 are always there.
  /// \throws sslerror if none is left
  void set_ciphers(const text& ciphers);

  /// The protocols to speak above TLS, the best first: `{"h2", "http/1.1"}`. A server takes the
  /// first of its own that the client has; if there is none, none is agreed on. \throws
  /// std::invalid_argument for one that is empty or over 255 bytes, or too many
  void set_alpn_protocols(const std::vector<std::string>& protocols);

  /// How many tickets a server issues after a full handshake of TLS 1.3; default: 2. After a
  /// resumed one it issues one. They go out with the first data: a client that never receives data
  /// gets no ticket, and cannot resume. 0: none. \throws std::invalid_argument for a negative
  /// number, and on a client's context
  ssl_context& num_tickets(int value);
  [[nodiscard]] int num_tickets() const noexcept;  ///< As set.

  /// Lets a server choose a context by the name that the client asks for (SNI). `choose` is called
  /// at the beginning of each handshake, in its thread, at the same time in several threads, and
  /// with an empty name if the client sends none. It returns a server's context whose certificate,
  /// authorities, verification, versions, ciphers, ALPN and number of tickets apply to this
  /// connection, or a null pointer to go on with this context. If it throws, or returns a client's
  /// context, the handshake fails, and the client is told `unrecognized_name`. It must not use the
  /// connection. An empty function removes the callback. (Python: `SSLContext.sni_callback`)
  /// \throws std::invalid_argument on a client's context
  ssl_context& sni_callback(
      std::function<const ssl_context*(const std::string& server_name)> choose);

  /// Appends the secrets of all connections to this file, for programs such as Wireshark: whoever
  /// can read it can read the connections. An empty path ends it. (Python:
  /// `SSLContext.keylog_filename`) \throws file_not_found_error, permission_error, sslerror
  ssl_context& keylog_filename(const file_path& path);
  [[nodiscard]] std::string keylog_filename() const;  ///< As set; empty if there is none.

  /// OpenSSL's `SSL_CTX*`, for what this class has no name for. It belongs to the context. The
  /// session id context, the callbacks for passwords, ALPN, the client hello and the key log, and
  /// the number of tickets are this class's own.
  [[nodiscard]] void* native_handle() const noexcept;

  /// Shakes hands as a client over a connected socket, which it takes. On failure, whatever it is,
  /// the socket is closed. \param s a connected SOCK_STREAM socket; its timeout is for the whole
  /// handshake, and then the session's \param server_hostname the name or the IP address that the
  /// peer's certificate must be for. A name is also sent to the server (SNI).
  ///   Without one nothing can be compared: allowed only where `check_hostname` is off
  /// \param options handshake, truncation, session
  /// \throws std::invalid_argument, before anything is sent, for a name that is empty, begins with
  /// a dot, holds a NUL or anything but ASCII
  ///   (give international names in their `xn--` form), ends in a number without being an address
  ///   (`127.0.0.1.`), has brackets, or is too long; for a missing name, a
  ///   non-blocking socket that is to shake hands, one that is not SOCK_STREAM, a session of
  ///   another context or name, and for a context that is a server's
  /// \throws ssl_cert_verification_error and whatever else `ssl_socket::do_handshake` throws
  [[nodiscard]] ssl_socket wrap_socket(socket&& s, const std::optional<text>& server_hostname,
                                       const wrap_options& options = {}) const;

  /// Shakes hands as a server over an accepted socket, which it takes. Otherwise as `wrap_socket`.
  /// (Python: `server_side=True`)
  [[nodiscard]] ssl_socket wrap_server(socket&& s, const wrap_options& options = {}) const;

 private:
  std::shared_ptr<detail::tls_context> context_;
};

PYSOCK_EXPORTED_CLASSES_END

/// A context that is safe to use as it is. For a client: certificate and host name are verified,
/// strictly, against `cafile` or, without it, whom the system trusts. For a server: it needs
/// `load_cert_chain`, and asks nothing of clients. SSLKEYLOGFILE in the environment names the
/// `keylog_filename`. (Python: `ssl.create_default_context`) \throws file_not_found_error,
/// permission_error, sslerror
[[nodiscard]] PYSOCK_SSL_API ssl_context create_default_context(
    Purpose purpose = Purpose::SERVER_AUTH, const std::optional<file_path>& cafile = std::nullopt);

}  // namespace v1
}  // namespace pysock
