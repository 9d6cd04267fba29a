// SPDX-License-Identifier: MIT
// Equality, order and hash of addresses.
#include <cstring>
#include <functional>
#include <pysock/address.hpp>

namespace pysock {
inline namespace v1 {
namespace {

// The parts of an address that are compared, in this order.
struct key {
  std::string_view bytes;
  std::uint32_t numbers[4] = {};
};

struct to_key {
  key operator()(no_address) const noexcept { return {}; }
  key operator()(const unix_address& a) const noexcept { return {a.view()}; }
  key operator()(const inet_address& a) const noexcept {
    return {{reinterpret_cast<const char*>(a.bytes()), 4}, {static_cast<std::uint32_t>(a.port())}};
  }
  key operator()(const inet6_address& a) const noexcept {
    return {{reinterpret_cast<const char*>(a.bytes()), 16},
            {static_cast<std::uint32_t>(a.port()), a.flowinfo(), a.scope_id()}};
  }
  key operator()(const endpoint& a) const noexcept {
    return {{reinterpret_cast<const char*>(a.data()), static_cast<std::size_t>(a.size())}};
  }
  key operator()(const host_address& a) const noexcept {
    return {a.host,
            {static_cast<std::uint32_t>(a.port), a.flowinfo, a.scope_id,
             static_cast<std::uint32_t>(a.inet6_only)}};
  }
};

// Mixes 64 bits so that all of them influence the low ones (the finalizer of MurmurHash3).
constexpr std::uint64_t mixed(std::uint64_t bits) noexcept {
  bits = (bits ^ bits >> 33) * 0xFF51AFD7ED558CCDU;
  return bits ^ bits >> 33;
}

}  // namespace

// AF_INET and AF_INET6, the keys of most maps, are compared by their bytes.
std::size_t address::hash() const noexcept {
  if (kind_ == kind::inet) {
    std::uint32_t host = 0;
    std::memcpy(&host, inet_.bytes(), sizeof host);
    return static_cast<std::size_t>(
        mixed(std::uint64_t{host} << 16 | static_cast<std::uint64_t>(inet_.port())));
  }
  if (kind_ == kind::inet6) {
    std::uint64_t host[2] = {};
    std::memcpy(host, inet6_.bytes(), sizeof host);
    const std::uint64_t rest = std::uint64_t{inet6_.scope_id()} << 16 ^
                               std::uint64_t{inet6_.flowinfo()} << 40 ^
                               static_cast<std::uint64_t>(inet6_.port());
    return static_cast<std::size_t>(mixed(mixed(host[0]) + mixed(host[1] ^ rest)));
  }
  const key k = visit(to_key());
  std::size_t seed = std::hash<std::string_view>()(k.bytes) + static_cast<std::size_t>(kind_);
  for (const std::uint32_t number : k.numbers) seed = seed * 31 + number;
  return seed;
}

bool address::equal(const address& a, const address& b) noexcept {
  if (a.kind_ != b.kind_) return false;
  if (a.kind_ == kind::inet)
    return std::memcmp(a.inet_.bytes(), b.inet_.bytes(), 4) == 0 &&
           a.inet_.port() == b.inet_.port();
  if (a.kind_ == kind::inet6) {
    return std::memcmp(a.inet6_.bytes(), b.inet6_.bytes(), 16) == 0 &&
           a.inet6_.port() == b.inet6_.port() && a.inet6_.scope_id() == b.inet6_.scope_id() &&
           a.inet6_.flowinfo() == b.inet6_.flowinfo();
  }
  return compare(a, b) == 0;
}

int address::compare(const address& a, const address& b) noexcept {
  if (a.kind_ != b.kind_) return a.kind_ < b.kind_ ? -1 : 1;
  const key left = a.visit(to_key());
  const key right = b.visit(to_key());
  if (const int order = left.bytes.compare(right.bytes); order != 0) return order;
  for (std::size_t i = 0; i < std::size(left.numbers); ++i) {
    if (left.numbers[i] != right.numbers[i]) return left.numbers[i] < right.numbers[i] ? -1 : 1;
  }
  return 0;
}

}  // namespace v1
}  // namespace pysock
