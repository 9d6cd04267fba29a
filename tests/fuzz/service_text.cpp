// SPDX-License-Identifier: MIT
// Ports and services as text, compared with the C library.
#include <climits>
#include <optional>
#include <pysock/resolver.hpp>

#include "fuzz.hpp"
#ifdef __GLIBC__
#include <netdb.h>
#endif

namespace sk = pysock;

namespace {

constexpr const char* host = "192.0.2.1";

// The number if the text contains only a number, as strtol() parses it.
std::optional<long long> number_in(const std::string& text) {
  char* end = nullptr;
  const long long number = std::strtoll(text.c_str(), &end, 10);
  if (end == text.c_str() || *end != '\0') return std::nullopt;
  return number;
}

struct answer {
  int error = 0;
  int port = -1;
};

template <class Port>
answer ask(const Port& port, int type, int flags) {
  answer result;
  try {
    result.port = sk::getaddrinfo(host, port, AF_INET, type, 0, flags).at(0).sockaddr.port();
  } catch (const sk::gaierror& e) {
    result.error = e.code().value();
  }
  return result;
}

#ifdef __GLIBC__
answer ask_system(const std::string& text, int type, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = type;
  hints.ai_flags = flags;
  addrinfo* first = nullptr;
  answer result;
  result.error = ::getaddrinfo(host, text.c_str(), &hints, &first);
  if (result.error != 0) return result;
  result.port = sk::address(first->ai_addr, first->ai_addrlen).port();
  ::freeaddrinfo(first);
  return result;
}

void compare_database(const std::string& text, const char* protocol) {
  const servent* entry = ::getservbyname(text.c_str(), protocol);
  const int expected = entry == nullptr ? -1 : ntohs(static_cast<std::uint16_t>(entry->s_port));
  int port = -1;
  try {
    port = sk::getservbyname(text, protocol);
  } catch (const sk::error& e) {
    FUZZ_CHECK(e.code() == sk::errc::service_not_found);
  }
  FUZZ_CHECK(port == expected);
  if (port >= 0) FUZZ_CHECK(!sk::getservbyport(port, protocol).empty());
}
#endif

void check_text(const std::string& text, int type, int flags) {
  const std::optional<long long> number = number_in(text);
  const answer got = ask(text, type, flags);
  if (number && (*number < 0 || *number > 65535)) {
    FUZZ_CHECK(got.error == EAI_SERVICE);  // glibc would wrap it
    return;
  }
  if (number) FUZZ_CHECK(got.port == *number);
#ifdef __GLIBC__
  const answer expected = ask_system(text, type, flags);
  FUZZ_CHECK(got.error == expected.error);
  FUZZ_CHECK(got.port == expected.port);
#endif
}

void check_number(long long number, int type, int flags) {
  const bool valid = number >= 0 && number <= 65535;
  try {
    const answer got = ask(number, type, flags);
    FUZZ_CHECK(valid);
    FUZZ_CHECK(got.port == number);
  } catch (const std::out_of_range&) {
    FUZZ_CHECK(!valid);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in(data, size);
  const unsigned choice = in.byte();
  const int type = choice % 2 == 0 ? SOCK_STREAM : SOCK_DGRAM;
  // Reading the database of services is slow, so only a few inputs do it.
  const bool looks_up = choice >= 0xF0;
  const std::string text = in.rest();
  if (text.find('\0') != std::string::npos) {
    bool refused = false;
    try {
      (void)ask(text, type, 0);
    } catch (const std::invalid_argument&) {
      refused = true;
    }
    FUZZ_CHECK(refused);
    return 0;
  }
  check_text(text, type, looks_up ? 0 : AI_NUMERICSERV);
#ifdef __GLIBC__
  if (looks_up) compare_database(text, type == SOCK_STREAM ? "tcp" : "udp");
#endif
  long long number = 0;
  for (const char c : text.substr(0, sizeof number))
    number = static_cast<long long>(static_cast<unsigned long long>(number) << 8U |
                                    static_cast<unsigned char>(c));
  check_number(number, type, AI_NUMERICSERV);
  check_number(number % 70000, type, AI_NUMERICSERV);
  return 0;
}
