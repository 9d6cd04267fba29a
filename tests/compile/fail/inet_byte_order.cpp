// SPDX-License-Identifier: MIT
#include <pysock/inet.hpp>

void cases() {
#ifdef HTONS_OF_BOOL
  (void)pysock::htons(true);  // error: no matching function
#else
  (void)pysock::htons(1);
#endif

#ifdef HTONL_OF_FLOATING_POINT
  (void)pysock::htonl(80.0);  // error: no matching function
#else
  (void)pysock::htonl(80L);
#endif

#ifdef NTOHS_OF_POINTER
  (void)pysock::ntohs(nullptr);  // error: no matching function
#else
  (void)pysock::ntohs(0);
#endif

#ifdef CONSTANT_HTONS_TOO_LARGE
  constexpr auto port = pysock::htons(65536);  // error: constant expression|throw_out_of_range
#else
  constexpr auto port = pysock::htons(65535);
#endif
  (void)port;

#ifdef CONSTANT_NTOHL_NEGATIVE
  constexpr auto address = pysock::ntohl(-1);  // error: constant expression|throw_invalid_argument
#else
  constexpr auto address = pysock::ntohl(4294967295U);
#endif
  (void)address;

#ifdef HTONL_UNUSED
  pysock::htonl(80);  // error: nodiscard
#else
  (void)pysock::htonl(80);
#endif

#ifdef INET_ATON_OF_NULLPTR
  (void)pysock::inet_aton(nullptr);  // error: deleted
#else
  (void)pysock::inet_aton("1");
#endif

#ifdef INET_NTOA_OF_INTEGER
  (void)pysock::inet_ntoa(
      0x7f000001);  // error: could not convert|cannot convert|no known conversion|no matching
#else
  (void)pysock::inet_ntoa("\x7f\0\0\1");
#endif
}
