// SPDX-License-Identifier: MIT
/// \file
/// Byte order, and IPv4 and IPv6 addresses as text and as packed bytes.
#pragma once

#include <cstddef>      // size_t
#include <cstdint>      // uint16_t, uint32_t, uint64_t, uintmax_t
#include <limits>       // numeric_limits
#include <string>       // string
#include <string_view>  // string_view
#include <type_traits>  // enable_if_t, is_integral_v, bool_constant

#include "bytes.hpp"
#include "constants.hpp"
#include "detail/raise.hpp"
#include "error.hpp"

// glibc, when optimising, and the BSDs have these four as macros, under which `pysock::htons(x)`
// does not compile. They go, and the end of this file sees to it that a plain `htons(x)` still
// finds a function. No system header brings them back: constants.hpp has included all that define
// them, and each of those is guarded.
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
    false;  // compilers that do not tell have little-endian targets only
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

// ---- text ----
// The one parser and printer for IP addresses. The parsers take what glibc's take, on every
// platform; after a failure `out` holds anything. The printers write what glibc's write, without a
// terminator, and return the end.

inline constexpr std::size_t ipv4_text_max = 15;
inline constexpr std::size_t ipv6_text_max = 45;

// Above 9 if `c` is no digit.
constexpr unsigned decimal_digit(char c) noexcept { return static_cast<unsigned>(c) - '0'; }

// Indexed by character.
struct hex_table {
  unsigned char value[256] = {};
  constexpr hex_table() noexcept {
    for (unsigned char& v : value) v = 16;
    for (int i = 0; i < 10; ++i) value['0' + i] = static_cast<unsigned char>(i);
    for (int i = 10; i < 16; ++i)
      value['a' + i - 10] = value['A' + i - 10] = static_cast<unsigned char>(i);
  }
};
inline constexpr hex_table hex_digits;

// Above 15 if `c` is no hexadecimal digit.
constexpr unsigned hex_digit(char c) noexcept {
  return hex_digits.value[static_cast<unsigned char>(c)];
}

// inet_pton's AF_INET: four decimal parts without leading zeros.
constexpr bool parse_ipv4(std::string_view text, unsigned char (&out)[4]) noexcept {
  const char* p = text.data();
  const char* const end = p + text.size();
  for (int i = 0; i < 4; ++i) {
    if (i > 0 && (p == end || *p++ != '.')) return false;
    if (p == end) return false;
    unsigned value = decimal_digit(*p++);
    if (value > 9) return false;
    if (value != 0 && p != end && decimal_digit(*p) <= 9) {
      value = value * 10 + decimal_digit(*p++);
      if (p != end && decimal_digit(*p) <= 9) value = value * 10 + decimal_digit(*p++);
    }
    if (value > 255) return false;
    out[i] = static_cast<unsigned char>(value);
  }
  return p == end;
}

// inet_pton's AF_INET6: neither scope nor brackets; "::" stands for one group or more.
constexpr bool parse_ipv6(std::string_view text, unsigned char (&out)[16]) noexcept {
  constexpr std::size_t nowhere = 17;
  const char* p = text.data();
  const char* const end = p + text.size();
  std::size_t size = 0;
  std::size_t gap = nowhere;
  if (p != end && *p == ':' && (++p == end || *p != ':')) return false;
  while (p != end) {
    const char* const group = p;
    unsigned value = hex_digit(*p++);
    if (value > 15) {
      if (*group != ':' || gap != nowhere) return false;  // a colon here is the second of "::"
      gap = size;
      continue;
    }
    const char* const limit = end - group > 4 ? group + 4 : end;
    for (unsigned digit = 0; p != limit && (digit = hex_digit(*p)) <= 15; ++p)
      value = value << 4 | digit;
    const bool last = p == end;
    if (!last && *p != ':') {
      unsigned char tail[4] = {};
      if (*p != '.' || size > 12 ||
          !parse_ipv4({group, static_cast<std::size_t>(end - group)}, tail))
        return false;
      for (const unsigned char byte : tail) out[size++] = byte;
      break;
    }
    if (size == 16) return false;
    out[size++] = static_cast<unsigned char>(value >> 8);
    out[size++] = static_cast<unsigned char>(value);
    if (last) break;
    if (++p == end) return false;
  }
  if (gap == nowhere) return size == 16;
  if (size == 16) return false;
  std::size_t to = 16;
  while (size > gap) out[--to] = out[--size];
  while (to > gap) out[--to] = 0;
  return true;
}

// A number as in C source: decimal, octal after 0, hexadecimal after 0x. Moves `p` behind it.
constexpr bool parse_c_number(const char*& p, const char* end, std::uint32_t& out) noexcept {
  if (p == end || decimal_digit(*p) > 9) return false;
  unsigned base = 10;
  if (*p == '0') {
    base = 8;
    if (end - p > 2 && (p[1] == 'x' || p[1] == 'X') && hex_digit(p[2]) <= 15) {
      base = 16;
      p += 2;
    }
  }
  std::uint64_t value = 0;
  for (unsigned digit = 0; p != end && (digit = hex_digit(*p)) < base; ++p) {
    value = value * base + digit;
    if (value > 0xFFFFFFFFU) return false;
  }
  out = static_cast<std::uint32_t>(value);
  return true;
}

// inet_aton: one to four parts, each as in C source, the last of which fills what is left. Whatever
// follows white space is ignored.
constexpr bool parse_aton(std::string_view text, unsigned char (&out)[4]) noexcept {
  const char* p = text.data();
  const char* const end = p + text.size();
  std::uint32_t address = 0;
  std::uint32_t value = 0;
  unsigned bits_left = 32;
  while (true) {
    if (!parse_c_number(p, end, value)) return false;
    if (p == end || *p != '.') break;
    ++p;
    if (bits_left == 8 || value > 255) return false;
    bits_left -= 8;
    address |= value << bits_left;
  }
  if (p != end && *p != ' ' && (*p < '\t' || *p > '\r')) return false;
  if (value > 0xFFFFFFFFU >> (32 - bits_left) || text.find('\0') != std::string_view::npos)
    return false;
  address |= value;
  for (int i = 0; i < 4; ++i) out[i] = static_cast<unsigned char>(address >> (24 - 8 * i));
  return true;
}

constexpr char* print_ipv4(const unsigned char* packed, char* out) noexcept {
  for (int i = 0; i < 4; ++i) {
    if (i > 0) *out++ = '.';
    const unsigned value = packed[i];
    if (value >= 100) *out++ = static_cast<char>('0' + value / 100);
    if (value >= 10) *out++ = static_cast<char>('0' + value / 10 % 10);
    *out++ = static_cast<char>('0' + value % 10);
  }
  return out;
}

// A group of an IPv6 address, without leading zeros.
constexpr char* print_group(unsigned value, char* out) noexcept {
  constexpr const char* digits = "0123456789abcdef";
  if (value > 0xFFF) *out++ = digits[value >> 12];
  if (value > 0xFF) *out++ = digits[value >> 8 & 15];
  if (value > 0xF) *out++ = digits[value >> 4 & 15];
  *out++ = digits[value & 15];
  return out;
}

constexpr char* print_ipv6(const unsigned char* packed, char* out) noexcept {
  // The first of the longest runs of zeros, if it is worth a "::".
  unsigned groups[8] = {};
  int gap = 8;
  int gap_size = 1;
  int run = 0;
  for (int i = 0; i < 8; ++i) {
    groups[i] = static_cast<unsigned>(packed[2 * i] << 8 | packed[2 * i + 1]);
    run = groups[i] == 0 ? run + 1 : 0;
    if (run > gap_size) {
      gap = i + 1 - run;
      gap_size = run;
    }
  }

  const bool ipv4_tail = gap == 0 && (gap_size == 6 || (gap_size == 5 && groups[5] == 0xFFFF));
  for (int i = 0; i < 8; ++i) {
    if (i == gap) {
      *out++ = ':';
      if (gap + gap_size == 8) *out++ = ':';
      i += gap_size - 1;
      continue;
    }
    if (i > 0) *out++ = ':';
    if (i == 6 && ipv4_tail) return print_ipv4(packed + 12, out);
    out = print_group(groups[i], out);
  }
  return out;
}

inline const unsigned char* bytes_of(const_bytes packed) noexcept {
  return reinterpret_cast<const unsigned char*>(packed.data());
}

template <std::size_t N>
std::string packed_string(const unsigned char (&packed)[N]) {
  return std::string(reinterpret_cast<const char*>(packed), N);
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

/// An IPv4 address from text to 4 packed bytes, by the generous rules of glibc's inet_aton on every
/// platform: one to four parts in decimal, octal (`010`) or hexadecimal (`0x7f`), the last of which
/// fills what is left (`127.1`); white space and what follows it are ignored. (Python:
/// `socket.inet_aton`) \param ip_string the address; an inner NUL makes it illegal \throws error
/// with `errc::illegal_inet_aton` if it is none; has no errno
[[nodiscard]] inline std::string inet_aton(text ip_string) {
  unsigned char packed[4] = {};
  if (!detail::parse_aton(ip_string.view(), packed))
    detail::throw_error(errc::illegal_inet_aton, "inet_aton");
  return detail::packed_string(packed);
}

/// 4 packed bytes to dotted decimal text. (Python: `socket.inet_ntoa`)
/// \param packed_ip exactly 4 bytes
/// \throws error with `errc::packed_wrong_length` if it has any other length; has no errno
[[nodiscard]] inline std::string inet_ntoa(const_bytes packed_ip) {
  if (packed_ip.size() != 4) detail::throw_error(errc::packed_wrong_length, "inet_ntoa");
  char out[detail::ipv4_text_max] = {};
  return std::string(out, detail::print_ipv4(detail::bytes_of(packed_ip), out));
}

/// An address from text to packed bytes, strictly: AF_INET takes four decimal parts without leading
/// zeros, AF_INET6 takes neither a scope nor brackets. (Python: `socket.inet_pton`) \param family
/// AF_INET (gives 4 bytes) or AF_INET6 (gives 16) \param ip_string the address; an inner NUL makes
/// it illegal \throws error with `errc::illegal_inet_pton` if it is no such address; has no errno
/// \throws error with EAFNOSUPPORT for any other family
[[nodiscard]] inline std::string inet_pton(int family, text ip_string) {
  if (family == AF_INET) {
    unsigned char packed[4] = {};
    if (detail::parse_ipv4(ip_string.view(), packed)) return detail::packed_string(packed);
  } else if (family == AF_INET6) {
    unsigned char packed[16] = {};
    if (detail::parse_ipv6(ip_string.view(), packed)) return detail::packed_string(packed);
  } else {
    detail::throw_error({detail::sys::numbers().family_not_supported, detail::sys::category()},
                        "inet_pton");
  }
  detail::throw_error(errc::illegal_inet_pton, "inet_pton");
}

/// Packed bytes to text: lower case, the first of the longest runs of zero groups as `::`, mapped
/// and compatible IPv4 addresses with a dotted end, as in `0:0:0:0:0:ffff:1.2.3.4`. (Python:
/// `socket.inet_ntop`) \param family AF_INET or AF_INET6 \param packed_ip 4 or 16 bytes, as the
/// family has it \throws std::invalid_argument if the length does not fit the family, or for any
/// other family
[[nodiscard]] inline std::string inet_ntop(int family, const_bytes packed_ip) {
  if (family != AF_INET && family != AF_INET6) {
    detail::throw_invalid_argument(
        ("inet_ntop: unknown address family " + std::to_string(family)).c_str());
  }
  if (packed_ip.size() != (family == AF_INET ? 4 : 16))
    detail::throw_error(bad_argument::packed_length, "inet_ntop");
  const unsigned char* const packed = detail::bytes_of(packed_ip);
  char out[detail::ipv6_text_max] = {};
  return std::string(
      out, family == AF_INET ? detail::print_ipv4(packed, out) : detail::print_ipv6(packed, out));
}

}  // namespace v1
}  // namespace pysock

// Where the macros were all there was, a plain `htons(x)` needs a function. The preprocessor cannot
// tell such a system from one that has both, and a second function beside the system's would make
// `auto f = htons` ambiguous. So the language decides: the call in the probe depends on T, and
// fails softly if the system declared nothing by that name. In that case alone the friend below
// becomes the global function; else the line after it merely repeats the system's own declaration.
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
