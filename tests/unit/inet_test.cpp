// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <pysock/detail/ip_text.hpp>
#include <pysock/error.hpp>
#include <pysock/inet.hpp>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include "support/catch.hpp"

using namespace std::string_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

using ipv4_bytes = unsigned char[4];
using ipv6_bytes = unsigned char[16];

std::string system_code_of_unknown_family() {
  try {
    (void)pysock::inet_pton(9999, "127.0.0.1");
  } catch (const pysock::error& e) {
    if (e.code() == std::errc::address_family_not_supported && e.errnum()) return "EAFNOSUPPORT";
  }
  return "something else";
}

}  // namespace

// ---- byte order ----

#if defined(htonl) || defined(htons) || defined(ntohl) || defined(ntohs)
#error "a macro is left"
#endif

TEST_CASE("htonl and ntohl: 32 bits to and from network order") {
  const unsigned char wire[4] = {1, 2, 3, 4};
  std::uint32_t network = 0;
  std::memcpy(&network, wire, sizeof network);
  CHECK(pysock::htonl(0x01020304) == network);
  CHECK(pysock::ntohl(network) == 0x01020304);
  CHECK(pysock::htonl(4294967295U) == 4294967295U);
  CHECK(pysock::ntohl(pysock::htonl(2147483648LL)) == 2147483648U);
}

TEST_CASE("htons and ntohs: 16 bits to and from network order") {
  const unsigned char wire[2] = {1, 2};
  std::uint16_t network = 0;
  std::memcpy(&network, wire, sizeof network);
  CHECK(pysock::htons(0x0102) == network);
  CHECK(pysock::ntohs(network) == 0x0102);
  CHECK(pysock::htons(65535) == 65535);
  CHECK(pysock::ntohs(pysock::htons(32768L)) == 32768);
}

TEST_CASE("htonl and similar functions: negative and too large values are refused") {
  CHECK_THROWS_AS(pysock::htons(-1), std::invalid_argument);
  CHECK_THROWS_AS(pysock::htons(65536), std::out_of_range);
  CHECK_THROWS_AS(pysock::ntohs(-1LL), std::invalid_argument);
  CHECK_THROWS_AS(pysock::ntohs(65536UL), std::out_of_range);
  CHECK_THROWS_AS(pysock::htonl(-1), std::invalid_argument);
  CHECK_THROWS_AS(pysock::htonl(4294967296LL), std::out_of_range);
  CHECK_THROWS_AS(pysock::ntohl(std::numeric_limits<long long>::min()), std::invalid_argument);
  CHECK_THROWS_AS(pysock::ntohl(std::numeric_limits<unsigned long long>::max()), std::out_of_range);
  CHECK_THROWS_AS(pysock::htons(static_cast<signed char>(-1)), std::invalid_argument);
  CHECK_THROWS_AS(pysock::ntohl(4294967296ULL), std::out_of_range);
  CHECK_THROWS_WITH(pysock::htons(65536), "htons: value must be 0-65535");
  CHECK_THROWS_WITH(pysock::ntohs(65536), "ntohs: value must be 0-65535");
  CHECK_THROWS_WITH(pysock::htonl(-1), "htonl: value must be 0-4294967295");
  CHECK_THROWS_WITH(pysock::ntohl(-1), "ntohl: value must be 0-4294967295");
}

TEST_CASE("htonl and similar functions: constant, unsigned, and noexcept for the exact type") {
  STATIC_REQUIRE(pysock::ntohs(pysock::htons(80)) == 80);
  STATIC_REQUIRE(pysock::ntohl(pysock::htonl(0x7f000001)) == 0x7f000001);
  STATIC_REQUIRE(std::is_same_v<decltype(pysock::htons(1)), std::uint16_t>);
  STATIC_REQUIRE(std::is_same_v<decltype(pysock::ntohs(1)), std::uint16_t>);
  STATIC_REQUIRE(std::is_same_v<decltype(pysock::htonl(1)), std::uint32_t>);
  STATIC_REQUIRE(std::is_same_v<decltype(pysock::ntohl(1)), std::uint32_t>);
  STATIC_REQUIRE(noexcept(pysock::htons(std::uint16_t{1})));
  STATIC_REQUIRE(noexcept(pysock::ntohs(std::uint16_t{1})));
  STATIC_REQUIRE(noexcept(pysock::htonl(std::uint32_t{1})));
  STATIC_REQUIRE(noexcept(pysock::ntohl(std::uint32_t{1})));
  STATIC_REQUIRE_FALSE(noexcept(pysock::htons(1)));
  STATIC_REQUIRE_FALSE(noexcept(pysock::htonl(1)));
}

TEST_CASE("htonl and similar functions: the plain names still work") {
  CHECK(htons(80) == pysock::htons(80));
  CHECK(ntohs(80) == pysock::ntohs(80));
  CHECK(htonl(80) == pysock::htonl(80));
  CHECK(ntohl(80) == pysock::ntohl(80));
  CHECK(::htons(80) == pysock::htons(80));
  const auto function = &htons;  // not overloaded
  CHECK(function(80) == pysock::htons(80));

  using namespace pysock;
  CHECK(htons(std::uint16_t{80}) == pysock::htons(80));
  CHECK(htonl(80) == pysock::htonl(80));
}

// ---- text to bytes ----

TEST_CASE("inet_aton: one to four parts in three bases") {
  const std::pair<const char*, std::string> legal[] = {
      {"127.0.0.1", "\x7f\0\0\1"s},
      {"1", "\0\0\0\1"s},
      {"1.2", "\1\0\0\2"s},
      {"1.2.3", "\1\2\0\3"s},
      {"0", "\0\0\0\0"s},
      {"1.65536", "\1\1\0\0"s},
      {"1.16777215", "\1\xff\xff\xff"s},
      {"1.2.65535", "\1\2\xff\xff"s},
      {"4294967295", "\xff\xff\xff\xff"s},
      {"0x7f.1", "\x7f\0\0\1"s},
      {"0X7F000001", "\x7f\0\0\1"s},
      {"0177.1", "\x7f\0\0\1"s},
      {"010.1.1.1", "\x08\1\1\1"s},
      {"001.002.003.004", "\1\2\3\4"s},
      {"0xff.0xFF.0377.255", "\xff\xff\xff\xff"s},
      {"1.2.3.4 x", "\1\2\3\4"s},
      {"1.2.3.4\n", "\1\2\3\4"s},
      {"1.2.3.4\t", "\1\2\3\4"s},
      {"1.2.3.4\v", "\1\2\3\4"s},
      {"1.2.3.4\f", "\1\2\3\4"s},
      {"1.2.3.4\r", "\1\2\3\4"s},
  };
  for (const auto& [text, packed] : legal) {
    CAPTURE(text);
    CHECK(pysock::inet_aton(text) == packed);
  }
}

TEST_CASE("inet_aton: rejects illegal addresses") {
  const std::string illegal[] = {"",
                                 " 1.2.3.4",
                                 "08.1.1.1",
                                 "1.2.3.",
                                 "1..2",
                                 ".1",
                                 "1.2.3.4.5",
                                 "1.2.3.256",
                                 "256.1.1.1",
                                 "1.16777216",
                                 "1.2.65536",
                                 "1.256.1",
                                 "+1.2.3.4",
                                 "-1",
                                 "1.2.3.4x",
                                 "1.2.3.4/24",
                                 "0x",
                                 "0x.1",
                                 "4294967296",
                                 "1.2.3.a",
                                 "localhost",
                                 "::1",
                                 "1.2.3.4\xa0",
                                 "1.2.3.4\x0e",
                                 "1.2.3.4\x08",
                                 "0xg",
                                 "1.2.3.-4",
                                 "1. 2.3.4",
                                 "1.2.3.4.",
                                 "0b1",
                                 "1e3",
                                 "0x100000000",
                                 "18446744073709551617"};
  for (const std::string& text : illegal) {
    CAPTURE(text);
    CHECK_THROWS_AS(pysock::inet_aton(text), pysock::error);
  }
  CHECK_THROWS_AS(pysock::inet_aton(std::string("1.2.3.4\0", 8)), pysock::error);
  CHECK_THROWS_AS(pysock::inet_aton("1.2.3.4 \0x"), pysock::error);
  CHECK_THROWS_AS(pysock::inet_aton("1.2\0.3.4"), pysock::error);
}

TEST_CASE("inet_aton: the error has a text and no number") {
  try {
    (void)pysock::inet_aton("1.2.3.256");
    FAIL("not thrown");
  } catch (const pysock::error& e) {
    CHECK(e.code() == pysock::errc::illegal_inet_aton);
    CHECK_FALSE(e.errnum());
    CHECK(e.strerror() == "illegal IP address string passed to inet_aton");
    CHECK_THAT(e.what(), ContainsSubstring("illegal IP address string passed to inet_aton"));
  }
}

TEST_CASE("inet_pton: AF_INET takes four plain decimal parts") {
  CHECK(pysock::inet_pton(AF_INET, "127.0.0.1") == "\x7f\0\0\1"s);
  CHECK(pysock::inet_pton(AF_INET, "0.0.0.0") == "\0\0\0\0"s);
  CHECK(pysock::inet_pton(AF_INET, "255.255.255.255") == "\xff\xff\xff\xff");
  CHECK(pysock::inet_pton(AF_INET, "1.20.30.104") == "\x01\x14\x1e\x68");
  const std::string illegal[] = {"",           "1",         "1.2",        "1.2.3",      "1.2.3.4.5",
                                 "127.0.0.01", "00.0.0.0",  "1.2.3.256",  "1.2.3.1000", "1.2.3.4 ",
                                 " 1.2.3.4",   "1.2.3.4x",  "1.2.3.",     ".1.2.3.4",   "1..2.3",
                                 "0x7f.0.0.1", "+1.2.3.4",  "1.2.3.-4",   "1.2.3.4.",   "1,2,3,4",
                                 "::1",        "localhost", "1.2.3.4\0"s, "1.2\0.3.4"s};
  for (const std::string& text : illegal) {
    CAPTURE(text);
    CHECK_THROWS_AS(pysock::inet_pton(AF_INET, text), pysock::error);
  }
}

TEST_CASE("inet_pton: AF_INET6 takes every text form of RFC 4291") {
  const auto packed = [](const std::string& head, const std::string& tail) {
    return head + std::string(16 - head.size() - tail.size(), '\0') + tail;
  };
  CHECK(pysock::inet_pton(AF_INET6, "::") == packed("", ""));
  CHECK(pysock::inet_pton(AF_INET6, "::1") == packed("", "\1"));
  CHECK(pysock::inet_pton(AF_INET6, "1::") == packed("\0\1"s, ""));
  CHECK(pysock::inet_pton(AF_INET6, "0:0::1") == packed("", "\1"));
  CHECK(pysock::inet_pton(AF_INET6, "2001:DB8::a:B") ==
        packed("\x20\x01\x0d\xb8", "\x00\x0a\x00\x0b"s));
  CHECK(pysock::inet_pton(AF_INET6, "1:2:3:4:5:6:7:8") == "\0\1\0\2\0\3\0\4\0\5\0\6\0\7\0\x08"s);
  CHECK(pysock::inet_pton(AF_INET6, "1:2:3:4:5:6:7::") == "\0\1\0\2\0\3\0\4\0\5\0\6\0\7\0\0"s);
  CHECK(pysock::inet_pton(AF_INET6, "::2:3:4:5:6:7:8") == "\0\0\0\2\0\3\0\4\0\5\0\6\0\7\0\x08"s);
  CHECK(pysock::inet_pton(AF_INET6, "::1.2.3.4") == packed("", "\1\2\3\4"));
  CHECK(pysock::inet_pton(AF_INET6, "::ffff:1.2.3.4") == packed("", "\xff\xff\1\2\3\4"));
  CHECK(pysock::inet_pton(AF_INET6, "1:2:3:4:5:6:1.2.3.4") == "\0\1\0\2\0\3\0\4\0\5\0\6\1\2\3\4"s);
  const std::string illegal[] = {"",
                                 ":",
                                 ":1",
                                 "1:",
                                 ":::",
                                 "1:::2",
                                 "1::2::3",
                                 "1:2:3:4:5:6:7",
                                 "1:2:3:4:5:6:7:8:9",
                                 "1:2:3:4:5:6:7:8::",
                                 "::1:2:3:4:5:6:7:8",
                                 "1:2:3:4::5:6:7:8",
                                 "00001::",
                                 "g::",
                                 "[::1]",
                                 "fe80::1%lo",
                                 "::1 ",
                                 "::1.2.3",
                                 "::1.2.3.4:1",
                                 "::1.2.3.04",
                                 "::a.2.3.4",
                                 "1:2:3:4:5:6:7:1.2.3.4",
                                 "1.2.3.4",
                                 "::1\0"s,
                                 "::\0:1"s};
  for (const std::string& text : illegal) {
    CAPTURE(text);
    CHECK_THROWS_AS(pysock::inet_pton(AF_INET6, text), pysock::error);
  }
}

TEST_CASE("inet_pton: illegal text has no number, another family has one") {
  try {
    (void)pysock::inet_pton(AF_INET6, "fe80::1%lo");
    FAIL("not thrown");
  } catch (const pysock::error& e) {
    CHECK(e.code() == pysock::errc::illegal_inet_pton);
    CHECK_FALSE(e.errnum());
    CHECK(e.strerror() == "illegal IP address string passed to inet_pton");
  }
  CHECK(system_code_of_unknown_family() == "EAFNOSUPPORT");
}

// ---- bytes to text ----

TEST_CASE("inet_ntoa: four bytes to dotted text") {
  CHECK(pysock::inet_ntoa("\x7f\0\0\1") == "127.0.0.1");
  CHECK(pysock::inet_ntoa("\0\0\0\0") == "0.0.0.0");
  CHECK(pysock::inet_ntoa("\xff\xff\xff\xff"s) == "255.255.255.255");
  const unsigned char packed[4] = {10, 20, 9, 109};
  CHECK(pysock::inet_ntoa(packed) == "10.20.9.109");
  for (const std::size_t length :
       {std::size_t{0}, std::size_t{3}, std::size_t{5}, std::size_t{16}}) {
    try {
      (void)pysock::inet_ntoa(std::string(length, 'x'));
      FAIL("not thrown for length " << length);
    } catch (const pysock::error& e) {
      CHECK(e.code() == pysock::errc::packed_wrong_length);
      CHECK_FALSE(e.errnum());
      CHECK(e.strerror() == "packed IP wrong length for inet_ntoa");
    }
  }
}

TEST_CASE("inet_ntop: the canonical text") {
  CHECK(pysock::inet_ntop(AF_INET, "\x7f\0\0\1") == "127.0.0.1");
  for (const char* text :
       {"::", "::1", "1::", "::1.2.3.4", "::ffff:0.0.0.1", "::ffff:1.2.3.4", "::fffe:102:304",
        "1:0:0:ffff::", "1::2:0:0:3:4", "1:0:0:2::3", "1:0:2:3:4:5:6:7", "0:1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:0", "0:0:1::", "1:2:3:4:5:6::", "::1:2:3:4:5:6", "fe80::a00:27ff:fe4e:66a1",
        "2001:db8:85a3::8a2e:370:7334", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}) {
    CAPTURE(text);
    CHECK(pysock::inet_ntop(AF_INET6, pysock::inet_pton(AF_INET6, text)) == text);
  }
  CHECK(pysock::inet_ntop(AF_INET6, pysock::inet_pton(AF_INET6, "0:0::1")) == "::1");
  CHECK(pysock::inet_ntop(AF_INET6, pysock::inet_pton(AF_INET6, "2001:DB8:0:0:0:0:0:0A")) ==
        "2001:db8::a");
  CHECK(pysock::inet_ntop(AF_INET6, pysock::inet_pton(AF_INET6, "1::0:2:3:4:5:6")) ==
        "1::2:3:4:5:6");
  CHECK(pysock::inet_ntop(AF_INET6, pysock::inet_pton(AF_INET6, "1::3:4:5:6:7:8")) ==
        "1:0:3:4:5:6:7:8");
}

TEST_CASE("inet_ntop: wrong lengths and families are invalid arguments") {
  CHECK_THROWS_AS(pysock::inet_ntop(AF_INET, "123"), std::invalid_argument);
  CHECK_THROWS_AS(pysock::inet_ntop(AF_INET, std::string(16, '\0')), std::invalid_argument);
  CHECK_THROWS_AS(pysock::inet_ntop(AF_INET6, "1234"), std::invalid_argument);
  CHECK_THROWS_AS(pysock::inet_ntop(9999, "1234"), std::invalid_argument);
  CHECK_THROWS_WITH(pysock::inet_ntop(AF_INET6, ""),
                    ContainsSubstring("invalid length of packed IP address string"));
  CHECK_THROWS_WITH(pysock::inet_ntop(9999, ""), ContainsSubstring("unknown address family 9999"));
}

// ---- against glibc ----
// The library follows glibc's rules on every system; other C libraries differ in some cases.

#ifdef __GLIBC__
namespace {

std::string print4(const ipv4_bytes& packed) {
  char out[pysock::detail::ipv4_text_max];
  return {out, pysock::detail::print_ipv4(packed, out)};
}
std::string print6(const ipv6_bytes& packed) {
  char out[pysock::detail::ipv6_text_max];
  return {out, pysock::detail::print_ipv6(packed, out)};
}

std::string glibc_text(int family, const unsigned char* packed) {
  char out[64] = {};
  return ::inet_ntop(family, const_cast<unsigned char*>(packed), out, sizeof out) == nullptr ? ""
                                                                                             : out;
}

// The result of a parser: the bytes, or "none".
template <std::size_t N, class Parser>
std::string outcome(const Parser& parse, const std::string& text) {
  unsigned char packed[N] = {};
  return parse(text, packed) ? std::string(std::begin(packed), std::end(packed)) : "none";
}
std::string our_outcome(int family, const std::string& text) {
  return family == AF_INET
             ? outcome<4>([](const std::string& t,
                             ipv4_bytes& out) { return pysock::detail::parse_ipv4(t, out); },
                          text)
             : outcome<16>([](const std::string& t,
                              ipv6_bytes& out) { return pysock::detail::parse_ipv6(t, out); },
                           text);
}
std::string glibc_outcome(int family, const std::string& text) {
  const auto parse = [family](const std::string& t, void* out) {
    return ::inet_pton(family, t.c_str(), out) == 1;
  };
  return family == AF_INET ? outcome<4>(parse, text) : outcome<16>(parse, text);
}

// A random text of up to `most` pieces that is often nearly well-formed.
template <std::size_t N>
std::string random_text(std::mt19937& random, const std::array<const char*, N>& pieces,
                        unsigned most) {
  std::string text;
  for (std::size_t left = random() % most + 1; left > 0; --left) text += pieces[random() % N];
  return text;
}

}  // namespace

TEST_CASE("the parsers agree with glibc's inet_pton") {
  std::mt19937 random(20240607);
  const std::array<const char*, 16> pieces = {":",    ":",     ":",  "::", "0", "1",
                                              "ffff", "00001", "aB", "g",  ".", "1.2.3.4",
                                              "255",  "256",   "01", " "};
  const std::array<const char*, 8> v4_pieces = {".", ".", ".", "0", "1", "25", "9", "x"};
  for (int i = 0; i < 60000; ++i) {
    const std::string text =
        i % 3 == 0 ? random_text(random, v4_pieces, 10) : random_text(random, pieces, 15);
    for (const int family : {AF_INET, AF_INET6}) {
      if (our_outcome(family, text) == glibc_outcome(family, text)) continue;
      CAPTURE(text, family);
      CHECK(our_outcome(family, text) == glibc_outcome(family, text));
    }
  }
}

TEST_CASE("inet_aton agrees with glibc's") {
  std::mt19937 random(20240608);
  const std::array<const char*, 20> pieces = {
      ".",  ".",   ".",     ".",     "1",        "0",          "255",        "256", "0x7f", "0x",
      "08", "017", "65535", "65536", "16777216", "4294967295", "4294967296", " ",   "\n",   "-1"};
  for (int i = 0; i < 60000; ++i) {
    const std::string text = random_text(random, pieces, 8);
    const std::string ours = outcome<4>(
        [](const std::string& t, ipv4_bytes& out) { return pysock::detail::parse_aton(t, out); },
        text);
    const std::string theirs = outcome<4>(
        [](const std::string& t, ipv4_bytes& out) {
          in_addr address = {};
          const bool legal = ::inet_aton(t.c_str(), &address) != 0;
          std::memcpy(out, &address, sizeof out);
          return legal;
        },
        text);
    if (ours == theirs) continue;
    CAPTURE(text);
    CHECK(ours == theirs);
  }
}

TEST_CASE("the printers agree with glibc's inet_ntop") {
  std::mt19937 random(20240609);
  for (unsigned zeros = 0; zeros < 256; ++zeros) {  // every pattern of zero groups
    for (int i = 0; i < 100; ++i) {
      ipv6_bytes packed = {};
      for (unsigned group = 0; group < 8; ++group) {
        if ((zeros >> group & 1) != 0) continue;
        const unsigned longest[] = {0xFFFF, 0xFFF, 0xFF, 0xF, 1};
        const unsigned value = random() % 4 == 0
                                   ? 0xFFFF
                                   : 1 + static_cast<unsigned>(random() % longest[random() % 5]);
        packed[2 * group] = static_cast<unsigned char>(value >> 8);
        packed[2 * group + 1] = static_cast<unsigned char>(value);
      }
      const std::string text = print6(packed);
      if (text != glibc_text(AF_INET6, packed)) CHECK(text == glibc_text(AF_INET6, packed));
      if (our_outcome(AF_INET6, text) != std::string(std::begin(packed), std::end(packed)))
        FAIL_CHECK(text << " is read back otherwise");
    }
  }
  for (int i = 0; i < 256; ++i) {
    const ipv4_bytes packed = {static_cast<unsigned char>(i), static_cast<unsigned char>(random()),
                               static_cast<unsigned char>(random()), 0};
    CHECK(print4(packed) == glibc_text(AF_INET, packed));
  }
}
#endif
