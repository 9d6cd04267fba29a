// SPDX-License-Identifier: MIT
// Definitions that the files of the resolver share.
#pragma once

#include <pysock/error.hpp>
#include <pysock/resolver.hpp>
#include <string>
#include <string_view>

#include "repr.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

// The error code of a call of the resolver; none if it succeeded.
inline std::error_code code_of(sys::resolver_status status) noexcept {
  return {status.number, status.from_system ? sys::category() : gai_category()};
}

// Owns the resolver's result.
class results {
 public:
  results() = default;
  results(const results&) = delete;
  results& operator=(const results&) = delete;
  ~results() {
    if (first != nullptr) detail::sys::freeaddrinfo(first);
  }
  addrinfo* first = nullptr;
};

inline addrinfo make_hints(int family, int type, int proto, int flags) noexcept {
  addrinfo hints{};
  hints.ai_family = family;
  hints.ai_socktype = type;
  hints.ai_protocol = proto;
  hints.ai_flags = flags;
  return hints;
}

// The C library encodes names beyond ASCII, if it can.
inline int idn_flag([[maybe_unused]] std::string_view host) noexcept {
#ifdef AI_IDN
  for (const char c : host) {
    if (static_cast<unsigned char>(c) > 0x7F) return AI_IDN;
  }
#endif
  return 0;
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
