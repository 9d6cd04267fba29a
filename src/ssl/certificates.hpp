// SPDX-License-Identifier: MIT
// Conversion of OpenSSL's certificates to values of this library.
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
