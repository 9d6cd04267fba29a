// SPDX-License-Identifier: MIT
// Names to addresses: apart from everything else in the databases, which a program that only
// connects has no use for.
#include "winsock.hpp"

#include <cstring>

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

constexpr int name_room = 256;  // in characters: no host name is longer

bool is_ascii(const char* text) noexcept {
  return std::all_of(text, text + std::strlen(text),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// Names here are UTF-8, which Winsock would take for the system's code page.
bool encode(const char* name, char (&out)[name_room]) noexcept {
  wchar_t wide[name_room];
  wchar_t ascii[name_room];
  if (::MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, name, -1, wide, name_room) == 0)
    return false;
  const int size = ::IdnToAscii(0, wide, -1, ascii, name_room);
  std::transform(ascii, ascii + size, out, [](wchar_t c) { return static_cast<char>(c); });
  return size > 0;
}

}  // namespace

sys::resolver_status sys::getaddrinfo(const char* host, const char* service, const addrinfo* hints,
                                      addrinfo** results) noexcept {
  if (!winsock::started()) return {last_error(), true};
  char encoded[name_room];
  if (host != nullptr && !is_ascii(host)) {
    if (!encode(host, encoded)) return {EAI_NONAME, false};
    host = encoded;
  }
  return {::getaddrinfo(host, service, hints, results), false};
}

void sys::freeaddrinfo(addrinfo* results) noexcept { ::freeaddrinfo(results); }

// It repeats the question.
int sys::answered_protocol(int /*usual*/) noexcept { return 0; }

}  // namespace detail
}  // namespace v1
}  // namespace pysock
