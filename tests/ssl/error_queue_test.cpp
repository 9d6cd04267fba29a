// SPDX-License-Identifier: MIT
#include "src/ssl/errors.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <cerrno>
#include <initializer_list>

#include "support/catch.hpp"

namespace sk = pysock;
using sk::detail::take_openssl_error;

namespace {

constexpr int record_layer_failure = 313;  // SSL_R_RECORD_LAYER_FAILURE, which OpenSSL 3.0 lacks

// A failure of a library within OpenSSL, and its reason.
struct failure {
  int library;
  int reason;
};

// The error code taken from a queue into which these failures came, the oldest first.
std::error_code taken_from(std::initializer_list<failure> queue) {
  ERR_clear_error();
  for (const failure& f : queue) ERR_raise(f.library, f.reason);
  const std::error_code taken = take_openssl_error();
  CHECK(ERR_peek_error() == 0);
  return taken;
}

std::error_code openssl(int library, int reason) {
  return {static_cast<int>(ERR_PACK(library, 0, reason)), sk::openssl_category()};
}

}  // namespace

TEST_CASE("take_openssl_error prefers the reason to the library within OpenSSL", "[ssl]") {
  const failure precise{ERR_LIB_SSL, SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC};
  const std::error_code expected = openssl(precise.library, precise.reason);
  CHECK(taken_from({precise}) == expected);
  CHECK(taken_from({precise, {ERR_LIB_SSL, record_layer_failure}}) == expected);
  CHECK(taken_from({{ERR_LIB_SSL, record_layer_failure}, precise}) == expected);
  CHECK(taken_from({precise, {ERR_LIB_SSL, ERR_R_PEM_LIB}}) == expected);
  CHECK(taken_from({precise, {ERR_LIB_SSL, ERR_R_INTERNAL_ERROR}}) == expected);
  CHECK(taken_from({{ERR_LIB_EVP, ERR_R_EVP_LIB}, precise, {ERR_LIB_SSL, ERR_R_SSL_LIB}}) ==
        expected);
}

TEST_CASE("take_openssl_error takes the last of several reasons", "[ssl]") {
  CHECK(taken_from({{ERR_LIB_SSL, SSL_R_WRONG_VERSION_NUMBER},
                    {ERR_LIB_PEM, PEM_R_NO_START_LINE},
                    {ERR_LIB_SSL, ERR_R_PEM_LIB}}) == openssl(ERR_LIB_PEM, PEM_R_NO_START_LINE));
}

TEST_CASE("take_openssl_error returns the library within OpenSSL if the queue has no reason",
          "[ssl]") {
  CHECK(taken_from({{ERR_LIB_SSL, record_layer_failure}}) ==
        openssl(ERR_LIB_SSL, record_layer_failure));
  CHECK(taken_from({{ERR_LIB_EVP, ERR_R_EVP_LIB}, {ERR_LIB_SSL, ERR_R_SSL_LIB}}) ==
        openssl(ERR_LIB_SSL, ERR_R_SSL_LIB));
  CHECK(taken_from({}) == sk::ssl_errc::ssl);
}

TEST_CASE("take_openssl_error prefers the system's error", "[ssl]") {
  CHECK(taken_from({{ERR_LIB_SYS, ENOENT}, {ERR_LIB_BIO, BIO_R_NO_SUCH_FILE}}) ==
        std::errc::no_such_file_or_directory);
  const int refused = sk::detail::sys::numbers().connection_refused;
  CHECK(taken_from({{ERR_LIB_SSL, SSL_R_WRONG_VERSION_NUMBER}, {ERR_LIB_SYS, refused}}) ==
        std::errc::connection_refused);
}
