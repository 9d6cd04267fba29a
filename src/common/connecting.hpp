// SPDX-License-Identifier: MIT
// What create_connection does once it knows the addresses.
#pragma once

#include <pysock/create.hpp>
#include <vector>

namespace pysock {
inline namespace v1 {
namespace detail {

struct connection_access {
  static std::int64_t delay(const connection_options& options) noexcept { return options.delay_; }
  static race_function race(const connection_options& options) noexcept { return options.race_; }
  static const interrupt_link& link(const connection_options& options) noexcept {
    return options.link_;
  }
};

// What the attempts of one connection have in common.
struct connect_plan {
  const connection_options& options;
  std::int64_t timeout;  // a word as in timeout.hpp
  interrupt_link interrupter;

  // A socket for `to`, bound where it has to be; non-blocking if there is a timeout or if
  // `nonblocking`.
  [[nodiscard]] socket open(const address_info& to, bool nonblocking = false) const;
  // Throws if a connected socket is connected to itself.
  void check(const socket& s, const address& to) const;
};

// RFC 8305: puts addresses of other families between those of the first, of which `first` come
// before.
void interleave(std::vector<address_info>& addresses, int first);

// Connects to one address after the other, each of which has the delay to connect before the next
// one is begun as well. Returns the first that connects; a closed one with all failures.
socket race(const connect_plan& plan, const std::vector<address_info>& addresses,
            std::int64_t delay, std::vector<error>& failures);

}  // namespace detail
}  // namespace v1
}  // namespace pysock
