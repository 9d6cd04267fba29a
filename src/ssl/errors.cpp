// SPDX-License-Identifier: MIT
// The categories of TLS and the exceptions that belong to them.
#include "errors.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <pysock/detail/immortal.hpp>
#include <string_view>

#ifndef SSL_R_RECORD_LAYER_FAILURE
#define SSL_R_RECORD_LAYER_FAILURE 313  // since 3.2
#endif

namespace pysock {
inline namespace v1 {
namespace {

// The texts of Python, or of Python 2.4.
const char* session_text(ssl_errc value) noexcept {
  switch (value) {
    case ssl_errc::ssl:
      return "A failure in the SSL library occurred";
    case ssl_errc::want_read:
      return "The operation did not complete (read)";
    case ssl_errc::want_write:
      return "The operation did not complete (write)";
    case ssl_errc::want_x509_lookup:
      return "The operation did not complete (X509 lookup)";
    case ssl_errc::syscall:
      return "Some I/O error occurred";
    case ssl_errc::zero_return:
      return "TLS/SSL connection has been closed (EOF)";
    case ssl_errc::want_connect:
      return "The operation did not complete (connect)";
    case ssl_errc::eof:
      return "EOF occurred in violation of protocol";
    case ssl_errc::invalid_error_code:
      return "Invalid error code";
    case ssl_errc::handshake_missing:
      return "the handshake has not been done";
    case ssl_errc::key_and_certificate:
      return "Both the key & certificate files must be specified";
    case ssl_errc::password_missing:
      return "the private key is encrypted, and no password was given";
    case ssl_errc::wrong_password:
      return "the password of the private key is wrong";
  }
  return "unknown error";
}

class session_category final : public detail::throwing_category {
 public:
  const char* name() const noexcept override { return "pysock.ssl"; }
  std::string message(int value) const override {
    return session_text(static_cast<ssl_errc>(value));
  }
  std::error_condition default_error_condition(int value) const noexcept override {
    const auto state = static_cast<ssl_errc>(value);
    if (state == ssl_errc::want_read || state == ssl_errc::want_write)
      return std::errc::resource_unavailable_try_again;
    return {value, *this};
  }
  std::optional<int> number(int value) const noexcept override {
    if (value > SSL_ERROR_INVALID_ERROR_CODE) return std::nullopt;
    return value;
  }
  [[noreturn]] void raise(std::error_code code, std::string_view operation,
                          std::size_t transferred) const override {
    switch (static_cast<ssl_errc>(code.value())) {
      case ssl_errc::want_read:
        throw ssl_want_read_error(code, operation, transferred);
      case ssl_errc::want_write:
        throw ssl_want_write_error(code, operation, transferred);
      case ssl_errc::zero_return:
        throw ssl_zero_return_error(code, operation, transferred);
      case ssl_errc::eof:
        throw ssl_eof_error(code, operation, transferred);
      default:
        throw sslerror(code, operation, transferred);
    }
  }
};

const char* library_of(int value) noexcept {
  switch (ERR_GET_LIB(static_cast<unsigned long>(value))) {
    case ERR_LIB_SSL:
      return "SSL";
    case ERR_LIB_X509:
    case ERR_LIB_X509V3:
      return "X509";
    case ERR_LIB_PEM:
      return "PEM";
    case ERR_LIB_EVP:
      return "EVP";
    case ERR_LIB_ASN1:
      return "ASN1";
    case ERR_LIB_RSA:
      return "RSA";
    case ERR_LIB_EC:
      return "EC";
    case ERR_LIB_OSSL_STORE:
      return "OSSL_STORE";
    case ERR_LIB_OSSL_DECODER:
      return "OSSL_DECODER";
    case ERR_LIB_PROV:
      return "PROV";
    default:
      return "OPENSSL";
  }
}

std::string reason_text(int value) {
  // Loads the texts, if no context has been made yet; after OpenSSL's end, at the exit of the
  // process, there are none.
  constexpr std::uint64_t texts = OPENSSL_INIT_LOAD_SSL_STRINGS | OPENSSL_INIT_LOAD_CRYPTO_STRINGS;
  const bool loaded = OPENSSL_init_ssl(texts, nullptr) == 1;
  const char* text = loaded ? ERR_reason_error_string(static_cast<unsigned long>(value)) : nullptr;
  return text != nullptr ? text : "unknown error " + std::to_string(value);
}

// Python uses the names of OpenSSL's macros, whose words are also those of the texts. OpenSSL 3.2
// has changed the texts of some alerts, but not the names of the macros.
std::string reason_word(int value) {
  std::string word = reason_text(value);
  constexpr std::string_view renamed = "ssl/tls alert ";
  if (word.compare(0, renamed.size(), renamed) == 0)
    word.replace(0, renamed.size(), "sslv3 alert ");
  std::transform(word.begin(), word.end(), word.begin(), [](char c) {
    if (c >= 'a' && c <= 'z') return static_cast<char>(c - 'a' + 'A');
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ? c : '_';
  });
  return word;
}

class reason_category final : public detail::throwing_category {
 public:
  const char* name() const noexcept override { return "pysock.openssl"; }
  std::string message(int value) const override {
    return std::string("[") + library_of(value) + ": " + reason_word(value) + "] " +
           reason_text(value);
  }
  std::optional<int> number(int) const noexcept override { return SSL_ERROR_SSL; }
  [[noreturn]] void raise(std::error_code code, std::string_view operation,
                          std::size_t transferred) const override {
    throw sslerror(code, operation, transferred);
  }
};

class certificate_category final : public detail::throwing_category {
 public:
  const char* name() const noexcept override { return "pysock.verification"; }
  std::string message(int value) const override {
    return std::string("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: ") +
           X509_verify_cert_error_string(value);
  }
  std::optional<int> number(int) const noexcept override { return SSL_ERROR_SSL; }
  [[noreturn]] void raise(std::error_code code, std::string_view operation,
                          std::size_t transferred) const override {
    throw ssl_cert_verification_error(code, operation, transferred);
  }
};

}  // namespace

const std::error_category& ssl_category() noexcept {
  static detail::immortal<session_category> category;
  return category.get();
}

const std::error_category& openssl_category() noexcept {
  static detail::immortal<reason_category> category;
  return category.get();
}

const std::error_category& verification_category() noexcept {
  static detail::immortal<certificate_category> category;
  return category.get();
}

std::string sslerror::library() const {
  if (code().category() == openssl_category()) return library_of(code().value());
  return code().category() == verification_category() ? "SSL" : "";
}

std::string sslerror::reason() const {
  if (code().category() == openssl_category()) return reason_word(code().value());
  return code().category() == verification_category() ? "CERTIFICATE_VERIFY_FAILED" : "";
}

std::string ssl_cert_verification_error::verify_message() const {
  return X509_verify_cert_error_string(verify_code());
}

namespace detail {
namespace {

// Whether a code only says that a part of OpenSSL failed, which has queued its own reason before.
bool names_a_part(unsigned long code) noexcept {
  return ERR_COMMON_ERROR(code) ||
         (ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == SSL_R_RECORD_LAYER_FAILURE);
}

}  // namespace

std::error_code take_openssl_error() noexcept {
  // For a file that could not be opened the queue has the system's number, and many failures add
  // codes that only say which part failed: neither the first nor the last code need be the reason.
  unsigned long found = ERR_peek_last_error();
  int system = 0;
  while (const unsigned long next = ERR_get_error()) {
    if (ERR_SYSTEM_ERROR(next)) {
      system = ERR_GET_REASON(next);
    } else if (!names_a_part(next)) {
      found = next;
    }
  }
  if (system != 0) return {system, sys::category()};
  if (found == 0) return ssl_errc::ssl;
  return {static_cast<int>(found), openssl_category()};
}

void throw_openssl_error(const std::string& operation) {
  throw_error(take_openssl_error(), operation);
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
