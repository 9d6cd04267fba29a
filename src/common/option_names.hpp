// SPDX-License-Identifier: MIT
// Names of socket options, for the text of errors.
#pragma once

#include <string>

namespace pysock {
inline namespace v1 {
namespace detail {

// "(SOL_SOCKET, SO_RCVBUF)"; numbers where the option has no name here.
std::string option_text(int level, int name);

}  // namespace detail
}  // namespace v1
}  // namespace pysock
