// SPDX-License-Identifier: MIT
// Addresses of any family from arbitrary bytes.
#include <cstring>
#include <pysock/address.hpp>
#include <pysock/families.hpp>
#include <vector>

#include "fuzz.hpp"

namespace sk = pysock;

namespace {

constexpr int families[] = {AF_INET,    AF_INET6, AF_UNIX,
#ifdef PACKET_HOST
                            AF_PACKET,
#endif
#ifdef NETLINK_ROUTE
                            AF_NETLINK,
#endif
#ifdef VMADDR_CID_ANY
                            AF_VSOCK,
#endif
#ifdef CAN_RAW
                            AF_CAN,
#endif
#ifdef TIPC_ADDR_NAME
                            AF_TIPC,
#endif
                            AF_UNSPEC,  77};

template <class Use>
[[maybe_unused]] void if_that_family(const Use& use) {
  try {
    use();
  } catch (const std::invalid_argument&) {
  }
}

void read_parts([[maybe_unused]] const sk::address& a) {
#ifdef PACKET_HOST
  if_that_family([&] {
    const sk::packet_address known(a);
    FUZZ_CHECK(known.addr().size() <= sk::endpoint::capacity());
    (void)known.ifindex();
    (void)known.proto();
    (void)known.pkttype();
    (void)known.hatype();
  });
#endif
#ifdef NETLINK_ROUTE
  if_that_family([&] { (void)(sk::netlink_address(a).pid() + sk::netlink_address(a).groups()); });
#endif
#ifdef VMADDR_CID_ANY
  if_that_family([&] { (void)(sk::vsock_address(a).cid() + sk::vsock_address(a).port()); });
#endif
#ifdef CAN_RAW
  if_that_family([&] { (void)sk::can_address(a).ifindex(); });
#endif
#ifdef TIPC_ADDR_NAME
  if_that_family([&] {
    const sk::tipc_address known(a);
    (void)(known.v1() + known.v2() + known.v3());
    (void)(known.addr_type() + known.scope());
  });
#endif
}

bool is_printable(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F; });
}

void check_one(const sk::address& a) {
  FUZZ_CHECK(is_printable(a.to_string()));
  FUZZ_CHECK(a.port() >= 0 && a.port() <= 65535);
  read_parts(a);
  if (a.get_if<sk::inet_address>() != nullptr) FUZZ_CHECK(sk::address(a.host(), a.port()) == a);
  if (a.family() == AF_UNIX && a.get_if<sk::endpoint>() == nullptr)
    FUZZ_CHECK(sk::unix_address(*reinterpret_cast<const sockaddr_un*>(a.data()), a.size()).path() ==
               a.path());
  // Converting to an endpoint and back gives an equal address.
  if (a.size() != 0) FUZZ_CHECK(sk::address(sk::endpoint(a.data(), a.size())) == a);
  sk::address copy(a);
  FUZZ_CHECK(copy == a);
  sk::address moved(std::move(copy));
  FUZZ_CHECK(moved == a);
  copy = moved;
  moved = std::move(copy);
  FUZZ_CHECK(moved == a);
}

// Equality, order and hash must be consistent.
void check_two(const sk::address& a, const sk::address& b) {
  FUZZ_CHECK((a == b) == (b == a));
  FUZZ_CHECK((a != b) == !(a == b));
  FUZZ_CHECK((a < b) + (b < a) + (a == b) == 1);
  if (a == b) {
    FUZZ_CHECK(a.hash() == b.hash());
    FUZZ_CHECK(a.to_string() == b.to_string());
  }
}

// A block of exactly that size: AddressSanitizer detects a read beyond it.
sk::address address_of(const std::vector<char>& bytes) {
  const auto* native = reinterpret_cast<const sockaddr*>(bytes.data());
  const auto size = static_cast<socklen_t>(bytes.size());
  const sk::address made(native, size);
  try {
    FUZZ_CHECK(sk::address(sk::endpoint(native, size)) == made);
  } catch (const std::out_of_range&) {
    FUZZ_CHECK(size > sk::endpoint::capacity() || made.family() == AF_UNSPEC);
  }
  sk::endpoint filled;
  const auto buffer = static_cast<std::size_t>(sk::endpoint::capacity());
  if (!bytes.empty()) std::memcpy(filled.buffer(), bytes.data(), std::min(bytes.size(), buffer));
  filled.resize(size);
  FUZZ_CHECK(sk::address(filled) == made);
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in(data, size);
  const std::size_t choice = in.byte();
  const std::string text = in.rest();
  std::vector<char> bytes(text.begin(), text.end());
  sockaddr head{};
  if (choice < std::size(families) && bytes.size() >= offsetof(sockaddr, sa_data)) {
    std::memcpy(&head, bytes.data(), offsetof(sockaddr, sa_data));
    head.sa_family = static_cast<decltype(head.sa_family)>(families[choice]);
    std::memcpy(bytes.data(), &head, offsetof(sockaddr, sa_data));
  }
  const sk::address first = address_of(bytes);
  check_one(first);
  if (bytes.empty()) return 0;
  // The same with one byte less, and with one byte different.
  std::vector<char> other(bytes.begin(), bytes.end() - 1);
  check_two(first, address_of(other));
  other = bytes;
  other[choice % other.size()] ^= 1;
  const sk::address second = address_of(other);
  check_one(second);
  check_two(first, second);
  return 0;
}
