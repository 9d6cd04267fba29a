// SPDX-License-Identifier: MIT
// Helpers of the TLS tests: certificates made for this run, contexts with them, and sessions
// between two threads.
#pragma once

#include <filesystem>
#include <pysock/ssl.hpp>
#include <string>
#include <utility>

#include "support/background.hpp"
#include "support/failure.hpp"
#include "support/process.hpp"
#include "support/sockets.hpp"

namespace test_support {

/// A file of the folder that make_certificates.sh fills. ctest runs the script before the tests;
/// otherwise the first use runs it.
inline std::string certificate_file(const std::string& name) {
  static const std::string folder = [] {
    std::string made = PYSOCK_SSL_CERTIFICATES;
    if (!std::filesystem::exists(made + "/complete"))
      process({"sh", PYSOCK_SSL_MAKE_CERTIFICATES, made}).wait();
    return made;
  }();
  return folder + "/" + name;
}

/// A client that trusts only the tests' authority.
inline pysock::ssl_context client_context() {
  return pysock::create_default_context(pysock::Purpose::SERVER_AUTH, certificate_file("ca.pem"));
}

/// A server with this certificate.
inline pysock::ssl_context server_context(const std::string& name = "server") {
  pysock::ssl_context made = pysock::create_default_context(pysock::Purpose::CLIENT_AUTH);
  made.load_cert_chain(certificate_file(name + ".pem"), certificate_file(name + ".key"));
  return made;
}

/// Allows only this version.
inline void only(pysock::ssl_context& context, pysock::TLSVersion version) {
  context.minimum_version(version).maximum_version(version);
}

/// Both ends of a session.
struct session_pair {
  pysock::ssl_socket client{nullptr};
  pysock::ssl_socket server{nullptr};
};

/// A session over these two connected sockets.
inline session_pair secured_over(std::pair<pysock::socket, pysock::socket> both,
                                 const pysock::ssl_context& client,
                                 const pysock::ssl_context& server,
                                 const pysock::wrap_options& options = pysock::wrap_options(),
                                 const std::string& name = "localhost") {
  background<pysock::ssl_socket> accepting(
      [&] { return server.wrap_server(std::move(both.second)); });
  session_pair made;
  made.client = client.wrap_socket(std::move(both.first), name, options);
  made.server = accepting.get();
  return made;
}

/// A session over TCP.
inline session_pair secured(const pysock::ssl_context& client, const pysock::ssl_context& server,
                            const pysock::wrap_options& options = pysock::wrap_options(),
                            const std::string& name = "localhost") {
  return secured_over(connected(), client, server, options, name);
}

inline session_pair secured() { return secured(client_context(), server_context()); }

/// How a call failed: `certificate: <verification error>`, `sslerror: <REASON>`, `eof`,
/// `want_read`, ..., or the result of `failure_of`.
template <class F>
std::string tls_failure_of(const F& f) {
  std::string found;
  const std::string other = failure_of([&] {
    try {
      (void)f();
    } catch (const pysock::ssl_cert_verification_error& e) {
      found = "certificate: " + e.verify_message();
    } catch (const pysock::ssl_want_read_error&) {
      found = "want_read";
    } catch (const pysock::ssl_want_write_error&) {
      found = "want_write";
    } catch (const pysock::ssl_zero_return_error&) {
      found = "zero_return";
    } catch (const pysock::ssl_eof_error&) {
      found = "eof";
    } catch (const pysock::sslerror& e) {
      found = "sslerror: " + (e.reason().empty() ? e.strerror() : e.reason());
    }
  });
  return found.empty() ? other : found;
}

/// what() of a failed call.
template <class F>
std::string message_of(const F& f) {
  try {
    (void)f();
  } catch (const std::exception& e) {
    return e.what();
  }
  return "none";
}

/// Sends bytes on the descriptor, past the session.
inline bool send_raw(pysock::native_handle_type descriptor, const std::string& bytes) {
  return pysock::detail::sys::send(descriptor, bytes.data(), bytes.size(), 0) ==
         static_cast<std::ptrdiff_t>(bytes.size());
}

/// Receives `size` bytes, or fewer if the stream ends.
inline std::string receive(pysock::ssl_socket& s, std::size_t size) {
  std::string all;
  while (all.size() < size) {
    const std::string piece = s.recv(size - all.size());
    if (piece.empty()) break;
    all += piece;
  }
  return all;
}

}  // namespace test_support
