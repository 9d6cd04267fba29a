// SPDX-License-Identifier: MIT
/// \file
/// Byte order, and IPv4 and IPv6 addresses as text and as packed bytes.
#pragma once

#include <cstddef>      // size_t
#include <cstdint>      // uint16_t, uint32_t, uint64_t, uintmax_t
#include <limits>       // numeric_limits
#include <string>       // string
#include <type_traits>  // enable_if_t, is_integral_v, bool_constant

#include "bytes.hpp"
#include "constants.hpp"
#include "detail/raise.hpp"
#include "error.hpp"

// glibc, when optimising, and the BSDs have these four as macros, under which `pysock::htons(x)`
// does not compile. This file undefines them, and at its end makes sure that a plain `htons(x)`
// still finds a function. No system header defines them again: constants.hpp has included all that
// do, and each has an include guard.
#if defined(htonl) || defined(htons) || defined(ntohl) || defined(ntohs)
#define PYSOCK_HAD_BYTE_ORDER_MACROS
#endif
#undef htonl
#undef htons
#undef ntohl
#undef ntohs

namespace pysock {
inline namespace v1 {
namespace detail {

#if defined(__BYTE_ORDER__) && defined(__ORDER_BIG_ENDIAN__)
inline constexpr bool big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
#else
inline constexpr bool big_endian =
    false;  // compilers without __BYTE_ORDER__ have only little-endian targets
#endif

constexpr std::uint16_t swap_unless_big_endian(std::uint16_t x) noexcept {
  return big_endian ? x : static_cast<std::uint16_t>(x << 8 | x >> 8);
}
constexpr std::uint32_t swap_unless_big_endian(std::uint32_t x) noexcept {
  return big_endian ? x : x << 24 | (x & 0xFF00U) << 8 | (x >> 8 & 0xFF00U) | x >> 24;
}

template <class T>
using if_integer = std::enable_if_t<
    std::is_integral_v<T> && !std::is_same_v<T, bool> && sizeof(T) <= sizeof(std::uintmax_t), int>;

template <class Unsigned, class T>
constexpr Unsigned swap_checked(T value,
                                const char* message) noexcept(std::is_same_v<T, Unsigned>) {
  if constexpr (std::is_signed_v<T>) {
    if (value < 0) throw_invalid_argument(message);
  }
  if (static_cast<std::uintmax_t>(value) > (std::numeric_limits<Unsigned>::max)())
    throw_out_of_range(message);
  return swap_unless_big_endian(static_cast<Unsigned>(value));
}

}  // namespace detail

/// A 32-bit integer from network to host byte order. (Python: `socket.ntohl`)
/// \throws std::invalid_argument for a negative number \throws std::out_of_range for one beyond
/// 4294967295; neither for a `std::uint32_t`
template <class T, detail::if_integer<T> = 0>
[[nodiscard]] constexpr std::uint32_t ntohl(T x) noexcept(std::is_same_v<T, std::uint32_t>) {
  return detail::swap_checked<std::uint32_t>(x, "ntohl: value must be 0-4294967295");
}

/// A 16-bit integer from network to host byte order. (Python: `socket.ntohs`)
/// \throws std::invalid_argument for a negative number \throws std::out_of_range for one beyond
/// 65535; neither for a `std::uint16_t`
template <class T, detail::if_integer<T> = 0>
[[nodiscard]] constexpr std::uint16_t ntohs(T x) noexcept(std::is_same_v<T, std::uint16_t>) {
  return detail::swap_checked<std::uint16_t>(x, "ntohs: value must be 0-65535");
}

/// A 32-bit integer from host to network byte order. (Python: `socket.htonl`)
/// \throws std::invalid_argument for a negative number \throws std::out_of_range for one beyond
/// 4294967295; neither for a `std::uint32_t`
template <class T, detail::if_integer<T> = 0>
[[nodiscard]] constexpr std::uint32_t htonl(T x) noexcept(std::is_same_v<T, std::uint32_t>) {
  return detail::swap_checked<std::uint32_t>(x, "htonl: value must be 0-4294967295");
}

/// A 16-bit integer from host to network byte order. (Python: `socket.htons`)
/// \throws std::invalid_argument for a negative number \throws std::out_of_range for one beyond
/// 65535; neither for a `std::uint16_t`
template <class T, detail::if_integer<T> = 0>
[[nodiscard]] constexpr std::uint16_t htons(T x) noexcept(std::is_same_v<T, std::uint16_t>) {
  return detail::swap_checked<std::uint16_t>(x, "htons: value must be 0-65535");
}

/// An IPv4 address from text to 4 packed bytes, by the rules of glibc's inet_aton on every
/// platform: one to four parts in decimal, octal (`010`) or hexadecimal (`0x7f`), the last of which
/// fills the remaining bytes (`127.1`); white space and the text after it are ignored. (Python:
/// `socket.inet_aton`) \param ip_string the address; an inner NUL makes it illegal \throws error
/// with `errc::illegal_inet_aton` if it is not an address; has no errno
[[nodiscard]] PYSOCK_API std::string inet_aton(text ip_string);

/// 4 packed bytes to dotted decimal text. (Python: `socket.inet_ntoa`)
/// \param packed_ip exactly 4 bytes
/// \throws error with `errc::packed_wrong_length` if it has any other length; has no errno
[[nodiscard]] PYSOCK_API std::string inet_ntoa(const_bytes packed_ip);

/// An address from text to packed bytes, strictly: AF_INET takes four decimal parts without leading
/// zeros, AF_INET6 accepts neither a scope nor brackets. (Python: `socket.inet_pton`) \param family
/// AF_INET (gives 4 bytes) or AF_INET6 (gives 16) \param ip_string the address; an inner NUL makes
/// it illegal \throws error with `errc::illegal_inet_pton` if it is not such an address; has no
/// errno \throws error with EAFNOSUPPORT for any other family
[[nodiscard]] PYSOCK_API std::string inet_pton(int family, text ip_string);

/// Packed bytes to text: lower case, the first of the longest runs of zero groups as `::`, mapped
/// and compatible IPv4 addresses with a dotted end, as in `0:0:0:0:0:ffff:1.2.3.4`. (Python:
/// `socket.inet_ntop`) \param family AF_INET or AF_INET6 \param packed_ip 4 or 16 bytes, as the
/// family has it \throws std::invalid_argument if the length does not fit the family, or for any
/// other family
[[nodiscard]] PYSOCK_API std::string inet_ntop(int family, const_bytes packed_ip);

}  // namespace v1
}  // namespace pysock

// If the system has only macros, a plain `htons(x)` needs a function. The preprocessor cannot tell
// such a system from one that has both, and a second function beside the system's would make `auto
// f = htons` ambiguous. The call in the probe depends on T, so it is no error if the system
// declares no such function. Only then the friend below becomes the global function; otherwise the
// line after it repeats the system's declaration.
#ifdef PYSOCK_HAD_BYTE_ORDER_MACROS
#define PYSOCK_SUPPLY(name, uint)                                                            \
  template <class T>                                                                         \
  auto pysock_probe_##name(T x)->std::bool_constant<noexcept(name(x))>;                      \
  void pysock_probe_##name(...);                                                             \
  template <class T, class Found = decltype(pysock_probe_##name(T()))>                       \
  struct pysock_supply_##name : Found {};                                                    \
  template <class T>                                                                         \
  struct pysock_supply_##name<T, void> : std::true_type {                                    \
    friend inline T name(T x) noexcept { return pysock::detail::swap_unless_big_endian(x); } \
  };                                                                                         \
  uint name(uint) noexcept(pysock_supply_##name<uint>::value);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wredundant-decls"
PYSOCK_SUPPLY(htonl, std::uint32_t)
PYSOCK_SUPPLY(htons, std::uint16_t)
PYSOCK_SUPPLY(ntohl, std::uint32_t)
PYSOCK_SUPPLY(ntohs, std::uint16_t)
#pragma GCC diagnostic pop
#undef PYSOCK_SUPPLY
#undef PYSOCK_HAD_BYTE_ORDER_MACROS
#endif
