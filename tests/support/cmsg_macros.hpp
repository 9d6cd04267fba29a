// SPDX-License-Identifier: MIT
// The system's own macros for control messages, with POSIX's names on systems with other names.
#pragma once

#include <pysock/constants.hpp>

#include <cstddef>

#ifdef WSA_CMSG_LEN
#define CMSG_LEN WSA_CMSG_LEN
#define CMSG_SPACE WSA_CMSG_SPACE
#define CMSG_DATA WSA_CMSG_DATA
#define CMSG_FIRSTHDR WSA_CMSG_FIRSTHDR
#define CMSG_NXTHDR WSA_CMSG_NXTHDR
using cmsghdr = WSACMSGHDR;
using msghdr = WSAMSG;
#endif

#ifndef SCM_RIGHTS
#define SCM_RIGHTS 1
#endif

namespace test_support {

inline msghdr message_with_control(char* control, std::size_t size) {
  msghdr made{};
#ifdef WSA_CMSG_LEN
  made.Control.buf = control;
  made.Control.len = static_cast<ULONG>(size);
#else
  made.msg_control = control;
  made.msg_controllen = static_cast<decltype(made.msg_controllen)>(size);
#endif
  return made;
}

}  // namespace test_support
