// SPDX-License-Identifier: MIT
// The table of names. If two names have the same value, the first one is used.
#include <cstddef>
#include <pysock/constants.hpp>
#include <pysock/names.hpp>

namespace pysock {
inline namespace v1 {
namespace {

struct named {
  int value;
  const char* name;
};

constexpr named families[] = {
#ifdef AF_UNSPEC
    {AF_UNSPEC, "AF_UNSPEC"},
#endif
#ifdef AF_UNIX
    {AF_UNIX, "AF_UNIX"},
#endif
#ifdef AF_INET
    {AF_INET, "AF_INET"},
#endif
#ifdef AF_INET6
    {AF_INET6, "AF_INET6"},
#endif
#ifdef AF_NETLINK
    {AF_NETLINK, "AF_NETLINK"},
#endif
#ifdef AF_PACKET
    {AF_PACKET, "AF_PACKET"},
#endif
#ifdef AF_VSOCK
    {AF_VSOCK, "AF_VSOCK"},
#endif
#ifdef AF_BLUETOOTH
    {AF_BLUETOOTH, "AF_BLUETOOTH"},
#endif
#ifdef AF_CAN
    {AF_CAN, "AF_CAN"},
#endif
#ifdef AF_ALG
    {AF_ALG, "AF_ALG"},
#endif
#ifdef AF_TIPC
    {AF_TIPC, "AF_TIPC"},
#endif
#ifdef AF_RDS
    {AF_RDS, "AF_RDS"},
#endif
#ifdef AF_QIPCRTR
    {AF_QIPCRTR, "AF_QIPCRTR"},
#endif
#ifdef AF_HYPERV
    {AF_HYPERV, "AF_HYPERV"},
#endif
#ifdef AF_AX25
    {AF_AX25, "AF_AX25"},
#endif
#ifdef AF_IPX
    {AF_IPX, "AF_IPX"},
#endif
#ifdef AF_APPLETALK
    {AF_APPLETALK, "AF_APPLETALK"},
#endif
#ifdef AF_NETROM
    {AF_NETROM, "AF_NETROM"},
#endif
#ifdef AF_BRIDGE
    {AF_BRIDGE, "AF_BRIDGE"},
#endif
#ifdef AF_ATMPVC
    {AF_ATMPVC, "AF_ATMPVC"},
#endif
#ifdef AF_AAL5
    {AF_AAL5, "AF_AAL5"},
#endif
#ifdef AF_X25
    {AF_X25, "AF_X25"},
#endif
#ifdef AF_ROSE
    {AF_ROSE, "AF_ROSE"},
#endif
#ifdef AF_DECnet
    {AF_DECnet, "AF_DECnet"},
#endif
#ifdef AF_NETBEUI
    {AF_NETBEUI, "AF_NETBEUI"},
#endif
#ifdef AF_SECURITY
    {AF_SECURITY, "AF_SECURITY"},
#endif
#ifdef AF_KEY
    {AF_KEY, "AF_KEY"},
#endif
#ifdef AF_ASH
    {AF_ASH, "AF_ASH"},
#endif
#ifdef AF_ECONET
    {AF_ECONET, "AF_ECONET"},
#endif
#ifdef AF_ATMSVC
    {AF_ATMSVC, "AF_ATMSVC"},
#endif
#ifdef AF_SNA
    {AF_SNA, "AF_SNA"},
#endif
#ifdef AF_IRDA
    {AF_IRDA, "AF_IRDA"},
#endif
#ifdef AF_PPPOX
    {AF_PPPOX, "AF_PPPOX"},
#endif
#ifdef AF_WANPIPE
    {AF_WANPIPE, "AF_WANPIPE"},
#endif
#ifdef AF_LLC
    {AF_LLC, "AF_LLC"},
#endif
#ifdef AF_XDP
    {AF_XDP, "AF_XDP"},
#endif
#ifdef AF_LINK
    {AF_LINK, "AF_LINK"},
#endif
#ifdef AF_SYSTEM
    {AF_SYSTEM, "AF_SYSTEM"},
#endif
#ifdef AF_DIVERT
    {AF_DIVERT, "AF_DIVERT"},
#endif
#ifdef AF_ROUTE
    {AF_ROUTE, "AF_ROUTE"},
#endif
};

constexpr named types[] = {
#ifdef SOCK_STREAM
    {SOCK_STREAM, "SOCK_STREAM"},
#endif
#ifdef SOCK_DGRAM
    {SOCK_DGRAM, "SOCK_DGRAM"},
#endif
#ifdef SOCK_RAW
    {SOCK_RAW, "SOCK_RAW"},
#endif
#ifdef SOCK_RDM
    {SOCK_RDM, "SOCK_RDM"},
#endif
#ifdef SOCK_SEQPACKET
    {SOCK_SEQPACKET, "SOCK_SEQPACKET"},
#endif
#ifdef SOCK_NONBLOCK
    {SOCK_NONBLOCK, "SOCK_NONBLOCK"},
#endif
#ifdef SOCK_CLOEXEC
    {SOCK_CLOEXEC, "SOCK_CLOEXEC"},
#endif
};

constexpr named msg_flags[] = {
#ifdef MSG_OOB
    {MSG_OOB, "MSG_OOB"},
#endif
#ifdef MSG_PEEK
    {MSG_PEEK, "MSG_PEEK"},
#endif
#ifdef MSG_DONTROUTE
    {MSG_DONTROUTE, "MSG_DONTROUTE"},
#endif
#ifdef MSG_CTRUNC
    {MSG_CTRUNC, "MSG_CTRUNC"},
#endif
#ifdef MSG_TRUNC
    {MSG_TRUNC, "MSG_TRUNC"},
#endif
#ifdef MSG_DONTWAIT
    {MSG_DONTWAIT, "MSG_DONTWAIT"},
#endif
#ifdef MSG_EOR
    {MSG_EOR, "MSG_EOR"},
#endif
#ifdef MSG_WAITALL
    {MSG_WAITALL, "MSG_WAITALL"},
#endif
#ifdef MSG_CONFIRM
    {MSG_CONFIRM, "MSG_CONFIRM"},
#endif
#ifdef MSG_ERRQUEUE
    {MSG_ERRQUEUE, "MSG_ERRQUEUE"},
#endif
#ifdef MSG_NOSIGNAL
    {MSG_NOSIGNAL, "MSG_NOSIGNAL"},
#endif
#ifdef MSG_MORE
    {MSG_MORE, "MSG_MORE"},
#endif
#ifdef MSG_WAITFORONE
    {MSG_WAITFORONE, "MSG_WAITFORONE"},
#endif
#ifdef MSG_BATCH
    {MSG_BATCH, "MSG_BATCH"},
#endif
#ifdef MSG_ZEROCOPY
    {MSG_ZEROCOPY, "MSG_ZEROCOPY"},
#endif
#ifdef MSG_FASTOPEN
    {MSG_FASTOPEN, "MSG_FASTOPEN"},
#endif
#ifdef MSG_CMSG_CLOEXEC
    {MSG_CMSG_CLOEXEC, "MSG_CMSG_CLOEXEC"},
#endif
#ifdef MSG_BCAST
    {MSG_BCAST, "MSG_BCAST"},
#endif
#ifdef MSG_MCAST
    {MSG_MCAST, "MSG_MCAST"},
#endif
#ifdef MSG_PARTIAL
    {MSG_PARTIAL, "MSG_PARTIAL"},
#endif
#ifdef MSG_EOF
    {MSG_EOF, "MSG_EOF"},
#endif
#ifdef MSG_BTAG
    {MSG_BTAG, "MSG_BTAG"},
#endif
#ifdef MSG_ETAG
    {MSG_ETAG, "MSG_ETAG"},
#endif
#ifdef MSG_NOTIFICATION
    {MSG_NOTIFICATION, "MSG_NOTIFICATION"},
#endif
};

// Null if the value has no name.
template <std::size_t N>
const char* find(const named (&table)[N], int value) noexcept {
  for (const named& entry : table) {
    if (entry.value == value) return entry.name;
  }
  return nullptr;
}

template <std::size_t N>
std::string name_or_number(const named (&table)[N], int value) {
  const char* const name = find(table, value);
  return name != nullptr ? name : std::to_string(value);
}

std::string hex(unsigned value) {
  std::string digits;
  for (; value != 0; value >>= 4) digits.insert(digits.begin(), "0123456789abcdef"[value & 15]);
  return "0x" + digits;
}

}  // namespace

std::string family_name(int family) { return name_or_number(families, family); }

std::string type_name(int type) { return name_or_number(types, type); }

std::string msg_flag_names(int flags) {
  if (flags == 0) return "0";
  std::string out;
  const auto add = [&out](const std::string& part) { out += out.empty() ? part : '|' + part; };
  unsigned unnamed = 0;
  for (unsigned bit = 1; bit != 0; bit <<= 1) {
    if ((static_cast<unsigned>(flags) & bit) == 0) continue;
    const char* const name = find(msg_flags, static_cast<int>(bit));
    if (name != nullptr) {
      add(name);
    } else {
      unnamed |= bit;
    }
  }
  if (unnamed != 0) add(hex(unnamed));
  return out;
}

}  // namespace v1
}  // namespace pysock
