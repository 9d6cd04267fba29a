// SPDX-License-Identifier: MIT
// How the C library's resolver says that the system failed, for the files of this folder.
#pragma once

#include "features.hpp"

#include <cerrno>
#include <pysock/detail/sys.hpp>

namespace pysock {
inline namespace v1 {
namespace detail {
namespace sys {

// `number` is what the resolver returned, and `error` what errno, which was 0 before, then is. A
// resolver that lacks a descriptor may say that there is no such name or service: glibc does so
// for services.
inline resolver_status status_of(int number, int error) noexcept {
  const bool no_descriptor = number != 0 && (error == EMFILE || error == ENFILE);
  if (no_descriptor || (number == EAI_SYSTEM && error != 0)) return {error, true};
  return {number == EAI_SYSTEM ? EAI_FAIL : number, false};
}

}  // namespace sys
}  // namespace detail
}  // namespace v1
}  // namespace pysock
