// SPDX-License-Identifier: MIT
// The tables of docs/python.md about TLS, and the names that they use.
#include <pysock/ssl.hpp>

#include "tables.hpp"

#define TABLE_PARAMETERS                                                                      \
  sk::ssl_context &context, sk::ssl_socket &s, sk::socket &sock, const std::string &data,     \
      std::string &buffer, const std::string &host, const sk::sslerror &e, int n,             \
      const std::string &pem, const sk::ssl_context *(*choose)(const std::string&), int port, \
      const sk::ssl_cert_verification_error &failed

#include "python/tls-2.table.inc"
#include "python/tls.table.inc"
