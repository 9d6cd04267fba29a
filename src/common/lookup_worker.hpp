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

// The limits of a lookup.
struct lookup_limit {
  std::int64_t timeout = no_timeout;  // a word as in timeout.hpp
  interrupt_source* interrupter = nullptr;

  [[nodiscard]] bool is_none() const noexcept {
    return timeout == no_timeout && interrupter == nullptr;
  }
};

// As sys::getaddrinfo. Runs in this thread if it needs no name service or has no limit, otherwise
// in a worker thread.
std::error_code getaddrinfo_within(const lookup_limit& limit, const char* host, const char* service,
                                   const addrinfo& hints, addrinfo** found);

// The public function, with a limit.
std::vector<address_info> getaddrinfo_within(const lookup_limit& limit,
                                             const std::optional<text>& host, const service& port,
                                             int family, int type, int proto, int flags);

}  // namespace detail
}  // namespace v1
}  // namespace pysock
