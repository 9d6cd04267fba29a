// SPDX-License-Identifier: MIT
// What the files of the resolver share.
#pragma once

#include <pysock/resolver.hpp>
#include <string>
#include <string_view>

namespace pysock {
inline namespace v1 {
namespace detail {

// What is left of a call of the resolver; no error where it succeeded.
inline std::error_code code_of(sys::resolver_status status) noexcept {
  return {status.number, status.from_system ? sys::category() : gai_category()};
}

inline std::string in_quotes(std::string_view name) { return "'" + std::string(name) + "'"; }

inline std::string where(const char* function, std::string_view name) {
  return std::string(function) + " " + in_quotes(name);
}

// A name for a C function: NULs would cut it silently.
inline std::string c_name(const char* function, text name) {
  if (name.view().find('\0') != std::string_view::npos)
    throw_error(bad_argument::embedded_null, function);
  return name.str();
}

// Owns what the resolver returned.
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

// Names beyond ASCII are the C library's to encode, where it can.
inline int idn_flag([[maybe_unused]] std::string_view host) noexcept {
#ifdef AI_IDN
  for (const char c : host) {
    if (static_cast<unsigned char>(c) > 0x7F) return AI_IDN;
  }
#endif
  return 0;
}

// The first address of `host` of that family (AF_UNSPEC: of any), as setting up a socket address
// wants it.
std::error_code lookup(const std::string& host, int family, endpoint& out) noexcept;

}  // namespace detail
}  // namespace v1
}  // namespace pysock
