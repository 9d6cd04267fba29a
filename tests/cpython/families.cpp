// SPDX-License-Identifier: MIT
// Linux's other families. pysock passes their addresses as bytes in the kernel's layout.
#include <cstring>

#include "binding.hpp"

#if __has_include(<linux/can.h>)
#include <linux/can.h>
#endif
#if __has_include(<linux/can/isotp.h>)
#include <linux/can/isotp.h>
#endif
#if __has_include(<linux/can/j1939.h>)
#include <linux/can/j1939.h>
#endif
#if __has_include(<linux/if_alg.h>)
#include <linux/if_alg.h>
#endif
#if __has_include(<linux/qrtr.h>)
#include <linux/qrtr.h>
#endif
#if __has_include(<linux/tipc.h>)
#include <linux/tipc.h>
#endif
#if __has_include(<netpacket/packet.h>)
#include <netpacket/packet.h>
#endif
#include <net/if.h>

#include <pysock/families.hpp>
#include <pysock/interfaces.hpp>

namespace binding {
namespace {

template <class Native>
pysock::endpoint endpoint_of(const Native& native) {
  return {reinterpret_cast<const sockaddr*>(&native), sizeof native};
}

template <class Native>
Native native_of(const pysock::endpoint& endpoint) {
  Native native{};
  const auto size = static_cast<std::size_t>(endpoint.size());
  std::memcpy(&native, endpoint.data(), size < sizeof native ? size : sizeof native);
  return native;
}

void require_tuple(PyObject* from, const char* function, const char* family) {
  if (!PyTuple_Check(from))
    raise(PyExc_TypeError, "%s(): %s address must be a tuple, not %.500s", function, family,
          Py_TYPE(from)->tp_name);
}

// "" means any interface.
[[maybe_unused]] int to_interface(PyObject* from) {
  const object encoded = from_text(from);
  const std::string_view text = bytes_of(encoded);
  if (text.empty()) return 0;
  if (text.size() >= IF_NAMESIZE) raise(PyExc_OSError, "interface name too long");
  return static_cast<int>(pysock::if_nametoindex(text));
}

[[maybe_unused]] std::string interface_name(int index) {
  return index == 0 ? std::string() : pysock::if_indextoname(index);
}

#if __has_include(<linux/netlink.h>)
pysock::endpoint to_netlink(PyObject* from) {
  sockaddr_nl native{};
  native.nl_family = AF_NETLINK;
  parse(from, "II", &native.nl_pid, &native.nl_groups);
  return endpoint_of(native);
}
#endif

#if __has_include(<linux/vm_sockets.h>)
pysock::endpoint to_vsock(PyObject* from) {
  sockaddr_vm native{};
  native.svm_family = AF_VSOCK;
  parse(from, "II", &native.svm_cid, &native.svm_port);
  return endpoint_of(native);
}
#endif

#if __has_include(<netpacket/packet.h>)
pysock::endpoint to_packet(PyObject* from) {
  PyObject* interface = nullptr;
  int protocol = 0;
  int packet_type = 0;
  int hardware_type = 0;
  PyObject* hardware = nullptr;
  parse(from, "Oi|iiO", &interface, &protocol, &packet_type, &hardware_type, &hardware);
  if (protocol < 0 || protocol > 65535) raise(PyExc_OverflowError, "protoNumber must be 0-65535.");
  sockaddr_ll native{};
  native.sll_family = AF_PACKET;
  native.sll_protocol = pysock::htons(static_cast<std::uint16_t>(protocol));
  native.sll_ifindex = to_interface(interface);
  native.sll_pkttype = static_cast<unsigned char>(packet_type);
  native.sll_hatype = static_cast<unsigned short>(hardware_type);
  if (hardware != nullptr) {
    const buffer bytes(hardware);
    if (bytes.size() > sizeof native.sll_addr)
      raise(PyExc_ValueError, "Hardware address must be 8 bytes or less");
    std::memcpy(native.sll_addr, bytes.bytes().data(), bytes.size());
    native.sll_halen = static_cast<unsigned char>(bytes.size());
  }
  return endpoint_of(native);
}

object from_packet(const sockaddr_ll& native) {
  const object hardware = to_bytes({native.sll_addr, native.sll_halen < sizeof native.sll_addr
                                                         ? native.sll_halen
                                                         : sizeof native.sll_addr});
  const std::string name = interface_name(native.sll_ifindex);
  return build("(siiiO)", name.c_str(), static_cast<int>(pysock::ntohs(native.sll_protocol)),
               static_cast<int>(native.sll_pkttype), static_cast<int>(native.sll_hatype),
               hardware.get());
}
#endif

#if __has_include(<linux/can.h>)
pysock::endpoint to_can(PyObject* from, int protocol) {
  sockaddr_can native{};
  native.can_family = AF_CAN;
  PyObject* interface = nullptr;
  switch (protocol) {
#ifdef CAN_ISOTP
    case CAN_ISOTP: {
      unsigned long receive = 0;
      unsigned long transmit = 0;
      parse(from, "Okk", &interface, &receive, &transmit);
      native.can_addr.tp.rx_id = static_cast<canid_t>(receive);
      native.can_addr.tp.tx_id = static_cast<canid_t>(transmit);
      break;
    }
#endif
#ifdef J1939_NO_ADDR
    case CAN_J1939: {
      unsigned long long name = 0;
      unsigned pgn = 0;
      unsigned char address = 0;
      parse(from, "OKIB", &interface, &name, &pgn, &address);
      native.can_addr.j1939.name = name;
      native.can_addr.j1939.pgn = pgn;
      native.can_addr.j1939.addr = address;
      break;
    }
#endif
    default:
      parse(from, "O", &interface);
  }
  native.can_ifindex = to_interface(interface);
  return endpoint_of(native);
}

object from_can(const sockaddr_can& native, int protocol) {
  const std::string name = interface_name(native.can_ifindex);
  const auto& a = native.can_addr;
  switch (protocol) {
#ifdef CAN_ISOTP
    case CAN_ISOTP:
      return build("(sII)", name.c_str(), a.tp.rx_id, a.tp.tx_id);
#endif
#ifdef J1939_NO_ADDR
    case CAN_J1939:
      return build("(sKII)", name.c_str(), static_cast<unsigned long long>(a.j1939.name),
                   a.j1939.pgn, unsigned{a.j1939.addr});
#endif
    default:
      return build("(s)", name.c_str());
  }
}
#endif

#if __has_include(<linux/if_alg.h>)
pysock::endpoint to_alg(PyObject* from) {
  sockaddr_alg native{};
  native.salg_family = AF_ALG;
  const char* type = nullptr;
  const char* name = nullptr;
  parse(from, "ss|II", &type, &name, &native.salg_feat, &native.salg_mask);
  if (std::strlen(type) >= sizeof native.salg_type)
    raise(PyExc_ValueError, "AF_ALG type too long.");
  if (std::strlen(name) >= sizeof native.salg_name)
    raise(PyExc_ValueError, "AF_ALG name too long.");
  std::memcpy(native.salg_type, type, std::strlen(type));
  std::memcpy(native.salg_name, name, std::strlen(name));
  return endpoint_of(native);
}
#endif

#if __has_include(<linux/qrtr.h>)
pysock::endpoint to_qrtr(PyObject* from) {
  sockaddr_qrtr native{};
  native.sq_family = AF_QIPCRTR;
  parse(from, "II", &native.sq_node, &native.sq_port);
  return endpoint_of(native);
}
#endif

#if __has_include(<linux/tipc.h>)
pysock::endpoint to_tipc(PyObject* from) {
  unsigned type = 0;
  unsigned v1 = 0;
  unsigned v2 = 0;
  unsigned v3 = 0;
  unsigned scope = TIPC_CLUSTER_SCOPE;
  parse(from, "IIII|I", &type, &v1, &v2, &v3, &scope);
  sockaddr_tipc native{};
  native.family = AF_TIPC;
  native.scope = static_cast<signed char>(scope);
  native.addrtype = static_cast<unsigned char>(type);
  switch (type) {
    case TIPC_ADDR_NAMESEQ:
      native.addr.nameseq = {v1, v2, v3};
      break;
    case TIPC_ADDR_NAME:
      native.addr.name.name = {v1, v2};
      break;
    case TIPC_ADDR_ID:
      native.addr.id = {v2, v1};
      break;
    default:
      raise(PyExc_TypeError, "Invalid address type");
  }
  return endpoint_of(native);
}

object from_tipc(const sockaddr_tipc& native) {
  const auto scope = static_cast<unsigned>(native.scope);
  const auto& a = native.addr;
  switch (native.addrtype) {
    case TIPC_ADDR_NAMESEQ:
      return build("(IIIII)", unsigned{TIPC_ADDR_NAMESEQ}, a.nameseq.type, a.nameseq.lower,
                   a.nameseq.upper, scope);
    case TIPC_ADDR_NAME:
      return build("(IIIII)", unsigned{TIPC_ADDR_NAME}, a.name.name.type, a.name.name.instance,
                   a.name.name.instance, scope);
    case TIPC_ADDR_ID:
      return build("(IIIII)", unsigned{TIPC_ADDR_ID}, a.id.node, a.id.ref, 0U, scope);
    default:
      raise(PyExc_ValueError, "Invalid address type");
  }
}
#endif

}  // namespace

pysock::endpoint to_endpoint(const pysock::socket& socket, PyObject* from, const char* function) {
  switch (socket.family()) {
#if __has_include(<linux/netlink.h>)
    case AF_NETLINK:
      require_tuple(from, function, "AF_NETLINK");
      return to_netlink(from);
#endif
#if __has_include(<linux/vm_sockets.h>)
    case AF_VSOCK:
      require_tuple(from, function, "AF_VSOCK");
      return to_vsock(from);
#endif
#if __has_include(<netpacket/packet.h>)
    case AF_PACKET:
      require_tuple(from, function, "AF_PACKET");
      return to_packet(from);
#endif
#if __has_include(<linux/can.h>)
    case AF_CAN:
      require_tuple(from, function, "AF_CAN");
      return to_can(from, socket.proto());
#endif
#if __has_include(<linux/if_alg.h>)
    case AF_ALG:
      require_tuple(from, function, "AF_ALG");
      return to_alg(from);
#endif
#if __has_include(<linux/qrtr.h>)
    case AF_QIPCRTR:
      require_tuple(from, function, "AF_QIPCRTR");
      return to_qrtr(from);
#endif
#if __has_include(<linux/tipc.h>)
    case AF_TIPC:
      require_tuple(from, function, "AF_TIPC");
      return to_tipc(from);
#endif
    default:
      raise(PyExc_OSError, "%s(): bad family", function);
  }
}

object from_endpoint(const pysock::endpoint& endpoint, [[maybe_unused]] int protocol) {
  switch (endpoint.family()) {
#if __has_include(<linux/netlink.h>)
    case AF_NETLINK: {
      const auto native = native_of<sockaddr_nl>(endpoint);
      return build("(II)", native.nl_pid, native.nl_groups);
    }
#endif
#if __has_include(<linux/vm_sockets.h>)
    case AF_VSOCK: {
      const auto native = native_of<sockaddr_vm>(endpoint);
      return build("(II)", native.svm_cid, native.svm_port);
    }
#endif
#if __has_include(<netpacket/packet.h>)
    case AF_PACKET:
      return from_packet(native_of<sockaddr_ll>(endpoint));
#endif
#if __has_include(<linux/can.h>)
    case AF_CAN:
      return from_can(native_of<sockaddr_can>(endpoint), protocol);
#endif
#if __has_include(<linux/qrtr.h>)
    case AF_QIPCRTR: {
      const auto native = native_of<sockaddr_qrtr>(endpoint);
      return build("(II)", native.sq_node, native.sq_port);
    }
#endif
#if __has_include(<linux/tipc.h>)
    case AF_TIPC:
      return from_tipc(native_of<sockaddr_tipc>(endpoint));
#endif
    default: {
      const object bytes =
          to_bytes({endpoint.data()->sa_data, endpoint.size() - offsetof(sockaddr, sa_data)});
      return build("(iO)", endpoint.family(), bytes.get());
    }
  }
}

}  // namespace binding
