// SPDX-License-Identifier: MIT
// Imitates a system on which these four are only macros, as on macOS: the functions of this system
// get other names.
#define htonl renamed_htonl
#define htons renamed_htons
#define ntohl renamed_ntohl
#define ntohs renamed_ntohs
#if __has_include(<arpa/inet.h>)
#include <arpa/inet.h>
#include <netinet/in.h>
#else
#include <winsock2.h>
#endif
#undef htonl
#undef htons
#undef ntohl
#undef ntohs
#define htonl(x) __builtin_bswap32(x)
#define htons(x) __builtin_bswap16(x)
#define ntohl(x) __builtin_bswap32(x)
#define ntohs(x) __builtin_bswap16(x)
#include <pysock/inet.hpp>

static_assert(noexcept(htons(80)) && noexcept(::ntohl(80)));
static_assert(std::is_same_v<decltype(htonl(80)), std::uint32_t> &&
              std::is_same_v<decltype(ntohs(80)), std::uint16_t>);
static_assert(pysock::ntohs(pysock::htons(80)) == 80);
std::uint16_t (*function)(std::uint16_t) = htons;

#ifdef PLAIN_HTONS_NOT_DEFINED
std::uint16_t htons(std::uint16_t) noexcept { return 0; }  // error: redefinition
#else
std::uint16_t htons(std::uint16_t) noexcept;
#endif
