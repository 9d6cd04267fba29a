// SPDX-License-Identifier: MIT
#pragma once

#include <cstdlib>

namespace docs {

/// The free port that replaces 50007.
inline int port() { return std::atoi(std::getenv("DOCS_PORT")); }

}  // namespace docs
