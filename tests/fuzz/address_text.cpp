// SPDX-License-Identifier: MIT
// Addresses as text, compared with glibc's parsers.
#include <cstring>
#include <pysock/address.hpp>
#include <pysock/detail/ip_text.hpp>
#include <pysock/inet.hpp>
#include <pysock/resolver.hpp>
#include <vector>

#include "fuzz.hpp"
#ifdef __GLIBC__
#include <arpa/inet.h>
#include <netdb.h>
#endif

namespace sk = pysock;

namespace {

#ifdef __GLIBC__
template <std::size_t N>
void compare_parser(bool taken, const unsigned char (&packed)[N], bool system_takes,
                    const void* system_packed) {
  FUZZ_CHECK(taken == system_takes);
  FUZZ_CHECK(!taken || std::memcmp(packed, system_packed, N) == 0);
}

void compare_parsers(const std::string& text) {
  unsigned char packed4[4] = {};
  unsigned char packed6[16] = {};
  in_addr system4{};
  in6_addr system6{};
  bool taken = sk::detail::parse_ipv4(text, packed4);
  compare_parser(taken, packed4, ::inet_pton(AF_INET, text.c_str(), &system4) == 1, &system4);
  taken = sk::detail::parse_aton(text, packed4);
  compare_parser(taken, packed4, ::inet_aton(text.c_str(), &system4) != 0, &system4);
  taken = sk::detail::parse_ipv6(text, packed6);
  compare_parser(taken, packed6, ::inet_pton(AF_INET6, text.c_str(), &system6) == 1, &system6);
}

void compare_printers(const std::string& packed) {
  char text[INET6_ADDRSTRLEN];
  FUZZ_CHECK(sk::inet_ntop(AF_INET6, packed) ==
             ::inet_ntop(AF_INET6, packed.data(), text, sizeof text));
  FUZZ_CHECK(sk::inet_ntop(AF_INET, packed.substr(0, 4)) ==
             ::inet_ntop(AF_INET, packed.data(), text, sizeof text));
}

// Only numeric hosts, so that nothing is looked up.
void compare_resolver(const std::string& text, int port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) > 0x7F) hints.ai_flags |= AI_IDN;
  }
  addrinfo* first = nullptr;
  const int system_error = ::getaddrinfo(text.empty() ? nullptr : text.c_str(),
                                         std::to_string(port).c_str(), &hints, &first);
  std::vector<sk::address> expected;
  for (const addrinfo* one = first; one != nullptr; one = one->ai_next)
    expected.emplace_back(one->ai_addr, one->ai_addrlen);
  if (first != nullptr) ::freeaddrinfo(first);
  std::vector<sk::address> found;
  int error = 0;
  try {
    for (const sk::address_info& one :
         sk::getaddrinfo(text, port, AF_UNSPEC, SOCK_STREAM, 0, AI_NUMERICHOST | AI_NUMERICSERV)) {
      found.push_back(one.sockaddr);
    }
  } catch (const sk::error& e) {
    error = e.code().value();
  }
  FUZZ_CHECK(error == system_error);
  FUZZ_CHECK(found == expected);
}
#endif

// Converting an address to text and back gives the same address.
void check_address(const std::string& text, int port) {
  try {
    const sk::address made(text, port);
    FUZZ_CHECK(made.port() == port);
    FUZZ_CHECK(made == sk::address(made));
    if (made.family() == AF_INET) FUZZ_CHECK(made == sk::address(made.host(), port));
    if (made.family() == AF_INET6)
      FUZZ_CHECK(made == sk::address(made.host(), port, 0, made.scope_id()));
    if (made.family() == AF_UNSPEC) FUZZ_CHECK(made.host() == text);
    if (made.size() != 0) FUZZ_CHECK(made == sk::address(made.data(), made.size()));
    FUZZ_CHECK(!made.to_string().empty());
  } catch (const std::invalid_argument&) {
    FUZZ_CHECK(text.find('\0') != std::string::npos);
  }
}

void check_path(const std::string& text) {
  try {
    const sk::address made(text);
    FUZZ_CHECK(made.path() == text);
    // Abstract names have bytes only on systems that support them.
    if (PYSOCK_ABSTRACT_NAMES || text[0] != '\0')
      FUZZ_CHECK(made == sk::address(made.data(), made.size()));
  } catch (const sk::error& e) {
    FUZZ_CHECK(e.code() == sk::errc::path_too_long);
    FUZZ_CHECK(text.size() > 90);
  } catch (const std::invalid_argument&) {
    FUZZ_CHECK(text.find('\0', 1) != std::string::npos);
  }
}

// A class of one family accepts the texts that `address` accepts for that family, and the wildcard.
template <class Address>
void check_family(const std::string& text) {
  try {
    const Address made(text, 80);
    if (!text.empty() && text != "<broadcast>") FUZZ_CHECK(sk::address(text, 80) == made);
  } catch (const sk::error& e) {
    FUZZ_CHECK(e.code() == sk::errc::illegal_inet_pton);
    if (text.find('\0') == std::string::npos)
      FUZZ_CHECK(sk::address(text, 80).family() != Address::family());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in(data, size);
  const int port = static_cast<int>(in.byte());
  const std::string text = in.rest();
#ifdef __GLIBC__
  if (text.find('\0') == std::string::npos) {
    compare_parsers(text);
    compare_resolver(text, port);
  }
  if (text.size() >= 16) compare_printers(text.substr(0, 16));
#endif
  if (text.size() >= 16) {
    const sk::inet6_address from_bytes(sk::inet_ntop(AF_INET6, text.substr(0, 16)), port);
    FUZZ_CHECK(std::memcmp(from_bytes.bytes(), text.data(), 16) == 0);
  }
  check_address(text, port);
  check_path(text);
  check_family<sk::inet_address>(text);
  check_family<sk::inet6_address>(text);
  return 0;
}
