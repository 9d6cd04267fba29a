// SPDX-License-Identifier: MIT
// From OpenSSL's certificates to plain values.
#pragma once

#include <openssl/x509.h>

#include <pysock/ssl_certificate.hpp>
#include <string>

namespace pysock {
inline namespace v1 {
namespace detail {

certificate describe_certificate(const X509* x);
std::string der(const X509* x);
// In one line, as `/C=US/CN=www.example.com`.
std::string one_line(const X509_NAME* name);

}  // namespace detail
}  // namespace v1
}  // namespace pysock
