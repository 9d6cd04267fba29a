// SPDX-License-Identifier: MIT
// Binary addresses from parts that are known to be in range.
#pragma once

#include <cstdint>
#include <cstring>
#include <pysock/address.hpp>

namespace pysock {
inline namespace v1 {
namespace detail {

inline inet_address packed_address(const unsigned char (&packed)[4], int port) noexcept {
  sockaddr_in native{};
  native.sin_family = AF_INET;
  native.sin_port = htons(static_cast<std::uint16_t>(port));
  std::memcpy(&native.sin_addr, packed, sizeof packed);
  return inet_address(native);
}

inline inet6_address packed_address(const unsigned char (&packed)[16], int port,
                                    std::uint32_t flowinfo, std::uint32_t scope_id) noexcept {
  sockaddr_in6 native{};
  native.sin6_family = AF_INET6;
  native.sin6_port = htons(static_cast<std::uint16_t>(port));
  native.sin6_flowinfo = htonl(flowinfo);
  std::memcpy(&native.sin6_addr, packed, sizeof packed);
  native.sin6_scope_id = scope_id;
  return inet6_address(native);
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
