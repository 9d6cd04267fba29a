// SPDX-License-Identifier: MIT
// Name lookup that can end before the system's resolver does.
#pragma once

#include <pysock/interrupter.hpp>
#include <pysock/resolver.hpp>
#include <pysock/timeout.hpp>
#include <string>
#include <vector>

namespace pysock {
inline namespace v1 {
namespace detail {

// What may end a lookup.
struct lookup_limit {
  std::int64_t timeout = no_timeout;  // a word as in timeout.hpp
  interrupt_source* interrupter = nullptr;

  [[nodiscard]] bool is_none() const noexcept {
    return timeout == no_timeout && interrupter == nullptr;
  }
};

// As sys::getaddrinfo. What needs no name service is looked up in this thread, everything else in a
// worker thread if there is a limit.
std::error_code getaddrinfo_within(const lookup_limit& limit, const char* host, const char* service,
                                   const addrinfo& hints, addrinfo** found);

// The public function, with a limit.
std::vector<address_info> getaddrinfo_within(const lookup_limit& limit,
                                             const std::optional<text>& host, const service& port,
                                             int family, int type, int proto, int flags);

}  // namespace detail
}  // namespace v1
}  // namespace pysock
