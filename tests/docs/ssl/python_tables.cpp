// SPDX-License-Identifier: MIT
// The table of docs/python.md about TLS, and the names that it uses.
#include <pysock/ssl.hpp>

#include "tables.hpp"

#define TABLE_PARAMETERS                                                                  \
  sk::ssl_context &context, sk::ssl_socket &s, sk::socket &sock, const std::string &data, \
      std::string &buffer, const std::string &host, const sk::sslerror &e, int n,         \
      const std::string &pem, const sk::ssl_context *(*choose)(const std::string&)

#include "python/tls.table.inc"
