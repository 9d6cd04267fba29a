// SPDX-License-Identifier: MIT
#include <pysock/ssl_error.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <type_traits>

#include "ssl/tls.hpp"
#include "support/catch.hpp"

namespace sk = pysock;
using namespace test_support;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::Equals;

TEST_CASE("the class of a TLS error follows from its code alone", "[ssl]") {
  const auto thrown = [](std::error_code code) {
    return tls_failure_of([code] { sk::detail::throw_error(code, "op"); });
  };
  CHECK(thrown(sk::ssl_errc::want_read) == "want_read");
  CHECK(thrown(sk::ssl_errc::want_write) == "want_write");
  CHECK(thrown(sk::ssl_errc::zero_return) == "zero_return");
  CHECK(thrown(sk::ssl_errc::eof) == "eof");
  CHECK(thrown(sk::ssl_errc::syscall) == "sslerror: Some I/O error occurred");
  CHECK(thrown({10, sk::verification_category()}) == "certificate: certificate has expired");
  CHECK_THAT(thrown({1, sk::openssl_category()}), ContainsSubstring("sslerror: "));
}

TEST_CASE("an sslerror has Python's number, text, library and reason", "[ssl]") {
  const sk::ssl_eof_error eof(sk::ssl_errc::eof, "recv", 3);
  CHECK(eof.errnum() == SSL_ERROR_EOF);
  CHECK(eof.strerror() == "EOF occurred in violation of protocol");
  CHECK(std::string(eof.what()) == "recv: EOF occurred in violation of protocol");
  CHECK(eof.transferred() == 3);
  CHECK(eof.library().empty());
  CHECK(eof.reason().empty());
  CHECK_FALSE(sk::sslerror(sk::ssl_errc::handshake_missing).errnum());

  const sk::ssl_cert_verification_error expired({10, sk::verification_category()});
  CHECK(expired.errnum() == SSL_ERROR_SSL);
  CHECK(expired.verify_code() == 10);
  CHECK(expired.verify_message() == "certificate has expired");
  CHECK(expired.library() == "SSL");
  CHECK(expired.reason() == "CERTIFICATE_VERIFY_FAILED");

  auto both = connected();
  both.second.sendall("no TLS here\r\n");
  try {
    (void)client_context().wrap_socket(std::move(both.first), "localhost");
    FAIL("not thrown");
  } catch (const sk::sslerror& e) {
    CHECK(e.errnum() == SSL_ERROR_SSL);
    CHECK(e.library() == "SSL");
    CHECK(e.reason() == "WRONG_VERSION_NUMBER");
    CHECK(e.strerror() == "[SSL: WRONG_VERSION_NUMBER] wrong version number");
    CHECK(e.code().category() == sk::openssl_category());
  }
}

TEST_CASE("an alert has the same reason with every version of OpenSSL", "[ssl]") {
  const auto reason = [](int value) {
    return sk::sslerror({static_cast<int>(ERR_PACK(ERR_LIB_SSL, 0, value)), sk::openssl_category()})
        .reason();
  };
  CHECK(reason(SSL_R_SSLV3_ALERT_UNEXPECTED_MESSAGE) == "SSLV3_ALERT_UNEXPECTED_MESSAGE");
  CHECK(reason(SSL_R_SSLV3_ALERT_BAD_RECORD_MAC) == "SSLV3_ALERT_BAD_RECORD_MAC");
  CHECK(reason(SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE) == "SSLV3_ALERT_HANDSHAKE_FAILURE");
  CHECK(reason(SSL_R_SSLV3_ALERT_BAD_CERTIFICATE) == "SSLV3_ALERT_BAD_CERTIFICATE");
  CHECK(reason(SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED) == "SSLV3_ALERT_CERTIFICATE_EXPIRED");
  CHECK(reason(SSL_R_SSLV3_ALERT_ILLEGAL_PARAMETER) == "SSLV3_ALERT_ILLEGAL_PARAMETER");
  CHECK(reason(SSL_R_TLSV1_ALERT_UNKNOWN_CA) == "TLSV1_ALERT_UNKNOWN_CA");
  CHECK(reason(SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED) == "TLSV13_ALERT_CERTIFICATE_REQUIRED");
}

TEST_CASE("every state of a session has its own text", "[ssl]") {
  const struct {
    sk::ssl_errc value;
    const char* text;
  } rows[] = {
      {sk::ssl_errc::ssl, "A failure in the SSL library occurred"},
      {sk::ssl_errc::want_read, "The operation did not complete (read)"},
      {sk::ssl_errc::want_write, "The operation did not complete (write)"},
      {sk::ssl_errc::want_x509_lookup, "The operation did not complete (X509 lookup)"},
      {sk::ssl_errc::syscall, "Some I/O error occurred"},
      {sk::ssl_errc::zero_return, "TLS/SSL connection has been closed (EOF)"},
      {sk::ssl_errc::want_connect, "The operation did not complete (connect)"},
      {sk::ssl_errc::eof, "EOF occurred in violation of protocol"},
      {sk::ssl_errc::invalid_error_code, "Invalid error code"},
      {sk::ssl_errc::handshake_missing, "the handshake has not been done"},
      {sk::ssl_errc::key_and_certificate, "Both the key & certificate files must be specified"},
      {sk::ssl_errc::password_missing, "the private key is encrypted, and no password was given"},
      {sk::ssl_errc::wrong_password, "the password of the private key is wrong"},
      {static_cast<sk::ssl_errc>(9), "unknown error"},
  };
  for (const auto& row : rows) CHECK(std::error_code(row.value).message() == row.text);
}

TEST_CASE("an error of OpenSSL names the library within OpenSSL that failed", "[ssl]") {
  const struct {
    int library;
    const char* name;
  } rows[] = {
      {ERR_LIB_SSL, "SSL"},
      {ERR_LIB_X509, "X509"},
      {ERR_LIB_X509V3, "X509"},
      {ERR_LIB_PEM, "PEM"},
      {ERR_LIB_EVP, "EVP"},
      {ERR_LIB_ASN1, "ASN1"},
      {ERR_LIB_RSA, "RSA"},
      {ERR_LIB_EC, "EC"},
      {ERR_LIB_OSSL_STORE, "OSSL_STORE"},
      {ERR_LIB_OSSL_DECODER, "OSSL_DECODER"},
      {ERR_LIB_PROV, "PROV"},
      {ERR_LIB_BIO, "OPENSSL"},
  };
  for (const auto& row : rows) {
    // Every library has the reason of a call that must not be made.
    const std::error_code code(
        static_cast<int>(ERR_PACK(row.library, 0, ERR_R_SHOULD_NOT_HAVE_BEEN_CALLED)),
        sk::openssl_category());
    CHECK(sk::sslerror(code).library() == row.name);
    CHECK_THAT(code.message(),
               Catch::Matchers::StartsWith("[" + std::string(row.name) + ": CALLED_A_FUNCTION_"));
  }
}

TEST_CASE("the reason of an error is OpenSSL's text as a word", "[ssl]") {
  // A library that the program adds to OpenSSL.
  static const int library = ERR_get_next_error_library();
  static ERR_STRING_DATA texts[] = {
      {ERR_PACK(0, 0, 1), "AZ az 09 @[`{/: \x7f"},
      {ERR_PACK(0, 0, 2), "ssl/tls alert made up"},  // so begin the texts of OpenSSL 3.2
      {0, nullptr},
  };
  ERR_load_strings(library, texts);
  const auto error = [](int reason) {
    return sk::sslerror({static_cast<int>(ERR_PACK(library, 0, reason)), sk::openssl_category()});
  };
  CHECK(error(1).reason() == "AZ_AZ_09_________");
  CHECK(error(1).strerror() == "[OPENSSL: AZ_AZ_09_________] AZ az 09 @[`{/: \x7f");
  CHECK(error(2).reason() == "SSLV3_ALERT_MADE_UP");
  CHECK(error(3).strerror() == "[OPENSSL: UNKNOWN_ERROR_" +
                                   std::to_string(error(3).code().value()) + "] unknown error " +
                                   std::to_string(error(3).code().value()));
  ERR_unload_strings(library, texts);
}

TEST_CASE("TLS errors are socket errors, and copy without throwing", "[ssl]") {
  CHECK(std::is_base_of_v<sk::error, sk::sslerror>);
  CHECK(std::is_base_of_v<sk::sslerror, sk::ssl_want_read_error>);
  CHECK(std::is_base_of_v<sk::sslerror, sk::ssl_want_write_error>);
  CHECK(std::is_base_of_v<sk::sslerror, sk::ssl_zero_return_error>);
  CHECK(std::is_base_of_v<sk::sslerror, sk::ssl_eof_error>);
  CHECK(std::is_base_of_v<sk::sslerror, sk::ssl_cert_verification_error>);
  CHECK(std::is_nothrow_copy_constructible_v<sk::sslerror>);
  CHECK(std::error_code(sk::ssl_errc::want_write) == std::errc::resource_unavailable_try_again);
  CHECK(std::error_code(sk::ssl_errc::eof) != std::errc::resource_unavailable_try_again);
  CHECK_THAT(sk::ssl_category().name(), Equals("pysock.ssl"));
}
