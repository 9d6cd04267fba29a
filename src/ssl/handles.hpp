// SPDX-License-Identifier: MIT
// OpenSSL's objects, owned.
#pragma once

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <new>

namespace pysock {
inline namespace v1 {
namespace detail {

template <auto free_function>
struct openssl_free {
  template <class T>
  void operator()(T* object) const noexcept {
    free_function(object);
  }
};

using bio_handle = std::unique_ptr<BIO, openssl_free<BIO_free_all>>;
using certificate_handle = std::unique_ptr<X509, openssl_free<X509_free>>;
using names_handle = std::unique_ptr<GENERAL_NAMES, openssl_free<GENERAL_NAMES_free>>;
using session_handle = std::unique_ptr<SSL_SESSION, openssl_free<SSL_SESSION_free>>;
using ssl_ctx_handle = std::unique_ptr<SSL_CTX, openssl_free<SSL_CTX_free>>;
using ssl_handle = std::unique_ptr<SSL, openssl_free<SSL_free>>;

// What OpenSSL could not make, it had no memory for.
template <class T>
T* made(T* object) {
  if (object == nullptr) throw std::bad_alloc();
  return object;
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
