// SPDX-License-Identifier: MIT
/// \file
/// Network interfaces by name and number. All functions are thread-safe and do not block.
#pragma once

#include <string>  // string
#include <vector>  // vector

#include "bytes.hpp"
#include "error.hpp"

namespace pysock {
inline namespace v1 {

/// One network interface. (Python: the pair of `if_nameindex`)
struct interface_info {
  unsigned index;    ///< Its number, from 1.
  std::string name;  ///< Its name, such as `lo`.
};

/// All network interfaces. (Python: `socket.if_nameindex`; if_nameindex(3)) \throws error
[[nodiscard]] PYSOCK_API std::vector<interface_info> if_nameindex();

/// The number of an interface. (Python: `socket.if_nametoindex`; if_nametoindex(3))
/// \throws error ENODEV (ENXIO on some systems) if there is none, EMFILE and the like if the system
/// could not look it up \throws std::invalid_argument for an embedded NUL
[[nodiscard]] PYSOCK_API unsigned if_nametoindex(text name);

/// The name of an interface. (Python: `socket.if_indextoname`; if_indextoname(3))
/// \throws error ENXIO if there is none, EMFILE and the like if the system could not look it up
/// \throws std::invalid_argument for a negative number \throws std::out_of_range for one beyond 32
/// bits
[[nodiscard]] PYSOCK_API std::string if_indextoname(long long index);

}  // namespace v1
}  // namespace pysock
