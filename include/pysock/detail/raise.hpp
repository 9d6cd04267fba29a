// SPDX-License-Identifier: MIT
// Exceptions of the standard library, thrown by compiled code. The headers themselves neither throw
// nor catch, so that programs can include them with exceptions switched off: an exception then ends
// the process with its text.
#pragma once

#include "config.hpp"

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
#define PYSOCK_TRY try
#define PYSOCK_CATCH_ALL catch (...)
#else
/// Begins a block that catches exceptions of the program's own types.
#define PYSOCK_TRY if constexpr (true)
/// Begins the handler.
#define PYSOCK_CATCH_ALL else
#endif

namespace pysock {
inline namespace v1 {
namespace detail {

[[noreturn]] PYSOCK_API void throw_invalid_argument(const char* text);
[[noreturn]] PYSOCK_API void throw_out_of_range(const char* text);

}  // namespace detail
}  // namespace v1
}  // namespace pysock
