// SPDX-License-Identifier: MIT
// Detects system failures in results of the C library's resolver.
#pragma once

#include "features.hpp"

#include <cerrno>
#include <pysock/detail/sys.hpp>

namespace pysock {
inline namespace v1 {
namespace detail {
namespace sys {

// `number` is the resolver's result, and `error` is errno after it, which was 0 before. Without a
// free descriptor a resolver may report an unknown name or service; glibc does so for services.
inline resolver_status status_of(int number, int error) noexcept {
  const bool no_descriptor = number != 0 && (error == EMFILE || error == ENFILE);
  if (no_descriptor || (number == EAI_SYSTEM && error != 0)) return {error, true};
  return {number == EAI_SYSTEM ? EAI_FAIL : number, false};
}

}  // namespace sys
}  // namespace detail
}  // namespace v1
}  // namespace pysock
