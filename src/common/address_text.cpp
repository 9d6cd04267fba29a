// SPDX-License-Identifier: MIT
// Addresses as Python prints them.
#include <pysock/address.hpp>
#include <pysock/families.hpp>

#include "repr.hpp"

namespace pysock {
inline namespace v1 {
namespace {

using detail::tuple;

// Printing an address must not fail if the system is short of resources, because messages of
// failures contain addresses.
template <class Address>
[[maybe_unused]] std::string interface_of(const Address& a) {
  try {
    return a.ifname();
  } catch (const error&) {
    return {};
  }
}

struct to_text {
  std::string operator()(no_address) const { return "None"; }
  std::string operator()(const unix_address& a) const {
    std::string out;
    detail::append_repr(out, a.view(), !a.view().empty() && a.view().front() == '\0');
    return out;
  }
  std::string operator()(const inet_address& a) const {
    return tuple().text(a.host()).number(a.port()).done();
  }
  std::string operator()(const inet6_address& a) const {
    return tuple().text(a.host()).number(a.port()).number(a.flowinfo()).number(a.scope_id()).done();
  }
  PYSOCK_COLD std::string operator()(const endpoint& a) const {
#ifdef PACKET_HOST
    if (a.family() == AF_PACKET) {
      const packet_address known(a);
      return tuple()
          .text(interface_of(known))
          .number(known.proto())
          .number(known.pkttype())
          .number(known.hatype())
          .bytes(known.addr())
          .done();
    }
#endif
#ifdef NETLINK_ROUTE
    if (a.family() == AF_NETLINK) {
      const netlink_address known(a);
      return tuple().number(known.pid()).number(known.groups()).done();
    }
#endif
#ifdef VMADDR_CID_ANY
    if (a.family() == AF_VSOCK) {
      const vsock_address known(a);
      return tuple().number(known.cid()).number(known.port()).done();
    }
#endif
#ifdef CAN_RAW
    if (a.family() == AF_CAN) return tuple().text(interface_of(can_address(a))).done();
#endif
#ifdef TIPC_ADDR_NAME
    if (a.family() == AF_TIPC) {
      const tipc_address known(a);
      return tuple()
          .number(known.addr_type())
          .number(known.v1())
          .number(known.v2())
          .number(known.v3())
          .number(known.scope())
          .done();
    }
#endif
    const std::string_view bytes(reinterpret_cast<const char*>(a.data()),
                                 static_cast<std::size_t>(a.size()));
    const std::size_t skipped = offsetof(sockaddr, sa_data);
    return tuple()
        .number(a.family())
        .bytes(bytes.size() > skipped ? bytes.substr(skipped) : std::string_view())
        .done();
  }
  std::string operator()(const host_address& a) const {
    tuple out;
    out.text(a.host).number(a.port);
    if (a.inet6_only) out.number(a.flowinfo).number(a.scope_id);
    return out.done();
  }
};

}  // namespace

std::string address::to_string() const { return visit(to_text()); }

}  // namespace v1
}  // namespace pysock
