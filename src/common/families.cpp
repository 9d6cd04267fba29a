// SPDX-License-Identifier: MIT
// Addresses of other families: checks of numbers, and names of interfaces.
#include <limits>
#include <pysock/families.hpp>
#include <pysock/interfaces.hpp>
#ifdef PACKET_HOST
#include <netpacket/packet.h>
#endif

namespace pysock {
inline namespace v1 {
namespace {

using detail::throw_error;

template <class T>
[[maybe_unused]] T checked(long long value, const char* what) {
  if (value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max())
    throw_error(bad_argument::value_range, what);
  return static_cast<T>(value);
}

[[maybe_unused]] int index_of(text ifname) {
  return ifname.view().empty() ? 0 : static_cast<int>(if_nametoindex(ifname));
}

// Empty if there is no interface with that number.
[[maybe_unused]] std::string name_of(int ifindex, const char* operation) {
  std::string name;
  if (ifindex <= 0) return name;
  const int result = detail::sys::if_indextoname(static_cast<unsigned>(ifindex), name);
  const std::error_code reason = detail::failure_code(result);
  if (result < 0 && reason != std::errc::no_such_device_or_address &&
      reason != std::errc::no_such_device)
    throw_error(reason, operation);
  return name;
}

template <class Native>
[[maybe_unused]] endpoint endpoint_of(const Native& native) {
  return {reinterpret_cast<const sockaddr*>(&native), static_cast<socklen_t>(sizeof native)};
}

}  // namespace

endpoint detail::expect_family(const address& a, int family, const char* who) {
  const auto* raw = a.get_if<endpoint>();
  if (raw == nullptr || raw->family() != family)
    throw_error(bad_argument::address_form, std::string(who) + " " + a.to_string());
  return *raw;
}

#ifdef PACKET_HOST
packet_address::packet_address(text ifname, long long proto, long long pkttype, long long hatype,
                               const_bytes addr) {
  sockaddr_ll native{};
  native.sll_family = AF_PACKET;
  native.sll_protocol = htons(checked<std::uint16_t>(proto, "packet_address: proto"));
  native.sll_pkttype = checked<unsigned char>(pkttype, "packet_address: pkttype");
  native.sll_hatype = checked<unsigned short>(hatype, "packet_address: hatype");
  if (addr.size() > sizeof native.sll_addr)
    throw std::invalid_argument("packet_address: hardware address must be 8 bytes or less");
  native.sll_halen = static_cast<unsigned char>(addr.size());
  if (!addr.empty()) std::memcpy(native.sll_addr, addr.data(), addr.size());
  native.sll_ifindex = index_of(ifname);
  endpoint::operator=(endpoint_of(native));
}

int packet_address::ifindex() const noexcept {
  return detail::as_native<sockaddr_ll>(*this).sll_ifindex;
}

int packet_address::proto() const noexcept {
  return ntohs(detail::as_native<sockaddr_ll>(*this).sll_protocol);
}

int packet_address::pkttype() const noexcept {
  return detail::as_native<sockaddr_ll>(*this).sll_pkttype;
}

int packet_address::hatype() const noexcept {
  return detail::as_native<sockaddr_ll>(*this).sll_hatype;
}

std::string packet_address::ifname() const { return name_of(ifindex(), "packet_address: ifname"); }

std::string packet_address::addr() const {
  // Some hardware has longer addresses than the structure declares; the system then returns a
  // longer structure.
  const std::string_view bytes(reinterpret_cast<const char*>(data()),
                               static_cast<std::size_t>(size()));
  const std::size_t start = offsetof(sockaddr_ll, sll_addr);
  return std::string(bytes.size() > start
                         ? bytes.substr(start, detail::as_native<sockaddr_ll>(*this).sll_halen)
                         : std::string_view());
}
#endif

#ifdef NETLINK_ROUTE
netlink_address::netlink_address(word pid, word groups) {
  sockaddr_nl native{};
  native.nl_family = AF_NETLINK;
  native.nl_pid = pid.value();
  native.nl_groups = groups.value();
  endpoint::operator=(endpoint_of(native));
}
#endif

#ifdef VMADDR_CID_ANY
vsock_address::vsock_address(word cid, word port) {
  sockaddr_vm native{};
  native.svm_family = AF_VSOCK;
  native.svm_cid = cid.value();
  native.svm_port = port.value();
  endpoint::operator=(endpoint_of(native));
}
#endif

#ifdef CAN_RAW
can_address::can_address(text ifname) {
  sockaddr_can native{};
  native.can_family = AF_CAN;
  native.can_ifindex = index_of(ifname);
  endpoint::operator=(endpoint_of(native));
}

std::string can_address::ifname() const { return name_of(ifindex(), "can_address: ifname"); }
#endif

#ifdef TIPC_ADDR_NAME
tipc_address::tipc_address(long long addr_type, word v1, word v2, word v3, long long scope) {
  sockaddr_tipc native{};
  native.family = AF_TIPC;
  native.addrtype = checked<unsigned char>(addr_type, "tipc_address: addr_type");
  native.scope = checked<signed char>(scope, "tipc_address: scope");
  const std::uint32_t a = v1.value();
  const std::uint32_t b = v2.value();
  const std::uint32_t c = v3.value();
  switch (addr_type) {
    case TIPC_ADDR_NAMESEQ:
      native.addr.nameseq = {a, b, c};
      break;
    case TIPC_ADDR_NAME:
      native.addr.name.name = {a, b};
      break;
    case TIPC_ADDR_ID:
      native.addr.id = {b, a};
      break;
    default:
      throw std::invalid_argument("tipc_address: Invalid address type");
  }
  endpoint::operator=(endpoint_of(native));
}
#endif

}  // namespace v1
}  // namespace pysock
