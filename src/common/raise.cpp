// SPDX-License-Identifier: MIT
#include <pysock/detail/raise.hpp>
#include <stdexcept>

namespace pysock {
inline namespace v1 {
namespace detail {

void throw_invalid_argument(const char* text) { throw std::invalid_argument(text); }
void throw_out_of_range(const char* text) { throw std::out_of_range(text); }

}  // namespace detail
}  // namespace v1
}  // namespace pysock
