// SPDX-License-Identifier: MIT
// For code blocks about TLS: a self-signed certificate, and a server.
#pragma once

#include <cstdlib>
#include <functional>
#include <pysock/ssl.hpp>
#include <stdexcept>
#include <string>

#include "snippets.hpp"
#include "support/temporary_directory.hpp"

namespace docs {

/// A self-signed certificate for localhost and 127.0.0.1.
class certificate {
 public:
  certificate() {
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "
        "/CN=localhost"
        " -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -addext "
        "keyUsage=digitalSignature,keyCertSign"
        " -keyout " +
        keyfile() + " -out " + certfile() + " 2>/dev/null";
    if (std::system(command.c_str()) != 0)
      throw std::runtime_error("cannot make a certificate: is openssl installed?");
  }
  [[nodiscard]] std::string certfile() const { return folder_ / "cert.pem"; }
  [[nodiscard]] std::string keyfile() const { return folder_ / "key.pem"; }

 private:
  temporary_directory folder_;
};

/// Serves one client in its own thread, if the handshake succeeds.
class tls_server {
 public:
  tls_server(const certificate& own, std::function<void(sk::ssl_socket&)> serve)
      : own_(own), serve_(std::move(serve)) {}
  [[nodiscard]] int port() const { return listener_.getsockname().port(); }

 private:
  const certificate& own_;
  std::function<void(sk::ssl_socket&)> serve_;
  sk::socket listener_ = listening();
  background<int> thread_{[this] {
    sk::ssl_context context = sk::create_default_context(sk::Purpose::CLIENT_AUTH);
    context.load_cert_chain(own_.certfile(), own_.keyfile());
    sk::socket conn = listener_.accept().conn;
    conn.settimeout(patience);
    try {
      sk::ssl_socket s = context.wrap_server(std::move(conn));
      serve_(s);
    } catch (const sk::error&) {  // the client's code checks the result
    }
    return 0;
  }};
};

}  // namespace docs
