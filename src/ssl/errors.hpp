// SPDX-License-Identifier: MIT
// From OpenSSL's queue of errors to an error_code.
#pragma once

#include <pysock/ssl_error.hpp>
#include <string>

namespace pysock {
inline namespace v1 {
namespace detail {

// The reason of OpenSSL's last failure on this thread, whose queue is emptied: one of its own
// codes, or the system's number.
std::error_code take_openssl_error() noexcept;

// Throws that.
[[noreturn]] void throw_openssl_error(const std::string& operation);

}  // namespace detail
}  // namespace v1
}  // namespace pysock
