// SPDX-License-Identifier: MIT
// The number of bytes that a failed call has transferred.
#pragma once

#include <cstddef>
#include <pysock/error.hpp>
#include <stdexcept>

namespace test_support {

/// `error::transferred()` of the failure of `f`, which must fail.
template <class F>
std::size_t transferred(const F& f) {
  try {
    (void)f();
  } catch (const pysock::error& e) {
    return e.transferred();
  }
  throw std::logic_error("not thrown");
}

}  // namespace test_support
