// SPDX-License-Identifier: MIT
// Owning pointers to OpenSSL's objects.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
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

inline void free_chain(STACK_OF(X509) * chain) noexcept { sk_X509_pop_free(chain, X509_free); }
inline void free_infos(STACK_OF(X509_INFO) * infos) noexcept {
  sk_X509_INFO_pop_free(infos, X509_INFO_free);
}

using bio_handle = std::unique_ptr<BIO, openssl_free<BIO_free_all>>;
using certificate_handle = std::unique_ptr<X509, openssl_free<X509_free>>;
using chain_handle = std::unique_ptr<STACK_OF(X509), openssl_free<free_chain>>;
using infos_handle = std::unique_ptr<STACK_OF(X509_INFO), openssl_free<free_infos>>;
using key_handle = std::unique_ptr<EVP_PKEY, openssl_free<EVP_PKEY_free>>;
using names_handle = std::unique_ptr<GENERAL_NAMES, openssl_free<GENERAL_NAMES_free>>;
using session_handle = std::unique_ptr<SSL_SESSION, openssl_free<SSL_SESSION_free>>;
using ssl_ctx_handle = std::unique_ptr<SSL_CTX, openssl_free<SSL_CTX_free>>;
using ssl_handle = std::unique_ptr<SSL, openssl_free<SSL_free>>;

// After a call of OpenSSL that fails only without memory. Empties the queue of the thread, which
// other users of OpenSSL must not find anything in.
[[noreturn]] inline void throw_no_memory() {
  ERR_clear_error();
  throw std::bad_alloc();
}

// OpenSSL fails to make an object only without memory.
template <class T>
T* made(T* object) {
  if (object == nullptr) throw_no_memory();
  return object;
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
