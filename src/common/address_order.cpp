// SPDX-License-Identifier: MIT
// The order of addresses, and their hash.
#include <pysock/address.hpp>

namespace pysock {
inline namespace v1 {
namespace {

// Calls `f` with each part that equality looks at.
struct parts {
  template <class F>
  static void of(std::monostate, F&&) {}
  template <class F>
  static void of(const unix_address& a, F&& f) {
    f(a.view());
  }
  template <class F>
  static void of(const inet_address& a, F&& f) {
    f(std::string_view(reinterpret_cast<const char*>(a.bytes()), 4));
    f(static_cast<std::uint32_t>(a.port()));
  }
  template <class F>
  static void of(const inet6_address& a, F&& f) {
    f(std::string_view(reinterpret_cast<const char*>(a.bytes()), 16));
    f(static_cast<std::uint32_t>(a.port()));
    f(a.flowinfo());
    f(a.scope_id());
  }
  template <class F>
  static void of(const endpoint& a, F&& f) {
    f(std::string_view(reinterpret_cast<const char*>(a.data()),
                       static_cast<std::size_t>(a.size())));
  }
  template <class F>
  static void of(const host_address& a, F&& f) {
    f(std::string_view(a.host));
    f(static_cast<std::uint32_t>(a.port));
    f(a.flowinfo);
    f(a.scope_id);
    f(static_cast<std::uint32_t>(a.inet6_only));
  }
};

// At most five parts, as keys that compare like the address itself.
struct key {
  std::string_view bytes;
  std::uint32_t numbers[4] = {};
  unsigned count = 0;
  void operator()(std::string_view part) noexcept { bytes = part; }
  void operator()(std::uint32_t part) noexcept { numbers[count++] = part; }
};

key key_of(const address& a) noexcept {
  key k;
  a.visit([&k](const auto& value) { parts::of(value, k); });
  return k;
}

}  // namespace

std::size_t address::hash() const noexcept {
  const key k = key_of(*this);
  std::size_t seed = std::hash<std::string_view>()(k.bytes) + value_.index();
  for (const std::uint32_t number : k.numbers) seed = seed * 31 + number;
  return seed;
}

int address::compare(const address& a, const address& b) noexcept {
  if (a.value_.index() != b.value_.index()) return a.value_.index() < b.value_.index() ? -1 : 1;
  const key left = key_of(a);
  const key right = key_of(b);
  if (const int order = left.bytes.compare(right.bytes); order != 0) return order;
  for (unsigned i = 0; i < left.count; ++i) {
    if (left.numbers[i] != right.numbers[i]) return left.numbers[i] < right.numbers[i] ? -1 : 1;
  }
  return 0;
}

}  // namespace v1
}  // namespace pysock
