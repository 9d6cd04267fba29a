// SPDX-License-Identifier: MIT
// Conversion of OpenSSL's queue of errors to an error_code.
#pragma once

#include <pysock/ssl_error.hpp>
#include <string>

namespace pysock {
inline namespace v1 {
namespace detail {

// Returns the most precise reason in OpenSSL's queue of errors of this thread, and empties the
// queue: the system's number if there is one, else the last of OpenSSL's codes that says more than
// which part of it failed.
std::error_code take_openssl_error() noexcept;

// Throws the exception for it.
[[noreturn]] void throw_openssl_error(const std::string& operation);

}  // namespace detail
}  // namespace v1
}  // namespace pysock
