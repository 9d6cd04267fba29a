// SPDX-License-Identifier: MIT
#pragma once

#include <cstdlib>

namespace docs {

/// The free port that 50007 stands for.
inline int port() { return std::atoi(std::getenv("DOCS_PORT")); }

}  // namespace docs
