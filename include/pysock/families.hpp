// SPDX-License-Identifier: MIT
/// \file
/// Addresses of other families, each defined if the system's headers have it: classes that make and
/// read an `endpoint`, with the parts of Python's tuples in the same order.
///
/// Each class is an `endpoint`: it can be used as an address, as in
/// `s.bind(packet_address("lo", ETH_P_ALL))`. Each is read back from an address, as in
/// `packet_address(s.getsockname()).ifname()`.
#pragma once

#include <cstdint>      // uint32_t
#include <cstring>      // memcpy
#include <string>       // string
#include <type_traits>  // enable_if_t

#include "address.hpp"
#include "error.hpp"

#if __has_include(<linux/can/raw.h>)
#include <linux/can.h>
#include <linux/can/raw.h>
#endif
#if __has_include(<linux/netlink.h>)
#include <linux/netlink.h>
#endif
#if __has_include(<linux/tipc.h>)
#include <linux/tipc.h>
#endif
#if __has_include(<linux/vm_sockets.h>)
#include <linux/vm_sockets.h>
#endif
/// \cond the system's names
// Those of <netpacket/packet.h> and of <linux/if_packet.h>, which exclude each other.
#if __has_include(<netpacket/packet.h>) && !defined(PACKET_HOST)
#define PACKET_HOST 0
#define PACKET_BROADCAST 1
#define PACKET_MULTICAST 2
#define PACKET_OTHERHOST 3
#define PACKET_OUTGOING 4
#define PACKET_LOOPBACK 5
#define PACKET_FASTROUTE 6
#endif
/// \endcond

namespace pysock {
inline namespace v1 {
namespace detail {

// The endpoint in `a`, which has to be of that family.
PYSOCK_API endpoint expect_family(const address& a, int family, const char* who);

// The system's structure; the part for which an address is too short is zero.
template <class Native>
Native as_native(const endpoint& from) noexcept {
  Native native{};
  const auto size = static_cast<std::size_t>(from.size());
  std::memcpy(&native, from.data(), size < sizeof native ? size : sizeof native);
  return native;
}

}  // namespace detail

/// A number of 32 bits as a parameter, from any integer type or unscoped enumerator: the system's
/// constants have several types.
class word {
 public:
  /// \throws std::out_of_range for a number that does not fit in 32 bits
  template <class Integer, std::enable_if_t<std::is_integral_v<Integer>, int> = 0>
  word(Integer value) : value_(static_cast<std::uint32_t>(value)) {
    if (static_cast<Integer>(value_) != value || value < Integer{})
      detail::throw_error(bad_argument::value_range, "address");
  }
  /// \overload
  template <
      class Enum,
      std::enable_if_t<std::is_enum_v<Enum> && std::is_convertible_v<Enum, long long>, int> = 0>
  word(Enum value) : word(static_cast<std::underlying_type_t<Enum>>(value)) {}
  /// The number.
  [[nodiscard]] std::uint32_t value() const noexcept { return value_; }

 private:
  std::uint32_t value_;
};

#ifdef PACKET_HOST
/// An AF_PACKET address: a link-layer device and protocol. (packet(7))
class packet_address : public endpoint {
 public:
  /// \param ifname the interface's name; `""` is any
  /// \param proto 0..65535, in host order: ETH_P_*
  /// \param pkttype 0..255: PACKET_* \param hatype 0..65535: ARPHRD_* \param addr the hardware
  /// address, at most 8 bytes \throws error as `if_nametoindex` \throws std::out_of_range for the
  /// numbers \throws std::invalid_argument for more than 8 bytes and for a NUL in the name
  PYSOCK_API packet_address(text ifname, long long proto, long long pkttype = PACKET_HOST,
                            long long hatype = 0, const_bytes addr = {});
  /// \throws std::invalid_argument for an address of another family
  explicit packet_address(const address& a)
      : endpoint(detail::expect_family(a, AF_PACKET, "packet_address")) {}

  /// The interface's name; empty for any, and for one that is gone. \throws error EMFILE and the
  /// like if the system could not look it up
  [[nodiscard]] PYSOCK_API std::string ifname() const;
  /// The interface's number; 0 for any.
  [[nodiscard]] PYSOCK_API int ifindex() const noexcept;
  /// The protocol, in host order.
  [[nodiscard]] PYSOCK_API int proto() const noexcept;
  /// The receiver of the packet: PACKET_HOST, PACKET_BROADCAST, PACKET_OUTGOING, ...
  [[nodiscard]] PYSOCK_API int pkttype() const noexcept;
  /// The kind of hardware: ARPHRD_*.
  [[nodiscard]] PYSOCK_API int hatype() const noexcept;
  /// The hardware address.
  [[nodiscard]] PYSOCK_API std::string addr() const;
};
#endif

#ifdef NETLINK_ROUTE
/// An AF_NETLINK address. (netlink(7))
class netlink_address : public endpoint {
 public:
  /// \param pid the port, usually a process number; 0 is the kernel, or one that the kernel chooses
  /// \param groups the multicast groups, one bit each \throws std::out_of_range beyond 32 bits
  PYSOCK_API netlink_address(word pid, word groups);
  /// \throws std::invalid_argument for an address of another family
  explicit netlink_address(const address& a)
      : endpoint(detail::expect_family(a, AF_NETLINK, "netlink_address")) {}

  /// The port; 0 is the kernel.
  [[nodiscard]] unsigned pid() const noexcept { return native().nl_pid; }
  /// The multicast groups, one bit each.
  [[nodiscard]] unsigned groups() const noexcept { return native().nl_groups; }

 private:
  [[nodiscard]] sockaddr_nl native() const noexcept {
    return detail::as_native<sockaddr_nl>(*this);
  }
};
#endif

#ifdef VMADDR_CID_ANY
/// An AF_VSOCK address: a port of a virtual machine or of its host. (vsock(7))
class vsock_address : public endpoint {
 public:
  /// \param cid the machine: VMADDR_CID_* or a number \param port VMADDR_PORT_ANY or a number
  /// \throws std::out_of_range beyond 32 bits
  PYSOCK_API vsock_address(word cid, word port);
  /// \throws std::invalid_argument for an address of another family
  explicit vsock_address(const address& a)
      : endpoint(detail::expect_family(a, AF_VSOCK, "vsock_address")) {}

  /// The machine.
  [[nodiscard]] unsigned cid() const noexcept { return native().svm_cid; }
  /// The port.
  [[nodiscard]] unsigned port() const noexcept { return native().svm_port; }

 private:
  [[nodiscard]] sockaddr_vm native() const noexcept {
    return detail::as_native<sockaddr_vm>(*this);
  }
};
#endif

#ifdef CAN_RAW
/// An AF_CAN address of a CAN_RAW socket: an interface.
class can_address : public endpoint {
 public:
  /// \param ifname the interface's name; `""` is any
  /// \throws error as `if_nametoindex` \throws std::invalid_argument for a NUL in the name
  PYSOCK_API explicit can_address(text ifname);
  /// \throws std::invalid_argument for an address of another family
  template <class A, class = std::enable_if_t<std::is_convertible_v<const A&, address> &&
                                              !std::is_convertible_v<const A&, file_path>>>
  explicit can_address(const A& a) : endpoint(detail::expect_family(a, AF_CAN, "can_address")) {}

  /// The interface's name; empty for any, and for one that is gone. \throws error EMFILE and the
  /// like if the system could not look it up
  [[nodiscard]] PYSOCK_API std::string ifname() const;
  /// The interface's number; 0 for any.
  [[nodiscard]] int ifindex() const noexcept { return native().can_ifindex; }

 private:
  [[nodiscard]] sockaddr_can native() const noexcept {
    return detail::as_native<sockaddr_can>(*this);
  }
};
#endif

#ifdef TIPC_ADDR_NAME
/// An AF_TIPC address. What the numbers mean depends on the first:
/// TIPC_ADDR_NAMESEQ: type, lower, upper; TIPC_ADDR_NAME: type, instance; TIPC_ADDR_ID: node,
/// reference. The other numbers are ignored.
class tipc_address : public endpoint {
 public:
  /// \param addr_type TIPC_ADDR_* \param v1 32 bits \param v2 32 bits \param v3 32 bits \param
  /// scope TIPC_*_SCOPE \throws std::out_of_range for the numbers \throws std::invalid_argument for
  /// another type
  PYSOCK_API tipc_address(long long addr_type, word v1, word v2, word v3,
                          long long scope = TIPC_CLUSTER_SCOPE);
  /// \throws std::invalid_argument for an address of another family
  explicit tipc_address(const address& a)
      : endpoint(detail::expect_family(a, AF_TIPC, "tipc_address")) {}

  /// TIPC_ADDR_*.
  [[nodiscard]] int addr_type() const noexcept { return native().addrtype; }
  /// The type, or the node.
  [[nodiscard]] unsigned v1() const noexcept {
    return is_id() ? native().addr.id.node : native().addr.nameseq.type;
  }
  /// The lower bound, the instance, or the reference.
  [[nodiscard]] unsigned v2() const noexcept {
    return is_id() ? native().addr.id.ref : native().addr.nameseq.lower;
  }
  /// The upper bound, the instance once more, or 0.
  [[nodiscard]] unsigned v3() const noexcept {
    if (is_id()) return 0;
    return addr_type() == TIPC_ADDR_NAME ? v2() : native().addr.nameseq.upper;
  }
  /// TIPC_*_SCOPE.
  [[nodiscard]] int scope() const noexcept { return native().scope; }

 private:
  [[nodiscard]] bool is_id() const noexcept { return addr_type() == TIPC_ADDR_ID; }
  [[nodiscard]] sockaddr_tipc native() const noexcept {
    return detail::as_native<sockaddr_tipc>(*this);
  }
};
#endif

}  // namespace v1
}  // namespace pysock
