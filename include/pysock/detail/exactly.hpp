// SPDX-License-Identifier: MIT
// What the receives of an exact size of sockets and of TLS sessions share.
#pragma once

#include <algorithm>     // min, max
#include <cstddef>       // size_t
#include <string>        // string
#include <system_error>  // error_code

#include "../incomplete_read.hpp"
#include "scratch.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

// The failure of a receive of `size` bytes, of which `done` are in `data`.
[[noreturn]] inline void throw_incomplete(std::error_code ec, const char* operation,
                                          const char* data, std::size_t done, std::size_t size) {
  if (ec == errc::incomplete_read) throw incomplete_read_error(operation, {data, done}, size);
  throw_error(ec, operation, done);
}

// `receive(data, size, done, ec)` receives until `size` bytes are in `data`, of which `done` are
// there already, and returns how many are there; fewer with the reason in `ec`. The memory grows
// with the received data, because the peer may have chosen the size.
template <class Receive>
std::string receive_exactly(std::size_t size, const Receive& receive) {
  constexpr const char* operation = "recv_exactly";
  constexpr std::size_t first_block = 65536;  // allocated at once, even if the peer sends nothing
  if (size > max_transfer) throw_error(bad_argument::negative_size, operation);
  std::string result;
  std::size_t done = 0;
  while (done < size) {
    result.resize(std::min(size, std::max(2 * done, first_block)));
    std::error_code ec;
    done = receive(result.data(), result.size(), done, ec);
    if (ec) throw_incomplete(ec, operation, result.data(), done, size);
  }
  return result;
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
