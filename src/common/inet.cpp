// SPDX-License-Identifier: MIT
// The parser and printer for IP addresses, and Python's functions on them.
#include <pysock/detail/ip_text.hpp>

#include <cstdint>
#include <pysock/error.hpp>
#include <pysock/inet.hpp>
#include <stdexcept>

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

// Indexed by character.
struct hex_table {
  unsigned char value[256] = {};
  // Not covered: only the compiler calls it.
  constexpr hex_table() noexcept {
    for (unsigned char& v : value) v = 16;
    for (int i = 0; i < 10; ++i) value['0' + i] = static_cast<unsigned char>(i);
    for (int i = 10; i < 16; ++i)
      value['a' + i - 10] = value['A' + i - 10] = static_cast<unsigned char>(i);
  }
};
constexpr hex_table hex_digits;

// Above 15 if `c` is not a hexadecimal digit.
constexpr unsigned hex_digit(char c) noexcept {
  return hex_digits.value[static_cast<unsigned char>(c)];
}

// One to four hexadecimal digits. Moves `p` behind them, or leaves it if there are none. Unrolled,
// because a loop takes 1.5 times as long. \pre `p` is not `end`
constexpr unsigned parse_group(const char*& p, const char* end) noexcept {
  unsigned digit = hex_digit(*p);
  if (digit > 15) return 0;
  unsigned value = digit;
  if (++p == end || (digit = hex_digit(*p)) > 15) return value;
  value = value << 4 | digit;
  if (++p == end || (digit = hex_digit(*p)) > 15) return value;
  value = value << 4 | digit;
  if (++p == end || (digit = hex_digit(*p)) > 15) return value;
  ++p;
  return value << 4 | digit;
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

// A group of an IPv6 address, without leading zeros.
constexpr char* print_group(unsigned value, char* out) noexcept {
  constexpr const char* digits = "0123456789abcdef";
  if (value > 0xFFF) *out++ = digits[value >> 12];
  if (value > 0xFF) *out++ = digits[value >> 8 & 15];
  if (value > 0xF) *out++ = digits[value >> 4 & 15];
  *out++ = digits[value & 15];
  return out;
}

}  // namespace

bool parse_ipv4(std::string_view text, unsigned char (&out)[4]) noexcept {
  const char* p = text.data();
  const char* const end = p + text.size();
  for (unsigned char& part : out) {
    if (&part != out && (p == end || *p++ != '.')) return false;
    unsigned digit = 0;
    if (p == end || (digit = decimal_digit(*p)) > 9) return false;
    unsigned value = digit;
    if (++p != end && value != 0 && (digit = decimal_digit(*p)) <= 9) {
      value = value * 10 + digit;
      if (++p != end && (digit = decimal_digit(*p)) <= 9) {
        value = value * 10 + digit;
        ++p;
      }
    }
    if (value > 255) return false;
    part = static_cast<unsigned char>(value);
  }
  return p == end;
}

bool parse_ipv6(std::string_view text, unsigned char (&out)[16]) noexcept {
  constexpr std::size_t nowhere = 17;
  const char* p = text.data();
  const char* const end = p + text.size();
  std::size_t size = 0;
  std::size_t gap = nowhere;
  if (p != end && *p == ':' && (++p == end || *p != ':')) return false;
  while (p != end) {
    const char* const group = p;
    const unsigned value = parse_group(p, end);
    if (p == group) {
      if (*p++ != ':' || gap != nowhere) return false;  // a colon here is the second of "::"
      gap = size;
      continue;
    }
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

bool parse_aton(std::string_view text, unsigned char (&out)[4]) noexcept {
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

char* print_ipv4(const unsigned char* packed, char* out) noexcept {
  for (int i = 0; i < 4; ++i) {
    if (i > 0) *out++ = '.';
    const unsigned value = packed[i];
    if (value >= 100) *out++ = static_cast<char>('0' + value / 100);
    if (value >= 10) *out++ = static_cast<char>('0' + value / 10 % 10);
    *out++ = static_cast<char>('0' + value % 10);
  }
  return out;
}

char* print_ipv6(const unsigned char* packed, char* out) noexcept {
  // The first of the longest runs of zeros, if it has at least two groups.
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

}  // namespace detail

namespace {

const unsigned char* bytes_of(const_bytes packed) noexcept {
  return reinterpret_cast<const unsigned char*>(packed.data());
}

}  // namespace

std::string inet_aton(text ip_string) {
  unsigned char packed[4] = {};
  if (!detail::parse_aton(ip_string.view(), packed))
    detail::throw_error(errc::illegal_inet_aton, {});
  return detail::packed_string(packed);
}

std::string inet_ntoa(const_bytes packed_ip) {
  if (packed_ip.size() != 4) detail::throw_error(errc::packed_wrong_length, {});
  char out[detail::ipv4_text_max] = {};
  return std::string(out, detail::print_ipv4(bytes_of(packed_ip), out));
}

std::string inet_pton(int family, text ip_string) {
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
  detail::throw_error(errc::illegal_inet_pton, {});
}

std::string inet_ntop(int family, const_bytes packed_ip) {
  if (family != AF_INET && family != AF_INET6) {
    throw std::invalid_argument("inet_ntop: unknown address family " + std::to_string(family));
  }
  if (packed_ip.size() != (family == AF_INET ? 4 : 16))
    detail::throw_error(bad_argument::packed_length, "inet_ntop");
  const unsigned char* const packed = bytes_of(packed_ip);
  char out[detail::ipv6_text_max] = {};
  return std::string(
      out, family == AF_INET ? detail::print_ipv4(packed, out) : detail::print_ipv6(packed, out));
}

}  // namespace v1
}  // namespace pysock
