// SPDX-License-Identifier: MIT
// The part of create_connection after the lookup.
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

// The common state of the attempts of one connection.
struct connect_plan {
  const connection_options& options;
  std::int64_t timeout;  // a word as in timeout.hpp
  interrupt_link interrupter;

  // A socket for `to`, bound if there is a source address; non-blocking if there is a timeout or if
  // `nonblocking`.
  [[nodiscard]] socket open(const address_info& to, bool nonblocking = false) const;
  // Throws if a connected socket is connected to itself.
  void check(const socket& s, const address& to) const;
};

// RFC 8305: puts addresses of other families between those of the first family, after `first` of
// them.
void interleave(std::vector<address_info>& addresses, int first);

// Connects to one address after the other, and begins the next one after the delay although the
// last has not ended. Returns the first connected socket, or a closed one and all failures.
socket race(const connect_plan& plan, const std::vector<address_info>& addresses,
            std::int64_t delay, std::vector<error>& failures);

}  // namespace detail
}  // namespace v1
}  // namespace pysock
