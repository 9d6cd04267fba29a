// SPDX-License-Identifier: MIT
/// \file
/// Names of families, types and flags, for printing. (Python: the enumerations AddressFamily,
/// SocketKind and MsgFlag)
#pragma once

#include <string>  // string

#include "detail/config.hpp"

namespace pysock {
inline namespace v1 {

/// `AF_INET` for AF_INET and so on; the decimal number of a family that is not in this system's
/// headers. Thread-safe. (Python: `socket.AddressFamily(family).name`)
[[nodiscard]] PYSOCK_API std::string family_name(int family);

/// `SOCK_STREAM` for SOCK_STREAM and so on; the decimal number of a type that is not in this
/// system's headers, or that is combined with flags. Thread-safe. (Python:
/// `socket.SocketKind(type).name`)
[[nodiscard]] PYSOCK_API std::string type_name(int type);

/// `MSG_PEEK|MSG_WAITALL` for the flags of a send or receive call, lowest bit first. Bits without a
/// name come last, together and in hexadecimal: `MSG_PEEK|0x80000000`. `0` for no flags.
/// Thread-safe. (Python: `socket.MsgFlag(flags).name`)
[[nodiscard]] PYSOCK_API std::string msg_flag_names(int flags);

}  // namespace v1
}  // namespace pysock
