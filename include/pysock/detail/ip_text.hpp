// SPDX-License-Identifier: MIT
// IPv4 and IPv6 addresses as text: the one parser and printer.
//
// The parsers take what glibc's take, on every platform; after a failure `out` holds anything. The
// printers write what glibc's write, without a terminator, and return the end.
#pragma once

#include <cstddef>      // size_t
#include <string>       // string
#include <string_view>  // string_view

#include "config.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

inline constexpr std::size_t ipv4_text_max = 15;
inline constexpr std::size_t ipv6_text_max = 45;

// Above 9 if `c` is no digit.
constexpr unsigned decimal_digit(char c) noexcept { return static_cast<unsigned>(c) - '0'; }

// inet_pton's AF_INET: four decimal parts without leading zeros.
PYSOCK_API bool parse_ipv4(std::string_view text, unsigned char (&out)[4]) noexcept;
// inet_pton's AF_INET6: neither scope nor brackets; "::" stands for one group or more.
PYSOCK_API bool parse_ipv6(std::string_view text, unsigned char (&out)[16]) noexcept;
// inet_aton: one to four parts, each as in C source, the last of which fills what is left. What
// follows white space is ignored.
PYSOCK_API bool parse_aton(std::string_view text, unsigned char (&out)[4]) noexcept;

PYSOCK_API char* print_ipv4(const unsigned char* packed, char* out) noexcept;
PYSOCK_API char* print_ipv6(const unsigned char* packed, char* out) noexcept;

template <std::size_t N>
std::string packed_string(const unsigned char (&packed)[N]) {
  return std::string(reinterpret_cast<const char*>(packed), N);
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
